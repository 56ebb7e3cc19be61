import { parentPort, workerData } from 'node:worker_threads'
import type { FollowJob } from './journal-messages.js'
import { serveJournal } from './journal-service.js'

serveJournal(workerData as FollowJob, parentPort!)
