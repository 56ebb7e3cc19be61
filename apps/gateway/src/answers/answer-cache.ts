import { randomInt } from 'node:crypto'
import { clockCovers, type Event, type Fresh } from '@hotpath/protocol'
import { LRUCache } from 'lru-cache'

export interface AnswerCacheLimits {
  readonly maxAnswers: number
  /** Of keys and encoded answers together. */
  readonly maxBytes: number
  /** A larger answer is not kept: it would drive out many that are asked for more often. */
  readonly maxAnswerBytes: number
  readonly maxAgeMs: number
}

/** A page of a hundred rows is 13 KB, so that as a rule the number counts. */
export const ANSWER_CACHE_LIMITS: AnswerCacheLimits = {
  maxAnswers: 1_000,
  maxBytes: 16 * 1024 * 1024,
  maxAnswerBytes: 1024 * 1024,
  maxAgeMs: 5 * 60_000,
}

/** What the cache itself takes for one answer: objects, list and map (estimated). */
const OVERHEAD_BYTES = 256
/** Ages need not be more exact than this: the clock is read once meanwhile. */
const AGE_RESOLUTION_MS = 1_000

/** An encoded SearchReply that says of itself that it was kept. */
export interface KeptAnswer {
  /** Never given to another answer, also not by a gateway before or after this one. */
  readonly number: number
  readonly bytes: Uint8Array
  /** The same without its rows, for whoever has them. */
  readonly unchanged: Uint8Array
  /** State of the index that it was computed of. */
  readonly clock: string
}

export interface AnswerCacheStats {
  readonly answers: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
  /** Found too old: for the clock that was asked for, or in minutes. They count as misses, too. */
  readonly stale: number
  /** Given up for others. */
  readonly evicted: number
  /** Times that all were given up because they may have been out of date. */
  readonly emptied: number
  /** Searches whose asker wanted no kept answer. */
  readonly bypassed: number
}

/**
 * Answers by what was asked, kept for as long as nothing says that another answer would be given now.
 *
 * Always holds: an answer is kept only if the events of the store that computed it are heard without a gap, and none of them said
 * between the question and now that answers are out of date. An answer that was computed before a change and comes after the word of
 * it carries an older epoch, and is not kept.
 */
export class AnswerCache {
  readonly #kept: LRUCache<string, KeptAnswer>
  /** Rises whenever answers that are on their way may be out of date. */
  #epoch = 0
  /** Instance of the store that answers now. */
  #store: string | undefined
  /** Instance of the store whose events are heard. */
  #publisher: string | undefined
  /** How fresh each root was when it last said so. */
  readonly #fresh = new Map<string, string>()
  /** Numbers of two processes meet by chance only: once in 2^32 restarts within the same million answers. */
  #number = randomInt(2 ** 32) * 2 ** 20
  readonly #counts = { hits: 0, misses: 0, stale: 0, evicted: 0, emptied: 0, bypassed: 0 }

  constructor(
    readonly limits: AnswerCacheLimits = ANSWER_CACHE_LIMITS,
    now: () => number = () => performance.now(),
  ) {
    this.#kept = new LRUCache({
      max: limits.maxAnswers,
      maxSize: limits.maxBytes,
      maxEntrySize: limits.maxAnswerBytes,
      sizeCalculation: ({ bytes, unchanged }, key) =>
        bytes.byteLength + unchanged.byteLength + key.length + OVERHEAD_BYTES,
      ttl: limits.maxAgeMs,
      ttlResolution: AGE_RESOLUTION_MS,
      perf: { now },
      dispose: (_answer, _key, reason) => {
        if (reason === 'evict') this.#counts.evicted++
        else if (reason === 'expire') this.#counts.stale++
      },
    })
  }

  /** The answer kept under `key`, unless it lacks something that `minClock` (if not empty) stands for. Counts nothing. */
  find(key: string, minClock: string): KeptAnswer | undefined {
    const answer = this.#kept.get(key)
    if (answer === undefined || minClock === '' || clockCovers(answer.clock, minClock)) return answer
    this.#counts.stale++
    return undefined
  }

  /** Searches that were answered from here, that were not, and that did not want to be. */
  count(hits: number, misses: number, bypassed = 0): void {
    this.#counts.hits += hits
    this.#counts.misses += misses
    this.#counts.bypassed += bypassed
  }

  /** To be called before the store is asked: what `keep` wants. Undefined while nothing may be kept. */
  begin(): number | undefined {
    return this.#store !== undefined && this.#store === this.#publisher ? this.#epoch : undefined
  }

  /** Keeps an answer to a question that was asked when `begin` gave `begun`, unless it may be out of date by now. */
  keep(key: string, begun: number | undefined, answer: KeptAnswer): void {
    if (begun !== undefined && begun === this.begin()) this.#kept.set(key, answer)
  }

  /** For an answer that is to be kept. */
  nextNumber(): number {
    return ++this.#number
  }

  /** A session with the store begins. */
  connected(store: string): void {
    this.gap()
    this.#store = store
  }

  /** The session with the store ended: what its index does now nobody tells. */
  disconnected(): void {
    this.gap()
    this.#store = undefined
    this.#publisher = undefined
  }

  /** Events of this publisher arrive from now on, or show as a gap. */
  heard(publisher: string): void {
    this.#publisher = publisher
  }

  /** An event of the store. */
  receive({ detail }: Event): void {
    switch (detail.kind) {
      case 'outdated':
      case 'generation':
      case 'freshInstance':
      case 'shutdown':
        this.#empty()
        break
      case 'fresh': {
        const { root, fresh } = detail.fresh
        const state = stateOf(fresh)
        if (this.#fresh.get(root) === state) break
        this.#fresh.set(root, state)
        this.#empty()
        break
      }
      // `changes` come later than the `outdated` that they brought about.
    }
  }

  /** Events were missed. */
  gap(): void {
    this.#fresh.clear()
    this.#empty()
  }

  stats(): AnswerCacheStats {
    return { answers: this.#kept.size, bytes: this.#kept.calculatedSize, ...this.#counts }
  }

  /** Whatever was kept or is on its way may be out of date. */
  #empty(): void {
    this.#epoch++
    if (this.#kept.size === 0) return
    this.#kept.clear()
    this.#counts.emptied++
  }
}

/** What answers say of freshness; of a lag only that there is one, because such answers are not kept. */
function stateOf({ state, lagMs, dirty, dirtySubtrees }: Fresh): string {
  return JSON.stringify([state, lagMs > 0, dirty, dirtySubtrees.map(path => Buffer.from(path).toString('latin1'))])
}
