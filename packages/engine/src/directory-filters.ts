import type { DepthPredicate, DirectoryPredicate, PathPredicate } from '@hotpath/query'
import { Bitset } from './bitset.js'
import { NamesFilter } from './names-filter.js'
import { AndFilter, AnywhereFilter, OrFilter, type RowFilter, SetFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import type { TableRows } from './table-rows.js'
import { type ComponentTests, isFreeTest, type TreeMatcher } from './tree-matcher.js'

/** Entries below (`under:`) or directly in (`parent:`) directories. */
export function directoryFilter(table: TableRows, tree: TreeMatcher, predicate: DirectoryPredicate): RowFilter {
  const sequence = { tests: predicate.tests, first: predicate.anchored }
  return new SetFilter(
    predicate.kind === 'under' ? rowsInside(table, tree, sequence) : childrenOf(table, tree, sequence),
  )
}

/** Entries whose path has components that pass tests. */
export function pathFilter(table: TableRows, tree: TreeMatcher, predicate: PathPredicate): RowFilter {
  const sequence = { tests: predicate.tests, first: predicate.start === 'first' }
  switch (predicate.end) {
    case 'inside':
      return new SetFilter(rowsInside(table, tree, sequence))
    case 'last':
      return rowsEnding(table, tree, sequence)
    case 'anywhere':
      return new OrFilter(table.rowCount, [
        new SetFilter(rowsInside(table, tree, sequence)),
        rowsEnding(table, tree, sequence),
      ])
  }
}

/** Rows whose own name is where the tests end. */
function rowsEnding(table: TableRows, tree: TreeMatcher, sequence: ComponentTests): RowFilter {
  if (table.table === 'd') return new SetFilter(RowSet.ofBits(tree.directoriesEnding(sequence)))
  const last = sequence.tests[sequence.tests.length - 1]
  const named = new NamesFilter(table, { kind: 'name', test: last })
  if (sequence.tests.length === 1) {
    return sequence.first
      ? new AndFilter(table.rowCount, [new SetFilter(firstComponents(table)), named], table.work.checkCancelled)
      : named
  }
  const children = new SetFilter(childrenOf(table, tree, { ...sequence, tests: sequence.tests.slice(0, -1) }))
  return isFreeTest(last) ? children : new AndFilter(table.rowCount, [children, named], table.work.checkCancelled)
}

/** A file is the first component only directly below a virtual root. */
function firstComponents({ view, reader, rowCount }: TableRows): RowSet {
  const bits = new Bitset(rowCount)
  if (view.virtualRoot) bits.fill(reader.firstFile(0), reader.firstFile(1))
  return RowSet.ofBits(bits)
}

/** Rows at any depth below the directories at which the tests end. */
function rowsInside(table: TableRows, tree: TreeMatcher, sequence: ComponentTests): RowSet {
  return table.table === 'f'
    ? filesOf(table, tree.closureOf(sequence))
    : RowSet.ofBits(tree.directoriesInside(sequence))
}

/** Rows whose parent is a directory at which the tests end. */
function childrenOf(table: TableRows, tree: TreeMatcher, sequence: ComponentTests): RowSet {
  return table.table === 'f'
    ? filesOf(table, tree.directoriesEnding(sequence))
    : RowSet.ofBits(tree.childDirectories(sequence))
}

/** Files directly in the directories: a range for each run of directories. */
export function filesOf({ reader, rowCount }: Pick<TableRows, 'reader' | 'rowCount'>, directories: Bitset): RowSet {
  const ranges: number[] = []
  let count = 0
  for (let local = directories.next(0); local >= 0; ) {
    const end = directories.nextClear(local)
    const from = reader.firstFile(local)
    const to = reader.firstFile(end)
    if (from < to) ranges.push(from, to)
    count += to - from
    local = directories.next(end)
  }
  if (RowSet.prefersList(rowCount, count)) {
    const list = new Uint32Array(count)
    let at = 0
    for (let i = 0; i < ranges.length; i += 2) for (let row = ranges[i]; row < ranges[i + 1]; row++) list[at++] = row
    return RowSet.ofList(rowCount, list)
  }
  const bits = new Bitset(rowCount)
  for (let i = 0; i < ranges.length; i += 2) bits.fill(ranges[i], ranges[i + 1])
  return RowSet.ofBits(bits, count)
}

/** ns to climb from an entry to the root, and to pass over a directory when all depths are wanted. */
const CLIMB_NS = 250
const DIRECTORY_NS = 20

/** Entries with that many components before their name. */
export class DepthFilter extends AnywhereFilter {
  readonly estimate: number
  readonly testNs = CLIMB_NS
  readonly allNs: number

  constructor(
    private readonly table: TableRows,
    private readonly tree: TreeMatcher,
    private readonly predicate: DepthPredicate,
  ) {
    super()
    this.estimate = table.rowCount
    this.allNs = table.reader.dirCount * DIRECTORY_NS
  }

  test(row: number): boolean {
    const { table, tree } = this
    return this.passes(table.table === 'd' ? tree.depthOf(row) - 1 : tree.depthOf(table.reader.directoryOfFile(row)))
  }

  all(): RowSet {
    const { table, tree } = this
    const { reader } = table
    const bits = new Bitset(table.rowCount)
    tree.forEachDepth((local, depth) => {
      if (table.table === 'f') {
        if (this.passes(depth)) bits.fill(reader.firstFile(local), reader.firstFile(local + 1))
      } else if (this.passes(depth - 1)) bits.add(local)
    })
    return RowSet.ofBits(bits)
  }

  private passes(depth: number): boolean {
    return depth >= this.predicate.min && depth <= this.predicate.max
  }
}
