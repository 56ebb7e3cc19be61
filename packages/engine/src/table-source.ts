import type { Table } from '@hotpath/index-format'
import { comparePaths, type Predicate, type Sort } from '@hotpath/query'
import type { Bitset } from './bitset.js'
import { isNameExpression, type NameExpression } from './name-expression.js'
import { evaluateName, type MatchCounters } from './name-matcher.js'
import { PathOrder } from './path-order.js'
import { RowEvaluator } from './row-evaluator.js'
import type { SegmentState } from './segment-state.js'
import { storedTotal } from './stored-total.js'
import { TopItems } from './top-items.js'
import type { ViewState } from './view-state.js'

/** Hits up to which sorting all of them beats walking an order and testing each row. */
const FEW_HITS = 4096
/** Hits above a sixteenth of the rows are worth decoding whole chunks of sizes for. */
const DENSE_SHARE = 16
/** Rows; a multiple of the groups of the size column. */
const CHUNK_ROWS = 8192
/** Names tested one by one (1 µs each) before verifying all candidate blocks is as cheap, when the number of hits is known. */
const MAX_TESTED_NAMES = 3000
/** The same when nothing is known: a try that may be in vain. */
const BLIND_STEPS = 600
/** Cost of a step along the names in units of looking at one hit (about 200 against 25 ns). */
const WALK_COST = 8

/**
 * The hits of a query in one table of one segment: how many, and the first of them in any order. Nothing is computed
 * before it is asked for: a page by name under a stored total looks at a few blocks of names.
 */
export class TableSource {
  private readonly evaluator: RowEvaluator
  private readonly names: NameExpression | undefined
  private rowBits: Bitset | undefined
  private nameBitsMade: Bitset | undefined
  private known: number | undefined

  constructor(
    private readonly view: ViewState,
    private readonly segment: SegmentState,
    readonly table: Table,
    private readonly predicate: Predicate,
    private readonly counters: MatchCounters,
    private readonly checkCancelled: () => void,
  ) {
    this.evaluator = new RowEvaluator(view, segment, table, counters, checkCancelled)
    this.names = isNameExpression(predicate) ? predicate : undefined
    if (predicate.kind === 'none') this.known = 0
    else if (predicate.kind === 'all') this.known = segment.visibleCount(table)
    else if (this.names) this.known = storedTotal(segment, table, this.names)
  }

  /** Exact number of hits. */
  total(): number {
    this.known ??= this.countByNames() ?? this.hits().count()
    return this.known
  }

  /** Rows of the names that match, where every row counts. */
  private countByNames(): number | undefined {
    if (this.names === undefined || this.segment.hiddenCount[this.table] > 0) return undefined
    const { dictionary } = this
    let count = 0
    this.nameBits(this.names).forEach(id => {
      count += dictionary.rowCountOf(id)
    })
    return count
  }

  private nameBits(names: NameExpression): Bitset {
    this.nameBitsMade ??= this.matcher.matchBits(names, this.counters)
    return this.nameBitsMade
  }

  /** Entry ids of the first `limit` hits in the order of `sort`. */
  first(sort: Sort, limit: number): number[] {
    if (limit === 0 || this.known === 0) return []
    const rows = this.firstRows(sort, limit)
    const base = this.table === 'd' ? 0 : this.segment.reader.dirCount
    return rows.map(row => base + row)
  }

  /** Rows that are hits, tombstones taken out. */
  private hits(): Bitset {
    if (this.rowBits === undefined) {
      this.rowBits = this.names
        ? this.evaluator.rowsOfNameBits(this.nameBits(this.names))
        : this.evaluator.evaluate(this.predicate)
      const hidden = this.segment.hidden[this.table]
      if (hidden) this.rowBits.andNot(hidden)
    }
    return this.rowBits
  }

  private firstRows(sort: Sort, limit: number): number[] {
    switch (sort.column) {
      case 'name':
        return this.byName(sort.descending, limit)
      case 'path':
        return this.byPath(sort.descending, limit)
      case 'size':
        // All directories have the same size.
        if (this.table === 'd') return this.byName(false, limit)
        {
          const { reader } = this.segment
          const { sizes } = reader
          const extremes = sort.descending ? reader.largest() : reader.smallest()
          const unknown = sort.descending ? (sizes?.unknownCount ?? 0) : 0
          const found = extremes && sizes && this.fromExtremes(extremes, row => sizes.at(row), unknown, limit)
          if (found) return found
        }
        return this.byValue(this.sizeReader(), sort.descending, limit)
      case 'ext':
        return this.table === 'd'
          ? this.byName(false, limit)
          : this.byValue(this.extensionRanks(), sort.descending, limit)
      default: {
        const column = this.segment.reader.timeColumn(this.table, sort.column)
        if (column === undefined) return this.byName(false, limit)
        const seconds = (row: number): number => column.secondsAt(row)
        const ticks = column.wholeSeconds ? undefined : (row: number): number => column.ticksAt(row)
        if (sort.column === 'modified') {
          const extremes = sort.descending
            ? this.segment.reader.newest(this.table)
            : this.segment.reader.oldest(this.table)
          const unknown = sort.descending ? column.unknownCount : 0
          const found = extremes && this.fromExtremes(extremes, seconds, unknown, limit, ticks)
          if (found) return found
        }
        return this.byValue(seconds, sort.descending, limit, ticks)
      }
    }
  }

  /** In dictionary order. Rows of one name stand in path order. */
  private byName(descending: boolean, limit: number): number[] {
    const rows: number[] = []
    const { dictionary } = this
    const takeName = (nameId: number): boolean => {
      const group: number[] = []
      dictionary.forEachRow(nameId, row => {
        if (this.rowBits ? this.rowBits.has(row) : !this.segment.isHidden(this.table, row)) group.push(row)
      })
      this.appendByPath(group, limit - rows.length, rows)
      return rows.length < limit
    }
    if (this.names && this.nameBitsMade === undefined && !descending) {
      this.matcher.forEachMatch(this.names, this.counters, takeName)
      return rows
    }
    if (this.names) {
      const ids = this.nameBits(this.names)
      if (descending) for (let id = ids.previous(ids.size - 1); id >= 0 && takeName(id); id = ids.previous(id - 1));
      else for (let id = ids.next(0); id >= 0 && takeName(id); id = ids.next(id + 1));
      return rows
    }
    if (this.predicate.kind !== 'all') {
      const hits = this.hits()
      // Walking the names meets a hit every (rows / hits) steps; sorting looks at every hit.
      if (hits.count() ** 2 < this.evaluator.rowCount * limit * WALK_COST)
        return this.sortRows(limit, this.nameOrder(descending))
    }
    if (descending) for (let id = dictionary.nameCount - 1; id >= 0 && takeName(id); id--);
    else for (let id = 0; id < dictionary.nameCount && takeName(id); id++);
    return rows
  }

  private byPath(descending: boolean, limit: number): number[] {
    const hits = this.hits()
    const sign = descending ? -1 : 1
    if (this.segment.displaced.size > 0) {
      return this.sortRows(limit, (a, b) => sign * comparePaths(this.components(a), this.components(b)))
    }
    const order = new PathOrder(this.segment)
    if (hits.count() <= FEW_HITS) {
      return this.sortRows(
        limit,
        this.table === 'd' ? (a, b) => sign * (a - b) : (a, b) => sign * order.compareFiles(a, b),
      )
    }
    if (this.table === 'f') return order.files(hits, descending, limit)
    // Preorder is path order for directories.
    const rows: number[] = []
    if (descending) {
      for (let row = hits.size - 1; row >= 0 && rows.length < limit; row--) if (hits.has(row)) rows.push(row)
    } else for (let row = hits.next(0); row >= 0 && rows.length < limit; row = hits.next(row + 1)) rows.push(row)
    return rows
  }

  /**
   * Through a list of the rows with the largest or smallest values. Undefined if the list ends before `limit` hits, or
   * would be walked for longer than looking at all hits takes. While the names that match are not known, each row's name is
   * tested by itself, but not for long.
   */
  private fromExtremes(
    extremes: Uint32Array,
    value: (row: number) => number,
    unknownCount: number,
    limit: number,
    minor?: (row: number) => number,
  ): number[] | undefined {
    const test = this.rowTest(limit)
    if (test === undefined) return undefined
    // Unknown values come first when descending, and no list has them.
    if (unknownCount > 0 && this.hasUnknown(value)) return undefined
    const rows: number[] = []
    const order = this.nameOrder(false)
    for (let i = 0; i < extremes.length && rows.length < limit; ) {
      if (i > test.maxSteps) return undefined
      const group: number[] = []
      const first = extremes[i]
      const groupValue = value(first)
      const groupMinor = minor?.(first) ?? 0
      while (i < extremes.length && value(extremes[i]) === groupValue && (minor?.(extremes[i]) ?? 0) === groupMinor) {
        const row = extremes[i++]
        if (test.isHit(row)) group.push(row)
      }
      if (group.length === 1) rows.push(group[0])
      else if (group.length > 1) {
        const top = new TopItems<number>(limit - rows.length, order)
        for (const row of group) top.offer(row)
        for (const row of top.sorted()) rows.push(row)
      }
    }
    return rows.length < limit ? undefined : rows
  }

  /** Whether single rows are hits, and how many may be asked before finding all hits is cheaper. */
  private rowTest(limit: number): { isHit(row: number): boolean; maxSteps: number } | undefined {
    const { segment, table, names } = this
    if (this.predicate.kind === 'all') {
      return { isHit: row => !segment.isHidden(table, row), maxSteps: Number.POSITIVE_INFINITY }
    }
    if (this.rowBits === undefined && this.nameBitsMade === undefined && names !== undefined) {
      if (
        this.known !== undefined &&
        (this.known <= limit || this.known * MAX_TESTED_NAMES < limit * this.evaluator.rowCount)
      ) {
        return undefined
      }
      const verdicts = new Map<number, boolean>()
      return {
        isHit: row => {
          if (segment.isHidden(table, row)) return false
          const name = this.dictionary.nameIdOf(row)
          let verdict = verdicts.get(name)
          if (verdict === undefined) {
            const cursor = this.dictionary.seek(name)
            const key = cursor.key.subarray(cursor.keyStart, cursor.keyStart + cursor.keyLength)
            verdict = evaluateName(names, cursor.name.subarray(0, cursor.nameLength), key)
            verdicts.set(name, verdict)
          }
          return verdict
        },
        maxSteps: this.known === undefined ? BLIND_STEPS : 2 * MAX_TESTED_NAMES,
      }
    }
    if (names !== undefined && this.rowBits === undefined) {
      const bits = this.nameBits(names)
      return {
        isHit: row => bits.has(this.dictionary.nameIdOf(row)) && !segment.isHidden(table, row),
        maxSteps: Number.POSITIVE_INFINITY,
      }
    }
    const hits = this.hits()
    return hits.count() <= FEW_HITS ? undefined : { isHit: row => hits.has(row), maxSteps: Number.POSITIVE_INFINITY }
  }

  private hasUnknown(value: (row: number) => number): boolean {
    const hits = this.hits()
    for (let row = hits.next(0); row >= 0; row = hits.next(row + 1)) if (Number.isNaN(value(row))) return true
    return false
  }

  /** By a number (unknown ones last, first when descending), then by name and path. */
  private byValue(
    value: (row: number) => number,
    descending: boolean,
    limit: number,
    minor?: (row: number) => number,
  ): number[] {
    const byName = this.nameOrder(false)
    interface Valued {
      readonly row: number
      readonly value: number
      readonly minor: number
    }
    const sign = descending ? -1 : 1
    const top = new TopItems<Valued>(limit, (a, b) => {
      if (a.value !== b.value) return a.value < b.value ? -1 : 1
      return a.minor - b.minor || byName(a.row, b.row)
    })
    let worst = Number.POSITIVE_INFINITY
    let seen = 0
    const hits = this.hits()
    hits.forEach(row => {
      if ((++seen & 0xffff) === 0) this.checkCancelled()
      const raw = value(row)
      const known = !Number.isNaN(raw)
      // Infinity stands for unknown: after all others when ascending; negated, before them when descending.
      const key = sign * (known ? raw : Number.POSITIVE_INFINITY)
      if (key > worst) return
      top.offer({ row, value: key, minor: known && minor ? sign * minor(row) : 0 })
      if (seen >= limit) worst = top.worst()?.value ?? Number.POSITIVE_INFINITY
    })
    return top.sorted().map(item => item.row)
  }

  /** Sizes by row, decoded a chunk at a time when most rows are asked for in ascending order. */
  private sizeReader(): (row: number) => number {
    const { sizes } = this.segment.reader
    if (sizes === undefined) return () => Number.NaN
    if (this.hits().count() * DENSE_SHARE < sizes.count) return row => sizes.at(row)
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

  /** Rank of each row's extension among those of the hits; NaN without one. */
  private extensionRanks(): (row: number) => number {
    const { dictionary } = this
    const extensions = new Map<string, number[]>()
    const names = new Map<number, string | undefined>()
    this.hits().forEach(row => {
      const name = dictionary.nameIdOf(row)
      if (names.has(name)) return
      const key = dictionary.keyAt(name)
      const dot = key.lastIndexOf(0x2e)
      const extension =
        dot < 0 || dot === key.length - 1 ? undefined : Buffer.from(key.subarray(dot + 1)).toString('latin1')
      names.set(name, extension)
      if (extension !== undefined && !extensions.has(extension)) extensions.set(extension, [])
    })
    const ranks = new Map(
      [...extensions.keys()].sort((a, b) => (a < b ? -1 : 1)).map((extension, rank) => [extension, rank]),
    )
    return row => {
      const extension = names.get(dictionary.nameIdOf(row))
      return extension === undefined ? Number.NaN : (ranks.get(extension) ?? Number.NaN)
    }
  }

  private nameOrder(descending: boolean): (a: number, b: number) => number {
    const { dictionary } = this
    const sign = descending ? -1 : 1
    return (a, b) => sign * (dictionary.nameIdOf(a) - dictionary.nameIdOf(b)) || this.pathOrder(a, b)
  }

  /** Path order of two rows of the same name. */
  private pathOrder(a: number, b: number): number {
    if (a === b) return 0
    if (this.segment.displaced.size > 0) return comparePaths(this.components(a), this.components(b))
    return this.table === 'd' ? a - b : new PathOrder(this.segment).compareFiles(a, b)
  }

  /** Appends the first `limit` of `group` in path order to `rows`. */
  private appendByPath(group: number[], limit: number, rows: number[]): void {
    if (group.length === 1) {
      rows.push(group[0])
      return
    }
    const top = new TopItems<number>(Math.min(limit, group.length), (a, b) => this.pathOrder(a, b))
    for (const row of group) top.offer(row)
    for (const row of top.sorted()) rows.push(row)
  }

  private sortRows(limit: number, compare: (a: number, b: number) => number): number[] {
    const top = new TopItems<number>(limit, compare)
    this.hits().forEach(row => {
      top.offer(row)
    })
    return top.sorted()
  }

  private components(row: number): readonly Uint8Array[] {
    const { reader } = this.segment
    if (this.table === 'd') return this.view.componentsOf(reader.dirIdOf(row))
    const directory = reader.dirIdOf(reader.directoryOfFile(row))
    return [...this.view.componentsOf(directory), reader.nameOf(reader.dirCount + row)]
  }

  private get dictionary() {
    return this.table === 'd' ? this.segment.reader.dirs : this.segment.reader.files
  }

  private get matcher() {
    return this.segment.matchers[this.table]
  }
}
