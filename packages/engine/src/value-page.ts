import type { Sort } from '@hotpath/query'
import { ColumnFilter, emptyFiles, firstAt, unknownRows } from './column-filters.js'
import { extensionRanks } from './extension-ranks.js'
import { HitFinder } from './hit-finder.js'
import { firstByName, walkByName } from './name-page.js'
import { compareByPath } from './path-order.js'
import { AndFilter, SetFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import type { TableRows } from './table-rows.js'
import { firstByValue } from './value-order.js'

/** Hits above a sixteenth of the rows are worth decoding whole chunks of sizes for. */
const DENSE_SHARE = 16
/** Rows; a multiple of the groups of the size column. */
const CHUNK_ROWS = 8192
/** Unknown values come first when descending; up to so many are sorted apart from the lists, which do not have them. */
const FEW_UNKNOWN = 4096

/** ns of a step to a row somewhere else: its name id and its bits come from memory, not from a cache. */
const SCATTERED_NS = 80

/** A column as an order sees it. */
interface Column {
  readonly name: 'size' | Exclude<Sort['column'], 'name' | 'path' | 'size' | 'ext'>
  /** NaN where unknown. */
  readonly value: (row: number) => number
  readonly minor?: (row: number) => number
  /** Rows with the first values of the order. */
  readonly extremes?: Uint32Array
}

/** The first `limit` hits by a column: known values, then unknown ones; equal ones by name and path. */
export function firstByColumn(finder: HitFinder, sort: Sort, limit: number): number[] {
  const { table } = finder
  const { reader } = table
  switch (sort.column) {
    case 'size':
    case 'ext':
      // All directories have the same size, and no extension.
      if (table.table === 'd') return firstByName(finder, false, limit)
      if (sort.column === 'ext') return firstByExtension(finder, sort.descending, limit)
      {
        const { sizes } = reader
        if (sizes === undefined) return firstByName(finder, false, limit)
        const extremes = sort.descending ? reader.largest() : reader.smallest()
        const column: Column = { name: 'size', value: row => sizes.at(row), extremes }
        const empty = sort.descending ? undefined : firstEmpty(finder, limit)
        return empty ?? first(finder, column, sort.descending, limit)
      }
    case 'name':
    case 'path':
      throw new RangeError(`${sort.column} is no column`)
    default: {
      const times = reader.timeColumn(table.table, sort.column)
      if (times === undefined) return firstByName(finder, false, limit)
      const extremes =
        sort.column !== 'modified'
          ? undefined
          : sort.descending
            ? reader.newest(table.table)
            : reader.oldest(table.table)
      const column = {
        name: sort.column,
        value: (row: number): number => times.secondsAt(row),
        minor: times.wholeSeconds ? undefined : (row: number): number => times.ticksAt(row),
        extremes,
      }
      return first(finder, column, sort.descending, limit)
    }
  }
}

function first(finder: HitFinder, column: Column, descending: boolean, limit: number): number[] {
  return fromExtremes(finder, column, descending, limit) ?? fromAll(finder, column, descending, limit)
}

/**
 * The first `limit` empty files, which come before all others when sizes ascend. They are often too many to be listed.
 * Undefined if there are fewer, or too few to meet them soon in the order of names.
 */
function firstEmpty(finder: HitFinder, limit: number): number[] | undefined {
  const { table, filter } = finder
  const empty = emptyFiles(table)
  if (empty.count < limit) return undefined
  const both = new AndFilter(table.rowCount, [...filter.conjuncts, new SetFilter(empty)], table.work.checkCancelled)
  const among = new HitFinder(table, both)
  const rows = walkByName(among, false, limit)
  return rows !== undefined && rows.length === limit ? rows : undefined
}

/**
 * Through the list of the rows with the first values, testing each row, before all hits are known. Undefined if that
 * does not promise to be cheaper, or was broken off, or the list ended before there were enough hits.
 */
function fromExtremes(finder: HitFinder, column: Column, descending: boolean, limit: number): number[] | undefined {
  const { table } = finder
  const { extremes, value, minor } = column
  if (extremes === undefined || limit === 0) return undefined
  const unknown = unknownRows(table, column.name)
  if (descending && unknown.count > FEW_UNKNOWN) return undefined
  const complete = extremes.length + unknown.count >= table.rowCount
  if (!complete && (limit / Math.max(1, finder.estimate)) * table.rowCount > extremes.length * 2) return undefined
  const start = startOf(finder, column, extremes, descending)
  const budget = start < extremes.length ? finder.budgetFor(limit, SCATTERED_NS) : undefined
  if (budget === undefined) return undefined
  const byName = nameOrder(table)
  const rows: number[] = []
  if (descending && unknown.count > 0) {
    rows.push(
      ...sortedGroup(
        unknown.filter(row => finder.isHit(row)),
        limit,
      ),
    )
  }
  let group: number[] = []
  let groupValue = Number.NaN
  let groupMinor = 0
  const flush = (): void => {
    if (group.length === 1) rows.push(group[0])
    else if (group.length > 1) {
      const order = { limit: limit - rows.length, value: (row: number) => table.nameIdOf(row), tie: byName }
      for (const row of firstByValue(table, RowSet.ofList(table.rowCount, Uint32Array.from(group).sort()), order))
        rows.push(row)
    }
    group = []
  }
  for (let i = start; i < extremes.length; i++) {
    if (!budget.step()) return undefined
    const row = extremes[i]
    const full = rows.length + group.length >= limit
    if (!full && !finder.isHit(row)) continue
    const same = value(row) === groupValue && (minor?.(row) ?? 0) === groupMinor
    if (full && !same) {
      flush()
      return rows
    }
    if (full && !finder.isHit(row)) continue
    if (!same) {
      flush()
      groupValue = value(row)
      groupMinor = minor?.(row) ?? 0
    }
    group.push(row)
  }
  flush()
  // Whatever is not in the list is strictly beyond it.
  if (rows.length < limit && !complete) return undefined
  return rows

  function sortedGroup(set: RowSet, most: number): number[] {
    return firstByValue(table, set, { limit: most, value: row => table.nameIdOf(row), tie: byName })
  }
}

/** Position in the list before which no row can pass, since the filter asks for an interval of the same column. */
function startOf(finder: HitFinder, column: Column, extremes: Uint32Array, descending: boolean): number {
  let low = Number.NEGATIVE_INFINITY
  let high = Number.POSITIVE_INFINITY
  for (const part of finder.filter.conjuncts) {
    if (!(part instanceof ColumnFilter) || part.interval.column !== column.name) continue
    low = Math.max(low, part.interval.low)
    high = Math.min(high, part.interval.high)
  }
  return firstAt(extremes, row => (descending ? column.value(row) <= high : column.value(row) >= low))
}

/** From all hits. */
function fromAll(finder: HitFinder, column: Column, descending: boolean, limit: number): number[] {
  const { table } = finder
  const hits = finder.all()
  const value = column.name === 'size' ? sizeReader(table, hits) : column.value
  const sign = descending ? -1 : 1
  const { minor } = column
  return firstByValue(table, hits, {
    limit,
    value: row => {
      const raw = value(row)
      // Unknown comes after all others when ascending; negated, before them when descending.
      return sign * (Number.isNaN(raw) ? Number.POSITIVE_INFINITY : raw)
    },
    minor: minor && (row => (Number.isNaN(value(row)) ? 0 : sign * minor(row))),
    tie: nameOrder(table),
  })
}

function firstByExtension(finder: HitFinder, descending: boolean, limit: number): number[] {
  const { table } = finder
  const hits = finder.all()
  const rank = extensionRanks(table, hits)
  const sign = descending ? -1 : 1
  return firstByValue(table, hits, { limit, value: row => sign * rank(row), tie: nameOrder(table) })
}

/** By name, then by path. */
function nameOrder(table: TableRows): (a: number, b: number) => number {
  return (a, b) => table.nameIdOf(a) - table.nameIdOf(b) || compareByPath(table, a, b)
}

/** Sizes by row, decoded a chunk at a time when most rows are asked for in ascending order. */
function sizeReader(table: TableRows, hits: RowSet): (row: number) => number {
  const { sizes } = table.reader
  if (sizes === undefined) return () => Number.NaN
  if (hits.count * DENSE_SHARE < sizes.count) return row => sizes.at(row)
  const chunk = new Float64Array(CHUNK_ROWS)
  let start = -1
  return row => {
    if (start < 0 || row < start || row >= start + CHUNK_ROWS) {
      start = row - (row % CHUNK_ROWS)
      sizes.read(start, Math.min(sizes.count, start + CHUNK_ROWS), chunk)
    }
    return chunk[row - start]
  }
}
