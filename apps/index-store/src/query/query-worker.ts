import { parentPort, workerData } from 'node:worker_threads'
import type { FromThread } from './query-threads.js'
import { Searcher } from './searcher.js'
import type { SearcherStart, ToSearcher } from './searcher-messages.js'

// A query worker: a searcher in a thread of its own.
const port = parentPort
if (port === null) throw new Error('query-worker runs as a worker thread')
const searcher = new Searcher(workerData as SearcherStart, (message, transfer = []) =>
  port.postMessage(message, transfer),
)
port.on('message', (message: ToSearcher) => {
  searcher.receive(message)
  if (message.type === 'stop') port.close()
})
port.postMessage({ type: 'ready' } satisfies FromThread)
