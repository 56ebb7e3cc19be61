import { parentPort, workerData } from 'node:worker_threads'
import { NodeFileSystem } from '@hotpath/store'
import type { FromRowWorker, RowWorkerStart, ToRowWorker } from './row-messages.js'
import { RowService } from './row-service.js'

// Keeps and searches the rows of followed databases, in a thread of its own.
const port = parentPort
if (port === null) throw new Error('row-worker runs as a worker thread')
const cancelled = new Int32Array((workerData as RowWorkerStart).cancelled)
const post = (message: FromRowWorker): void => port.postMessage(message)
const service = new RowService(new NodeFileSystem(), id => Atomics.load(cancelled, 0) === id, post)
port.on('message', (message: ToRowWorker) => {
  service.receive(message)
  if (message.type === 'stop') void service.settled().then(() => port.close())
})
post({ type: 'ready' })
