import { parentPort, workerData } from 'node:worker_threads'
import { runPump } from './pump-thread.js'

runPump(workerData, () => parentPort!.postMessage(null))
