import { Kind } from '@hotpath/model'
import {
  ATTRIBUTE,
  type AttributesPredicate,
  attributesOf,
  type ChildCountPredicate,
  type ChildPredicate,
  type KindPredicate,
} from '@hotpath/query'
import { Bitset } from './bitset.js'
import { filesOf } from './directory-filters.js'
import { NameVerdicts } from './name-verdicts.js'
import { AnywhereFilter, ConstantFilter, type RowFilter, SetFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import { forEachSize } from './size-counts.js'
import type { TableRows } from './table-rows.js'

/** ns to read a number of a row, as one of many and alone. */
const NUMBER_NS = 40
/** ns to count the children of a directory. */
const COUNT_NS = 40
/** ns to read a row's name id and look up a bit, and to find a row of a name. */
const LOOKUP_NS = 18
const EXPAND_NS = 6
/** ns to read a size and to look up its count: by itself, and as one of many. */
const SIZE_TEST_NS = 90
const SIZE_PASS_NS = 20
/** Bits of attributes that the kind of an entry decides. */
const KIND_BITS = ATTRIBUTE.directory | ATTRIBUTE.device | ATTRIBUTE.normal | ATTRIBUTE.reparsePoint
/** Rows looked at to estimate how many pass. */
const SAMPLE_ROWS = 64

/** Rows that pass a test of their own, which is all that is known. */
class TestFilter extends AnywhereFilter {
  private estimated: number | undefined
  private rows: RowSet | undefined

  /** @param find every row that passes; undefined: by testing all */
  constructor(
    private readonly table: TableRows,
    readonly testNs: number,
    private readonly passNs: number,
    readonly test: (row: number) => boolean,
    private readonly find?: () => RowSet,
  ) {
    super()
  }

  get estimate(): number {
    this.estimated ??= this.rows?.count ?? this.estimateBySample()
    return this.estimated
  }

  private estimateBySample(): number {
    const { rowCount } = this.table
    const step = Math.max(1, Math.floor(rowCount / SAMPLE_ROWS))
    let looked = 0
    let passed = 0
    for (let row = step >>> 1; row < rowCount; row += step, looked++) if (this.test(row)) passed++
    return (Math.max(passed, 0.5) / Math.max(1, looked)) * rowCount
  }

  get allNs(): number {
    return this.rows ? 0 : this.table.rowCount * this.passNs
  }

  all(): RowSet {
    this.rows ??= this.find?.() ?? this.testAll()
    return this.rows
  }

  private testAll(): RowSet {
    const { rowCount, work } = this.table
    const bits = new Bitset(rowCount)
    for (let row = 0; row < rowCount; row++) {
      if ((row & CHECK_MASK) === 0) work.checkCancelled()
      if (this.test(row)) bits.add(row)
    }
    return RowSet.ofBits(bits)
  }
}

/** Files of some kinds. */
export function kindFilter(table: TableRows, { kinds }: KindPredicate): RowFilter {
  const { reader } = table
  const isMeant = (row: number): boolean => kinds.includes(reader.kindOf(reader.dirCount + row))
  return new TestFilter(table, NUMBER_NS, NUMBER_NS, isMeant)
}

/** Rows with some attributes. */
export function attributesFilter(table: TableRows, { bits }: AttributesPredicate): RowFilter {
  const { reader, firstEntry } = table
  const stored = reader.columnSource(table.table, 'attributes')
  // Without attributes of the source there are those that the kind gives.
  if (stored === undefined && (bits & ~KIND_BITS) !== 0) return new ConstantFilter(table.rowCount, false)
  const kindOf = table.table === 'd' ? () => Kind.directory : (row: number) => reader.kindOf(firstEntry + row)
  const test = (row: number): boolean => (attributesOf(kindOf(row), stored?.(row) ?? 0) & bits) === bits
  return new TestFilter(table, 2 * NUMBER_NS, 2 * NUMBER_NS, test)
}

/** Directories that hold so many entries; for the table of directories. */
export function childCountFilter(table: TableRows, { of, min, max }: ChildCountPredicate): RowFilter {
  const countOf = table.scope.childCounter(of)
  const { reader } = table
  return new TestFilter(table, COUNT_NS, COUNT_NS, row => {
    const count = countOf(reader.dirIdOf(row))
    return count >= min && count <= max
  })
}

/** Directories that hold something with a name; for the table of directories. */
export function childFilter(table: TableRows, predicate: ChildPredicate): RowFilter {
  const holders = table.scope.directoriesHolding(predicate)
  const { reader } = table
  return new TestFilter(table, NUMBER_NS, NUMBER_NS, row => holders.has(reader.dirIdOf(row)))
}

/** Rows in directories that are no entries. Only hidden rows can be such directories here. */
export function rootFilter(table: TableRows): RowFilter {
  const { reader, segment, view, rowCount, work } = table
  const implied = new Bitset(reader.dirCount)
  const hidden = segment.hidden.d
  let steps = 0
  hidden?.forEach(local => {
    if ((++steps & CHECK_MASK) === 0) work.checkCancelled()
    if (!view.isEntryDirectory(reader.dirIdOf(local))) implied.add(local)
  })
  if (table.table === 'f') return new SetFilter(filesOf(table, implied))
  const rows = new Bitset(rowCount)
  if (rowCount > 0) rows.add(0)
  implied.forEach(local => {
    const end = reader.dirEnd(local)
    for (let child = local + 1; child < end; child = reader.dirEnd(child)) {
      if ((++steps & CHECK_MASK) === 0) work.checkCancelled()
      rows.add(child)
    }
  })
  return new SetFilter(RowSet.ofBits(rows))
}

/** Rows with a name that another entry of the index has, too. */
export function duplicateNameFilter(table: TableRows): RowFilter {
  const { dictionary, matcher, work } = table
  const names = table.scope.duplicateNames.of(table.segment, table.table)
  const find = (): RowSet => {
    const blocks: number[] = []
    names.words.forEach((word, block) => {
      if (word !== 0) blocks.push(block)
    })
    const decider = {
      decide: (block: number) => names.words[block],
      decideAll: (some: Uint32Array, words: Uint32Array) => {
        for (let i = 0; i < some.length; i++) words[some[i]] = names.words[some[i]]
      },
    }
    return matcher.rowsOf(new NameVerdicts(dictionary.nameCount, Uint32Array.from(blocks), decider, work), work)
  }
  return new TestFilter(table, LOOKUP_NS, EXPAND_NS, row => names.has(table.nameIdOf(row)), find)
}

/** Files with a size that another file of the index has, too; for the table of files. */
export function duplicateSizeFilter(table: TableRows): RowFilter {
  const { sizes } = table.reader
  if (sizes === undefined) return new SetFilter(RowSet.none(table.rowCount))
  const countOf = table.scope.sizeCounter
  const find = (): RowSet => {
    const bits = new Bitset(table.rowCount)
    forEachSize(sizes, table.work.checkCancelled, (row, size) => {
      if (countOf(size) > 1) bits.add(row)
    })
    return RowSet.ofBits(bits)
  }
  return new TestFilter(table, SIZE_TEST_NS, SIZE_PASS_NS, row => countOf(sizes.at(row)) > 1, find)
}
