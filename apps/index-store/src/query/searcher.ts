import { type CrewTask, Engine, KernelSegmentOpener, VerifyCrew } from '@hotpath/engine'
import { loadWasm } from '@hotpath/kernels'
import { CancelledError, HotpathError, isDamage } from '@hotpath/model'
import { MemoryRelief, releaseMemoryKeepingCode } from '@hotpath/platform'
import { CacheAge } from './cache-age.js'
import { PageColumns, transferablesOf } from './hit-columns.js'
import type {
  FromSearcher,
  Measured,
  Measurement,
  SearchAnswer,
  SearcherQuery,
  SearcherStart,
  ToSearcher,
} from './searcher-messages.js'

/** Longest stretch of background work between two messages: a search that comes meanwhile waits no longer. */
const SETTLE_MS = 2
/** Longest step of statistics: a search that comes meanwhile waits no longer, but for the first touch of a part of a file. */
const MEASURE_MS = 6
/** Least time between two messages about caches: a figure is not worth a message for each search. */
const TELL_CACHES_MS = 250

/** One replica of the index and one search at a time, in whatever thread it is. */
export class Searcher {
  private readonly engine: Engine
  private readonly cancelled: Int32Array
  private readonly columns = new PageColumns()
  private readonly relief = new MemoryRelief(releaseMemoryKeepingCode)
  private readonly caches = new CacheAge(() => this.expire())
  /** When caches were told of last. */
  private toldMs = Number.NEGATIVE_INFINITY
  private readonly measurements: { readonly id: number; readonly ask: Measurement }[] = []
  private measuring: NodeJS.Immediate | undefined
  private settling: NodeJS.Immediate | undefined
  /** Whether rows that were opened are looked for. */
  private isRanking = false

  /** @param post tells the pool; buffers to transfer are not used afterwards */
  constructor(
    private readonly start: SearcherStart,
    private readonly post: (message: FromSearcher, transfer?: ArrayBuffer[]) => void,
  ) {
    this.cancelled = new Int32Array(start.cancelled)
    this.engine = new Engine(
      new KernelSegmentOpener(loadWasm(), new VerifyCrew(start.peers)),
      segment => this.post({ type: 'dropped', segment }),
      (view, segment, error) => this.post({ type: 'missing', view, segment, isDamaged: isDamage(error), error }),
      start.scoring,
    )
    for (const peer of start.peers) {
      peer.on('message', (task: CrewTask) => this.help(task))
      // The thread ends when its own port is closed.
      peer.unref()
    }
  }

  /** Messages are handled in order: a search sees all operations before it. */
  receive(message: ToSearcher): void {
    switch (message.type) {
      case 'ops':
        this.engine.apply(message.ops)
        this.isRanking ||= message.ops.some(({ op }) => op === 'hot' || op === 'addSegment')
        this.settleLater()
        break
      case 'search': {
        const answer = this.search(message.id, message.query)
        this.post(
          { type: 'result', id: message.id, answer },
          answer.kind === 'page' ? transferablesOf(answer.rows) : [],
        )
        this.relief.searched()
        this.caches.searched()
        this.tellCaches()
        this.settleLater()
        break
      }
      case 'measure':
        this.measurements.push(message)
        this.measureLater()
        break
      case 'stop':
        clearImmediate(this.measuring)
        clearImmediate(this.settling)
        this.relief.stop()
        this.caches.stop()
        this.engine.close()
        break
    }
  }

  /** Searches and operations that come meanwhile are dealt with between the steps. */
  private measureLater(): void {
    const step = (): void => {
      this.measuring = undefined
      // What is answered is so now: operations would make it something else.
      if (this.engine.gatherStatistics(performance.now() + MEASURE_MS)) {
        for (const { id, ask } of this.measurements.splice(0))
          this.post({ type: 'measured', id, result: this.measured(ask) })
        this.caches.searched()
        this.relief.searched()
      } else this.measuring = setImmediate(step)
    }
    this.measuring ??= setImmediate(step)
  }

  private measured(ask: Measurement): Measured[keyof Measured] {
    return ask.kind === 'types' ? this.engine.typeSums() : this.engine.folderSizes(ask.path, ask.limit)
  }

  /** @returns true if the caches hold anything that is younger */
  private expire(): boolean {
    const isLeft = this.engine.expire()
    this.toldMs = Number.NEGATIVE_INFINITY
    this.tellCaches()
    // What was let go is given back to the system.
    this.relief.searched()
    return isLeft
  }

  private tellCaches(): void {
    const nowMs = performance.now()
    if (nowMs - this.toldMs < TELL_CACHES_MS) return
    this.toldMs = nowMs
    this.post({ type: 'caches', counts: this.engine.cacheCounts() })
  }

  /** Does what can wait, a stretch at a time. */
  private settleLater(): void {
    const settle = (): void => {
      const isDone = this.engine.settle(SETTLE_MS)
      this.settling = isDone ? undefined : setImmediate(settle)
      if (!isDone || !this.isRanking) return
      this.isRanking = false
      this.post({ type: 'settled' })
    }
    this.settling ??= setImmediate(settle)
  }

  private help(task: CrewTask): void {
    try {
      this.engine.help(task)
    } catch (error) {
      // What is damaged is met and reported by the thread that asked.
      if (!(error instanceof HotpathError)) throw error
    }
  }

  private search(id: number, query: SearcherQuery): SearchAnswer {
    const { sort, text, limit, offset, match, caseMode, under, nowMs, countOnly, fuzzy, noCache, explain, viewer } =
      query
    const startedMs = performance.now()
    const { columns } = this
    try {
      const result = this.engine.search({
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
        noCache,
        explain,
        viewer,
        collector: columns,
        checkCancelled: () => {
          if (Atomics.load(this.cancelled, this.start.index) === id) throw new CancelledError()
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
    } finally {
      columns.release()
    }
  }
}

/** Byte needles as text in the explanation. */
function readable(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value === Infinity ? 'unbounded' : value
}
