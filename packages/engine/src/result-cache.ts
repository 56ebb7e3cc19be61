import type { Table } from '@hotpath/index-format'
import type { Predicate } from '@hotpath/query'
import { LRUCache } from 'lru-cache'
import { AGE_RESOLUTION_MS, type CacheCounts, MAX_AGE_MS } from './cache-counts.js'
import { isNarrower } from './narrowing.js'
import { predicateKey } from './predicate-key.js'
import type { SegmentState } from './segment-state.js'

/** Queries whose results are kept, and bytes that they take, in each searcher. */
const MOST_QUERIES = 1_000
const MOST_BYTES = 4 * 2 ** 20
/** Rows of the longest page that is kept. */
export const MOST_KEPT_ROWS = 1_000
/** Results of the last queries, among which those of a query are looked for that was typed on. */
const RECENT_RESULTS = 16
/** Rows of a complete result up to which each is looked at instead of asking the index: 2 µs each. */
const MOST_NARROWED_ROWS = 512
/** Bytes of a query, of a table of a segment in it, and of a page, beside keys and rows: what objects take, measured as heap. */
const QUERY_BYTES = 1_000
const TABLE_BYTES = 450
const PAGE_BYTES = 150

/** First rows of an order. */
export interface KeptPage {
  readonly rows: Uint32Array
  /** There are no others. */
  readonly isAll: boolean
}

/** An exact total, as of when so many rows of the table were dead. */
export interface KeptTotal {
  readonly count: number
  readonly deadRows: number
}

/**
 * What is known of the hits of one predicate in one table of one segment. A segment never changes, so that stays true but
 * for rows that died since, which the reader subtracts, and for places of directories: when these change it is forgotten.
 */
export class KeptTable {
  private pages = new Map<string, KeptPage>()
  private total: KeptTotal | undefined
  private placesVersion = 0

  constructor(
    private readonly owner: KeptResult,
    private readonly segment: SegmentState,
  ) {
    this.placesVersion = segment.displacedVersion
  }

  /** Hits by name, too, depend on paths where names are equal. */
  page(order: string): KeptPage | undefined {
    this.checkPlaces()
    const page = this.pages.get(order)
    this.owner.looked(page !== undefined)
    return page
  }

  keepPage(order: string, page: KeptPage): void {
    this.checkPlaces()
    if (page.rows.length > MOST_KEPT_ROWS) return
    this.pages.set(order, page)
    this.owner.changed()
  }

  knownTotal(): KeptTotal | undefined {
    this.checkPlaces()
    this.owner.looked(this.total !== undefined)
    return this.total
  }

  /** All hits as of some time, where they are few. Some may be dead. */
  get few(): Uint32Array | undefined {
    this.checkPlaces()
    for (const { rows, isAll } of this.pages.values()) if (isAll && rows.length <= MOST_NARROWED_ROWS) return rows
    return undefined
  }

  keepTotal(total: KeptTotal): void {
    this.checkPlaces()
    this.total = total
    this.owner.changed()
  }

  get bytes(): number {
    let bytes = TABLE_BYTES
    for (const { rows } of this.pages.values()) bytes += PAGE_BYTES + rows.byteLength
    return bytes
  }

  private checkPlaces(): void {
    const { displacedVersion } = this.segment
    if (this.placesVersion === displacedVersion) return
    this.placesVersion = displacedVersion
    this.pages.clear()
    if (this.owner.asksForPlaces) this.total = undefined
  }
}

/** What is kept of one predicate. */
export class KeptResult {
  private readonly tables = new Map<SegmentState, Partial<Record<Table, KeptTable>>>()
  isChanged = false
  /** While a search fills this: of a predicate that finds all that this one finds. */
  wider: KeptResult | undefined

  constructor(
    readonly predicate: Predicate,
    readonly key: string,
    readonly asksForPlaces: boolean,
    /** A page or a total of a table was asked for. */
    readonly looked: (isKnown: boolean) => void,
  ) {}

  table(segment: SegmentState, table: Table): KeptTable {
    let tables = this.tables.get(segment)
    if (tables === undefined) {
      tables = {}
      this.tables.set(segment, tables)
    }
    tables[table] ??= new KeptTable(this, segment)
    return tables[table]
  }

  /** Rows among which are all hits of a table, where these are few and known. */
  among(segment: SegmentState, table: Table): Uint32Array | undefined {
    return this.wider?.tables.get(segment)?.[table]?.few
  }

  changed(): void {
    this.isChanged = true
  }

  /** @returns true if there was something of the segment */
  drop(segment: SegmentState): boolean {
    return this.tables.delete(segment)
  }

  get bytes(): number {
    let bytes = QUERY_BYTES + 2 * this.key.length
    for (const { d, f } of this.tables.values()) bytes += (d?.bytes ?? 0) + (f?.bytes ?? 0)
    return bytes
  }
}

/**
 * Results of queries, segment by segment. Deltas and tombstones are evaluated at each search, so no change empties the
 * cache, and an answer from it is as new as any other.
 */
export class ResultCache {
  /** Each in an object of its own: one that is set again is weighed again. */
  private readonly results: LRUCache<string, { readonly result: KeptResult }>
  /** The last one first. */
  private recent: KeptResult[] = []
  private hits = 0
  private misses = 0

  /** @param nowMs of a clock that only goes forward */
  constructor(nowMs: () => number) {
    this.results = new LRUCache({
      max: MOST_QUERIES,
      maxSize: MOST_BYTES,
      sizeCalculation: ({ result }) => result.bytes,
      ttl: MAX_AGE_MS,
      ttlResolution: AGE_RESOLUTION_MS,
      perf: { now: nowMs },
    })
  }

  /** What is kept of a predicate, to be used and filled by one search; undefined if nothing of it can be. */
  of(predicate: Predicate): KeptResult | undefined {
    const key = predicateKey(predicate)
    if (key === undefined) return undefined
    const known = this.results.get(key.text)
    if (known !== undefined) return known.result
    const result = new KeptResult(predicate, key.text, key.asksForPlaces, isKnown => {
      if (isKnown) this.hits++
      else this.misses++
    })
    result.wider = this.recent.find(recent => isNarrower(predicate, recent.predicate))
    return result
  }

  /** The search is over: what it found out is kept. What is as old as the rest of the result stays as old. */
  keep(result: KeptResult): void {
    result.wider = undefined
    if (this.recent[0] !== result) {
      this.recent = [result, ...this.recent.filter(recent => recent !== result)].slice(0, RECENT_RESULTS)
    }
    if (!result.isChanged) return
    result.isChanged = false
    this.results.set(result.key, { result }, { noUpdateTTL: true })
  }

  /** A segment is gone. */
  drop(segment: SegmentState): void {
    for (const [key, { result }] of [...this.results.entries()]) {
      if (result.drop(segment)) this.results.set(key, { result }, { noUpdateTTL: true })
    }
    for (const recent of this.recent) recent.drop(segment)
  }

  /** Forgets what is too old. */
  expire(): void {
    this.results.purgeStale()
    this.recent = this.recent.filter(({ key }) => this.results.has(key))
  }

  clear(): void {
    this.results.clear()
    this.recent = []
  }

  get counts(): CacheCounts {
    const { hits, misses, results } = this
    return { hits, misses, entries: results.size, bytes: results.calculatedSize }
  }
}
