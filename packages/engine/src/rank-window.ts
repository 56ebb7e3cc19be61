import type { KeptEntries } from './kept-entries.js'
import { nextAbove, nextBelow } from './next-number.js'
import type { OrderPart, PartRows } from './order-part.js'

/** From when on, and how, pages are found by counting. */
export interface WindowTuning {
  /** Pages behind so many hits: making the hits before them costs as much. */
  readonly from: number
  /** Rows that are sorted rather than narrowed down further. */
  readonly sortedRows: number
  /** Rows whose numbers say between which numbers a place is. */
  readonly sampledRows: number
}

/** Sorting takes 10 ms, sampling 1 ms. */
export const WINDOWS: WindowTuning = { from: 16_384, sortedRows: 16_384, sampledRows: 4_096 }

/** Standard deviations of what such a sample says that are looked at on either side. */
const DEVIATIONS = 3
/** An interval that leaves more than this share of the rows is held up by one number: it is looked at by itself. */
const NARROWED_SHARE = 0.25

/** Places [start, start + length) of an order, and what is there of each part, in lists that are to be merged. */
export interface RankWindow {
  readonly start: number
  readonly length: number
  readonly lists: readonly (readonly KeptEntries[])[]
}

/** The hits that have the same numbers up to a level: where an order was entered once, it is entered again from there. */
export interface RankZone {
  readonly start: number
  readonly length: number
  /** The first level that tells them apart. */
  readonly level: number
  readonly rows: readonly PartRows[]
}

/** Zones that are kept. */
export interface RankZones {
  zoneAt(place: number): RankZone | undefined
  keepZone(zone: RankZone): void
}

/** A share of the hits: smaller zones are found quickly in larger ones. */
const KEPT_SHARE = 1 / 32

/**
 * Finds a window of an order that holds a place, by counting: an interval of numbers that a sample says the place is in is
 * counted exactly, and what is inside is narrowed down in turn until it can be sorted, or all of it has the same number; then by
 * the next number, at last by name. Cost: one or two passes over all rows, then over a twentieth of them, and so on.
 * @param levels numbers that the order goes by
 * @param place less than there are hits
 * @param limit places from there on that should be in the window, too
 * @param zones what was found out before, and is to be kept
 */
export function windowAt(
  parts: readonly OrderPart[],
  levels: number,
  place: number,
  limit: number,
  zones: RankZones,
  { sortedRows, sampledRows }: WindowTuning,
): RankWindow {
  const zone = zones.zoneAt(place)
  let inside: readonly OrderPart[] = zone === undefined ? parts : parts.map((part, i) => part.withRows(zone.rows[i]))
  let start = zone?.start ?? 0
  let level = zone?.level ?? 0
  const least = countOf(parts) * KEPT_SHARE
  let isHeld = false
  const narrow = (low: number, high: number): boolean => {
    const found = splitAll(inside, level, low, high)
    const from = start + found.before
    if (place < from || place >= from + countOf(found.inside)) return false
    inside = found.inside
    start = from
    return true
  }
  /** Those beside an interval that the place is not in. */
  const beside = (low: number, high: number): void => {
    if (!narrow(Number.NEGATIVE_INFINITY, nextBelow(low))) narrow(nextAbove(high), Number.POSITIVE_INFINITY)
  }
  for (;;) {
    const length = countOf(inside)
    if (length <= Math.max(sortedRows, limit)) return { start, length, lists: inside.map(part => [part.sorted()]) }
    if (level === levels) return { start, length, lists: inside.map(part => [part.byName(false)]) }
    const values = sampled(inside, level, length / sampledRows)
    const share = (place - start) / length
    const at = Math.min(values.length - 1, Math.floor(share * values.length))
    const spread = Math.ceil(DEVIATIONS * Math.sqrt(share * (1 - share) * values.length)) + 1
    const low = values[at - spread] ?? Number.NEGATIVE_INFINITY
    const high = values[at + spread + Math.ceil((limit / length) * values.length)] ?? Number.POSITIVE_INFINITY
    if (isHeld || low === high) {
      const value = values[at]
      isHeld = false
      if (narrow(value, value)) {
        level++
        const zone = { start, length: countOf(inside), level, rows: inside.map(({ rows }) => rows) }
        if (zone.length > least) zones.keepZone(zone)
      } else beside(value, value)
    } else {
      if (!narrow(low, high)) beside(low, high)
      isHeld = countOf(inside) > length * NARROWED_SHARE
    }
  }
}

function countOf(parts: readonly OrderPart[]): number {
  return parts.reduce((sum, { count }) => sum + count, 0)
}

function splitAll(
  parts: readonly OrderPart[],
  level: number,
  low: number,
  high: number,
): { readonly before: number; readonly inside: readonly OrderPart[] } {
  const found = parts.map(part => part.split(level, low, high))
  return { before: found.reduce((sum, { before }) => sum + before, 0), inside: found.map(({ inside }) => inside) }
}

/** Numbers of evenly spaced rows, ascending. */
function sampled(parts: readonly OrderPart[], level: number, step: number): Float64Array {
  return Float64Array.from(parts.flatMap(part => part.sample(level, Math.ceil(part.count / step)))).sort()
}
