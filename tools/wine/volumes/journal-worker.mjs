// The thread of JournalFollower, with the driver of the tests.
import { parentPort, workerData } from 'node:worker_threads'
import { withControlOf } from '@hotpath/platform/testing'
import { serveJournal } from '../../../apps/scanner/dist/volume/journal-service.js'

serveJournal(workerData, parentPort, withControlOf(workerData.library))
