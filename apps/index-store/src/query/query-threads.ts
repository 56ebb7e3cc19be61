import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { FromSearcher, SearcherStart } from './searcher-messages.js'

export interface QueryThreadsOptions {
  readonly threads: number
  /** What a query worker runs: compiled code (default: the module beside this one). */
  readonly script?: URL
  /** @param peers ends of channels to all others, which go to the thread */
  startOf(index: number, peers: MessagePort[]): SearcherStart
  onMessage(index: number, message: FromSearcher): void
  /** A thread ended, by itself or because it was told to; with the error that it did not handle, if there was one. */
  onEnd(error?: unknown): void
}

/** What a query worker tells: once that it has loaded what it runs, and what its searcher tells. */
export type FromThread = { readonly type: 'ready' } | FromSearcher

/** Megabytes of young generation of a worker: pages are garbage at once, and a larger nursery is only more memory. */
const YOUNG_GENERATION_MB = 4

/** Starts the query workers. Resolves when all of them have loaded what they run. */
export function startQueryThreads(options: QueryThreadsOptions): Promise<Worker[]> {
  return Promise.all(connectAll(options.threads).map((peers, index) => startThread(index, peers, options)))
}

function startThread(index: number, peers: MessagePort[], options: QueryThreadsOptions): Promise<Worker> {
  const { script = new URL('./query-worker.js', import.meta.url), startOf, onMessage, onEnd } = options
  const worker = new Worker(script, {
    workerData: startOf(index, peers),
    transferList: peers,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  })
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'ready') resolve(worker)
      else onMessage(index, message)
    })
    worker.on('error', error => {
      reject(error)
      onEnd(error)
    })
    worker.on('exit', () => onEnd())
  })
}

/** A channel between any two of some threads: the ends that each of them has. */
function connectAll(threads: number): MessagePort[][] {
  const ends = Array.from({ length: threads }, (): MessagePort[] => [])
  for (let a = 0; a < threads; a++) {
    for (let b = a + 1; b < threads; b++) {
      const { port1, port2 } = new MessageChannel()
      ends[a].push(port1)
      ends[b].push(port2)
    }
  }
  return ends
}
