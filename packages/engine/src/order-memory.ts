import { LRUCache } from 'lru-cache'
import { AGE_RESOLUTION_MS, type CacheCounts, MAX_AGE_MS } from './cache-counts.js'
import type { RankWindow, RankZone, RankZones } from './rank-window.js'
import type { RankedRows } from './ranked-rows.js'
import type { KeptResult } from './result-cache.js'
import { type HitSort, orderOf } from './sort-order.js'

/** Orders that are kept, and bytes that they take, in each searcher: the hits of a query among ten million entries are 1.3 MB as bits. */
const MOST_ORDERS = 8
const MOST_BYTES = 12 * 2 ** 20
/** Windows of an order: where somebody scrolls, and where he was. */
const MOST_WINDOWS = 4
const MOST_ZONES = 2
/** Bytes of an order and of a window beside keys and rows (a guess). */
const ORDER_BYTES = 1_000

/** What is known of the hits of a query in one order, as long as the index stays as it is. */
export class KeptOrder implements RankZones {
  /** Of each part the hits that were never opened, or all where opens do not count. */
  hits: readonly RankedRows[] | undefined
  /** Of each delta the hits in order. */
  deltas: readonly Uint32Array[] | undefined
  /** Of orders by relevance: what names are worth, by table. */
  readonly tiers = new Map<string, Uint8Array>()
  /** The last one first. */
  private windows: RankWindow[] = []
  /** The last one first. Places of these are without what was opened. */
  private zones: RankZone[] = []

  windowAt(place: number): RankWindow | undefined {
    return this.windows.find(({ start, length }) => place >= start && place < start + length)
  }

  keep(window: RankWindow): void {
    this.windows = [window, ...this.windows].slice(0, MOST_WINDOWS)
  }

  /** The smallest one there. */
  zoneAt(place: number): RankZone | undefined {
    const found = this.zones.filter(({ start, length }) => place >= start && place < start + length)
    return found.reduce<RankZone | undefined>(
      (least, zone) => (least && least.length < zone.length ? least : zone),
      undefined,
    )
  }

  keepZone(zone: RankZone): void {
    this.zones = [zone, ...this.zones].slice(0, MOST_ZONES)
  }

  get bytes(): number {
    let bytes = ORDER_BYTES
    for (const { bytes: own } of this.hits ?? []) bytes += own
    for (const { byteLength } of this.deltas ?? []) bytes += byteLength
    for (const { byteLength } of this.tiers.values()) bytes += byteLength
    for (const { rows } of this.zones) for (const part of rows) bytes += 'bytes' in part ? part.bytes : part.byteLength
    for (const { lists } of this.windows) for (const list of lists.flat()) bytes += list.bytes
    return bytes
  }
}

/** Orders that were entered in the middle: the next page near by needs no count of what is before it. */
export class OrderMemory {
  private readonly orders: LRUCache<string, { readonly order: KeptOrder }>
  private hits = 0
  private misses = 0

  /** @param nowMs of a clock that only goes forward */
  constructor(nowMs: () => number) {
    this.orders = new LRUCache({
      max: MOST_ORDERS,
      maxSize: MOST_BYTES,
      sizeCalculation: ({ order }) => order.bytes,
      ttl: MAX_AGE_MS,
      ttlResolution: AGE_RESOLUTION_MS,
      perf: { now: nowMs },
    })
  }

  /** What is kept of an order of the hits of a predicate, to be used and filled by one search. */
  of({ key }: KeptResult, sort: HitSort): KeptOrder {
    const known = this.orders.get(keyOf(key, sort))
    if (known !== undefined) this.hits++
    else this.misses++
    return known?.order ?? new KeptOrder()
  }

  /** The search is over. Orders that are too large are not kept. */
  keep({ key }: KeptResult, sort: HitSort, order: KeptOrder): void {
    this.orders.set(keyOf(key, sort), { order }, { noUpdateTTL: true })
  }

  /** Something changed in the index. */
  clear(): void {
    this.orders.clear()
  }

  expire(): void {
    this.orders.purgeStale()
  }

  get counts(): CacheCounts {
    const { hits, misses, orders } = this
    return { hits, misses, entries: orders.size, bytes: orders.calculatedSize }
  }
}

function keyOf(predicate: string, sort: HitSort): string {
  return `${orderOf(sort)} ${predicate}`
}
