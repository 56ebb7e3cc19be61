import { parentPort, workerData } from 'node:worker_threads'
import { type CrewTask, Engine, KernelSegmentOpener, VerifyCrew } from '@hotpath/engine'
import { loadWasm } from '@hotpath/kernels'
import { CancelledError, HotpathError, isDamage } from '@hotpath/model'
import { releaseMemory } from '@hotpath/platform'
import { PageColumns, transferablesOf } from './hit-columns.js'
import { MemoryRelief } from './memory-relief.js'
import type { FromWorker, ToWorker, WorkerAnswer, WorkerQuery, WorkerStart } from './worker-messages.js'

/** A query worker: one replica of the index and one search at a time. The thread that ingests never searches. */
const port = parentPort
if (port === null) throw new Error('query-worker runs as a worker thread')
const start = workerData as WorkerStart
const cancelled = new Int32Array(start.cancelled)

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer)
}

const engine = new Engine(
  new KernelSegmentOpener(loadWasm(), new VerifyCrew(start.peers)),
  segment => post({ type: 'dropped', segment }),
  (view, segment, error) => post({ type: 'missing', view, segment, isDamaged: isDamage(error), error }),
  start.scoring,
)

for (const peer of start.peers) {
  peer.on('message', (task: CrewTask) => help(task))
  // The worker ends when its own port is closed.
  peer.unref()
}

/** Longest stretch of background work between two messages: a search that comes meanwhile waits no longer. */
const SETTLE_MS = 2
const relief = new MemoryRelief(releaseMemory)
let settling: NodeJS.Immediate | undefined

/** Does what can wait, a stretch at a time. */
function settle(): void {
  settling = engine.settle(SETTLE_MS) ? undefined : setImmediate(settle)
}

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'ops':
      engine.apply(message.ops)
      settling ??= setImmediate(settle)
      break
    case 'search': {
      const answer = search(message.id, message.query)
      post({ type: 'result', id: message.id, answer }, answer.kind === 'page' ? transferablesOf(answer.rows) : [])
      relief.searched()
      settling ??= setImmediate(settle)
      break
    }
    case 'stop':
      clearImmediate(settling)
      relief.stop()
      engine.close()
      port?.close()
      break
  }
})
post({ type: 'ready' })

function help(task: CrewTask): void {
  try {
    engine.help(task)
  } catch (error) {
    // What is damaged is met and reported by the thread that asked.
    if (!(error instanceof HotpathError)) throw error
  }
}

function search(id: number, query: WorkerQuery): WorkerAnswer {
  const { sort, text, limit, offset, match, caseMode, under, nowMs, countOnly, fuzzy, explain } = query
  const startedMs = performance.now()
  const columns = new PageColumns()
  try {
    const result = engine.search({
      text,
      limit,
      offset,
      sort,
      match,
      caseMode,
      under,
      nowMs,
      countOnly,
      fuzzy,
      explain,
      collector: columns,
      checkCancelled: () => {
        if (Atomics.load(cancelled, start.index) === id) throw new CancelledError()
        if (Date.now() > query.deadlineMs) throw new CancelledError('the deadline passed')
      },
    })
    if ('kind' in result) {
      return { kind: 'syntax', message: result.message, position: result.position, expected: result.expected }
    }
    const tookMs = performance.now() - startedMs
    return {
      kind: 'page',
      total: result.total,
      fuzzyTotal: result.fuzzyTotal ?? Number.NaN,
      rows: columns.take(),
      partial: result.partial,
      tookMs,
      explain: result.explanation ? JSON.stringify({ ...result.explanation, pageMs: result.pageMs }, readable) : '',
    }
  } catch (error) {
    if (!(error instanceof HotpathError)) throw error
    return { kind: 'failed', code: error.code, message: error.message }
  }
}

/** Byte needles as text in the explanation. */
function readable(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value === Infinity ? 'unbounded' : value
}
