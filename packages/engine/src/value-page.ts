import { PAGE_SIZE } from '@hotpath/index-format'
import { Bitset } from './bitset.js'
import { type Candidate, expectNamesOfTied, firstCandidates } from './candidates.js'
import {
  ColumnFilter,
  emptyFiles,
  namesOfEmptyFiles,
  SIZE_FILTER_NS,
  sizeFilter,
  TIME_FILTER_NS,
  timeFilter,
  unknownRows,
} from './column-filters.js'
import { firstByExtension } from './extension-page.js'
import { firstAt } from './first-at.js'
import { HitFinder, type WalkBudget } from './hit-finder.js'
import { LIST_CHUNK, type ListedRows } from './listed-rows.js'
import { firstByName, firstNamed, walkSomeNames } from './name-page.js'
import type { NamesFilter } from './names-filter.js'
import { AndFilter, type RowFilter, SetFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import type { ValueSort } from './sort-order.js'
import type { TableRows } from './table-rows.js'
import { firstByValue, nameOrder, type ValueOrder } from './value-order.js'

/** Hits above a sixteenth of the rows are worth decoding whole chunks of sizes for. */
const DENSE_SHARE = 16
/** Rows; a multiple of the groups of the size column. */
const CHUNK_ROWS = 8192
/** Unknown values come first when descending; up to so many are sorted apart from the lists, which do not have them. */
const FEW_UNKNOWN = 4096

/** ns of a step to a row somewhere else: its name id and its bits come from memory, not from a cache. */
const SCATTERED_NS = 80
/** The same where the name ids of a list are kept and decide most rows. */
const LISTED_NS = 5
/** ns to see whether a hit is among the listed rows. */
const MEMBER_NS = 10
/** Hits whose values are read without asking whether they are listed. */
const FEW_HITS = 1024

/** Pages that a window is made for, of those times as many hits it is worth it, and how often a wider one is tried. */
const WINDOW_PAGES = 4
const WINDOW_TRIES = 2
/** Rows whose values say how wide a window must be: 0.3 ms. */
const SAMPLED_VALUES = 4_096

/** Hits whose columns are read ahead while a segment is cold. */
export const EXPECTED_HITS = 4_096

/** Listed rows that are asked for at once where they may have the same value as the last one of a page. */
const TIED_ROWS = 64

/** A column as an order sees it. */
interface Column {
  readonly name: Exclude<ValueSort['column'], 'name' | 'path' | 'ext'>
  /** NaN where unknown. */
  readonly value: (row: number) => number
  readonly minor?: (row: number) => number
  /** Rows with the first values of the order: read when it is first asked for. */
  readonly extremes: Uint32Array | undefined
}

/** The first `limit` hits by a column: known values, then unknown ones; equal ones by name and path. */
export function firstByColumn(finder: HitFinder, sort: ValueSort, limit: number): number[] {
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
        const column: Column = {
          name: 'size',
          value: row => sizes.at(row),
          get extremes() {
            return sort.descending ? reader.largest() : reader.smallest()
          },
        }
        return first(finder, column, sort.descending, limit)
      }
    case 'name':
    case 'path':
      throw new RangeError(`${sort.column} is no column`)
    default: {
      const times = reader.timeColumn(table.table, sort.column)
      if (times === undefined) return firstByName(finder, false, limit)
      const column: Column = {
        name: sort.column,
        value: (row: number): number => times.secondsAt(row),
        minor: times.wholeSeconds ? undefined : (row: number): number => times.ticksAt(row),
        get extremes() {
          if (sort.column !== 'modified') return undefined
          return sort.descending ? reader.newest(table.table) : reader.oldest(table.table)
        },
      }
      return first(finder, column, sort.descending, limit)
    }
  }
}

function first(finder: HitFinder, column: Column, descending: boolean, limit: number): number[] {
  return (
    fromExtremes(finder, column, descending, limit) ??
    fromWindow(finder, column, descending, limit) ??
    fromAll(finder, column, descending, limit)
  )
}

/**
 * Through the list of the rows with the first values, testing each row, before all hits are known. Undefined if that
 * does not promise to be cheaper, or was broken off, or the list ended before there were enough hits.
 */
function fromExtremes(finder: HitFinder, column: Column, descending: boolean, limit: number): number[] | undefined {
  const { table } = finder
  if (limit === 0 || finder.estimate <= limit) return undefined
  const { extremes } = column
  if (extremes === undefined) return undefined
  const start = startOf(finder, column, extremes, descending)
  const { names } = finder.parts
  const stepNs = names && finder.known === undefined ? LISTED_NS : SCATTERED_NS
  const newBudget = (): WalkBudget | undefined =>
    start < extremes.length ? finder.budgetFor(limit, stepNs, MEMBER_NS) : undefined
  // Asked before what follows, which reads whole columns once.
  if (newBudget() === undefined || isFartherOnDisk(finder, limit)) return undefined
  const unknown = unknownRows(table, column.name)
  if (descending && unknown.count > FEW_UNKNOWN) return undefined
  const empty = column.name === 'size' && !descending ? emptyFiles(table) : undefined
  // Whatever is not in the list is strictly beyond it.
  // Unknown values come first when descending; when ascending they come after everything, and nothing here appends them.
  const listed = extremes.length + (empty?.count ?? 0) + (descending ? unknown.count : 0)
  const complete = listed >= table.rowCount
  if (!complete && (limit / Math.max(1, finder.estimate)) * table.rowCount > extremes.length * 2) return undefined
  const budget = newBudget()
  if (budget === undefined) return undefined
  const rows: number[] = []
  if (descending && unknown.count > 0)
    rows.push(
      ...firstNamed(
        table,
        unknown.filter(row => finder.isHit(row)),
        false,
        limit,
      ),
    )
  if (empty !== undefined) rows.push(...firstEmpty(finder, empty, limit))
  if (rows.length === limit) return rows
  const walk = new ExtremesWalk(finder, column, budget, limit, rows)
  return walk.run(table.segment.listed(table.table, extremes), start) || (complete && !budget.isSpent)
    ? rows
    : undefined
}

/**
 * True if a walk along a list, whose rows have their names anywhere, would read more pages than finding all hits by their
 * names: a page for each row that it comes to, against one of names and one of rows for each block.
 */
function isFartherOnDisk(finder: HitFinder, limit: number): boolean {
  const { table, known, estimate } = finder
  const { names, rest } = finder.parts
  if (!table.dictionary.isCold || known !== undefined || names === undefined || rest !== undefined) return false
  const steps = (limit / Math.max(1, estimate)) * table.rowCount
  const pages = table.dictionary.nameIdColumn.section.length / PAGE_SIZE
  return names.verdicts.undecidedBlocks * 2 < Math.min(steps, pages)
}

/** The first `limit` empty files among the hits, by name. */
function firstEmpty(finder: HitFinder, empty: RowSet, limit: number): number[] {
  const { table, filter, known } = finder
  if (known) return firstNamed(table, known.and(empty), false, limit)
  const { names, rest } = finder.parts
  if (names) {
    // Of the blocks of names that can hold a hit most hold no name of an empty file: they are not verified for this.
    const test = new AndFilter(
      table.rowCount,
      [new SetFilter(empty), ...(rest ? [rest] : [])],
      table.work.checkCancelled,
    )
    return walkSomeNames(finder, names, namesOfEmptyFiles(table), test, limit)
  }
  const both = new AndFilter(table.rowCount, [...filter.conjuncts, new SetFilter(empty)], table.work.checkCancelled)
  return firstByName(new HitFinder(table, both), false, limit)
}

/** A walk along a list of rows by value: hits with the same value are sorted by name. */
class ExtremesWalk {
  private group: number[] = []
  private groupValue = Number.NaN
  private groupMinor = 0
  private readonly isHit: (row: number, nameId: number) => boolean
  private readonly names: NamesFilter | undefined

  constructor(
    private readonly finder: HitFinder,
    private readonly column: Column,
    private readonly budget: WalkBudget,
    private readonly limit: number,
    /** What comes before the list; hits are appended. */
    private readonly rows: number[],
  ) {
    const { table, known } = finder
    const { names, rest } = known ? { names: undefined, rest: undefined } : finder.parts
    this.names = names
    if (names === undefined) this.isHit = row => finder.isHit(row)
    else {
      this.isHit = (row, nameId) =>
        names.verdicts.has(nameId) && !table.isHidden(row) && (rest === undefined || rest.test(row))
    }
  }

  /** @returns false if the list ended, or the budget, before there were enough hits */
  run(list: ListedRows, start: number): boolean {
    for (let from = start; from < list.rows.length; from += LIST_CHUNK) {
      const nameIds = list.nameIds(from)
      this.names?.verdicts.prepare(nameIds)
      const isCold = this.finder.table.dictionary.isCold
      let expected = 0
      for (let i = 0; i < nameIds.length; i++) {
        if (isCold && i === expected) expected = this.expectValues(list.rows, nameIds, from, i)
        if (!this.budget.step()) return false
        if (this.take(list.rows[from + i], nameIds[i])) return true
      }
    }
    this.flush()
    return this.rows.length === this.limit
  }

  /**
   * Asks for the values of the rows of a chunk that will be compared: as many as the page lacks, and once it lacks none, of
   * the next ones, whether they are hits or not.
   * @param from position of the chunk in the list
   * @param at the first of them, counted from there
   * @returns from where on to ask again
   */
  private expectValues(rows: Uint32Array, nameIds: Uint32Array, from: number, at: number): number {
    const { table, known } = this.finder
    const lacking = this.limit - this.rows.length - this.group.length
    const ahead: number[] = []
    const most = lacking > 0 ? lacking : TIED_ROWS
    let next = at
    for (; next < nameIds.length && ahead.length < most; next++) {
      const row = rows[from + next]
      if (lacking <= 0 || (known?.has(row) ?? this.names?.verdicts.has(nameIds[next]))) ahead.push(row)
    }
    table.reader.expectValues(table.table, this.column.name, ahead)
    return next
  }

  /** @returns true if there are enough hits */
  private take(row: number, nameId: number): boolean {
    const { value, minor } = this.column
    const full = this.rows.length + this.group.length >= this.limit
    if (!full && !this.isHit(row, nameId)) return false
    const same = value(row) === this.groupValue && (minor?.(row) ?? 0) === this.groupMinor
    if (full && !same) {
      this.flush()
      return true
    }
    if (full && !this.isHit(row, nameId)) return false
    if (!same) {
      this.flush()
      this.groupValue = value(row)
      this.groupMinor = minor?.(row) ?? 0
    }
    this.group.push(row)
    return false
  }

  private flush(): void {
    const { table } = this.finder
    if (this.group.length === 1) this.rows.push(this.group[0])
    else if (this.group.length > 1) {
      const group = RowSet.ofList(table.rowCount, Uint32Array.from(this.group).sort())
      for (const row of firstNamed(table, group, false, this.limit - this.rows.length)) this.rows.push(row)
    }
    this.group = []
  }
}

/** The values that the filter asks for, and the rest of the filter. */
function intervalOf({ filter }: HitFinder, column: Column): { low: number; high: number; rest: RowFilter[] } {
  let low = Number.NEGATIVE_INFINITY
  let high = Number.POSITIVE_INFINITY
  const rest: RowFilter[] = []
  for (const part of filter.conjuncts) {
    if (part instanceof ColumnFilter && part.interval.column === column.name) {
      low = Math.max(low, part.interval.low)
      high = Math.min(high, part.interval.high)
    } else rest.push(part)
  }
  return { low, high, rest }
}

/**
 * From the hits in a window at that end of the filter's interval where the order begins: how wide it must be for a page
 * says a sample of the column. Undefined if the filter does not end the column there, or the window was not wide enough.
 */
function fromWindow(finder: HitFinder, column: Column, descending: boolean, limit: number): number[] | undefined {
  const { table, known, estimate } = finder
  if (known || estimate < limit * WINDOW_PAGES) return undefined
  const { low, high, rest } = intervalOf(finder, column)
  if (!Number.isFinite(descending ? high : low)) return undefined
  // Each try is a pass over the column.
  if (table.rowCount * columnNs(column) * WINDOW_TRIES > finder.allNs()) return undefined
  const values = sampledValues(table, column, low, high)
  if (descending) values.reverse()
  for (
    let share = (limit * WINDOW_PAGES) / estimate, tries = 0;
    share < 1 && tries < WINDOW_TRIES;
    share *= 16, tries++
  ) {
    const bound = values[Math.ceil(share * values.length)]
    if (bound === undefined) return undefined
    const window = windowFilter(table, column, descending ? bound : low, descending ? high : bound)
    const filter = new AndFilter(table.rowCount, [window, ...rest], table.work.checkCancelled)
    const inside = new HitFinder(table, filter)
    if (inside.all().count >= limit) return fromAll(inside, column, descending, limit)
  }
  return undefined
}

/** ns a row to filter a column by an interval. */
function columnNs({ name }: Column): number {
  return name === 'size' ? SIZE_FILTER_NS : TIME_FILTER_NS
}

/** Values of evenly spaced rows that are in an interval, ascending. */
function sampledValues({ rowCount }: TableRows, { value }: Column, low: number, high: number): Float64Array {
  const step = Math.max(1, rowCount / SAMPLED_VALUES)
  const values: number[] = []
  for (let row = 0; row < rowCount; row += step) {
    const sampled = value(Math.floor(row))
    if (sampled >= low && sampled <= high) values.push(sampled)
  }
  return Float64Array.from(values).sort()
}

function windowFilter(table: TableRows, { name }: Column, low: number, high: number): RowFilter {
  return name === 'size'
    ? sizeFilter(table, { kind: 'size', min: low, max: high })
    : timeFilter(table, { kind: 'time', column: name, from: low, to: high + 1 })
}

/** Position in the list before which no row can pass, since the filter asks for an interval of the same column. */
function startOf(finder: HitFinder, column: Column, extremes: Uint32Array, descending: boolean): number {
  const { low, high } = intervalOf(finder, column)
  // Without a bound all rows pass: halving the list would wait for the values of a dozen rows to find that out.
  if (!Number.isFinite(descending ? high : low)) return 0
  return firstAt(extremes, row => (descending ? column.value(row) <= high : column.value(row) >= low))
}

/** From all hits. */
function fromAll(finder: HitFinder, column: Column, descending: boolean, limit: number): number[] {
  const { table } = finder
  const hits = listedHits(finder, column, descending, limit) ?? finder.all()
  const isTogether = table.reader.frame.isCold && hits.count <= EXPECTED_HITS
  const value = column.name === 'size' && !isTogether ? sizeReader(table, hits) : column.value
  const sign = descending ? -1 : 1
  const { minor } = column
  const order: ValueOrder = {
    limit,
    value: row => {
      const raw = value(row)
      // Unknown comes after all others when ascending; negated, before them when descending.
      return sign * (Number.isNaN(raw) ? Number.POSITIVE_INFINITY : raw)
    },
    minor: minor && (row => (Number.isNaN(value(row)) ? 0 : sign * minor(row))),
    tie: nameOrder(table),
  }
  return firstByValue(table, isTogether ? readTogether(table, column, hits, order) : hits, order)
}

/**
 * The rows that can be on a page, while the segment is cold: values are asked for together, then the names that are
 * compared, so that nothing is waited for row by row.
 */
function readTogether(table: TableRows, column: Column, rows: RowSet, { limit, value, minor }: ValueOrder): RowSet {
  table.reader.expectValues(table.table, column.name, listOf(rows))
  const candidates: Candidate[] = []
  rows.forEach(row => {
    candidates.push({ row, value: value(row), minor: minor?.(row) ?? 0 })
  })
  const first = firstCandidates(candidates, limit)
  expectNamesOfTied(table, first)
  return RowSet.ofList(table.rowCount, Uint32Array.from(first, ({ row }) => row).sort())
}

function listOf(rows: RowSet): number[] {
  const list: number[] = []
  rows.forEach(row => {
    list.push(row)
  })
  return list
}

/**
 * The hits that are in the list of first values, if they are enough for the page: all others come after them, so that
 * their values, which lie anywhere in the file, need not be read.
 */
function listedHits(finder: HitFinder, column: Column, descending: boolean, limit: number): RowSet | undefined {
  const { table } = finder
  const { name } = column
  const hits = finder.all()
  const hasEmpty = name === 'size' && !descending
  // Which files are empty says a pass over the column.
  const few = hasEmpty && table.reader.frame.isCold ? EXPECTED_HITS : FEW_HITS
  if (hits.count <= Math.max(few, limit)) return undefined
  const { extremes } = column
  if (extremes === undefined) return undefined
  // Unknown values come before the list when descending.
  if (descending && unknownRows(table, name).count > 0) return undefined
  const members = table.segment.remembered(`listed ${table.table} ${name} ${descending}`, () => {
    const bits = new Bitset(table.rowCount)
    for (let i = 0; i < extremes.length; i++) bits.add(extremes[i])
    const listed = RowSet.ofBits(bits, extremes.length)
    return hasEmpty ? listed.or(emptyFiles(table)) : listed
  })
  const listed = hits.and(members)
  if (listed.count < limit) return undefined
  return table.reader.frame.isCold && !hasEmpty ? nearestListed(table, column, extremes, listed, limit) : listed
}

/**
 * Of hits that are in the list of first values the first `limit`, as the list has them in order, and those with the same
 * value as the last: the values of the others are not read while the segment is cold.
 */
function nearestListed(
  { rowCount, reader, table }: TableRows,
  column: Column,
  extremes: Uint32Array,
  listed: RowSet,
  limit: number,
): RowSet {
  const among = listed.toBits()
  const found: number[] = []
  let last = Number.NaN
  for (let at = 0; at < extremes.length; ) {
    const ahead: number[] = []
    for (
      const wanted = Math.max(TIED_ROWS, limit - found.length);
      at < extremes.length && ahead.length < wanted;
      at++
    ) {
      if (among.has(extremes[at])) ahead.push(extremes[at])
    }
    reader.expectValues(table, column.name, ahead)
    for (const row of ahead) {
      const own = column.value(row)
      if (found.length >= limit && own !== last) return RowSet.ofList(rowCount, Uint32Array.from(found).sort())
      found.push(row)
      last = own
    }
  }
  return listed
}

/** Sizes by row, decoded a chunk at a time when most rows are asked for in ascending order. */
function sizeReader(table: TableRows, hits: RowSet): (row: number) => number {
  const { sizes } = table.reader
  if (sizes === undefined) return () => Number.NaN
  if (hits.count * DENSE_SHARE < sizes.count) return row => sizes.at(row)
  const chunk = new Float64Array(Math.min(CHUNK_ROWS, sizes.count))
  let start = -1
  return row => {
    if (start < 0 || row < start || row >= start + CHUNK_ROWS) {
      start = row - (row % CHUNK_ROWS)
      sizes.read(start, Math.min(sizes.count, start + CHUNK_ROWS), chunk)
    }
    return chunk[row - start]
  }
}
