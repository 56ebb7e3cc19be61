import { type Table, TIME_EXCEPTION } from '@hotpath/index-format'
import { type LeafPredicate, matchesGlob, type PathPredicate, type Predicate, type TimePredicate } from '@hotpath/query'
import { Bitset } from './bitset.js'
import { isNameExpression, type NameExpression } from './name-expression.js'
import type { MatchCounters } from './name-matcher.js'
import { evaluatePathGlob } from './path-glob.js'
import type { SegmentState } from './segment-state.js'
import { type ComponentTests, TreeMatcher } from './tree-matcher.js'
import type { ViewState } from './view-state.js'

/** Below this share of a table's rows a leaf is tested row by row instead of over its whole column. */
const FEW_ROWS_SHARE = 16

/** Decides predicates for all rows of one table of one segment, tombstoned rows included. */
export class RowEvaluator {
  private readonly tree: TreeMatcher
  readonly rowCount: number

  constructor(
    private readonly view: ViewState,
    private readonly segment: SegmentState,
    private readonly table: Table,
    private readonly counters: MatchCounters,
    private readonly checkCancelled: () => void,
  ) {
    this.tree = new TreeMatcher(view, segment, counters)
    this.rowCount = segment.rowCount(table)
  }

  /** Rows for which the predicate (specialised for this table) is true. */
  evaluate(predicate: Predicate): Bitset {
    this.checkCancelled()
    if (isNameExpression(predicate)) return this.rowsOfNames(predicate)
    switch (predicate.kind) {
      case 'all':
        return Bitset.full(this.rowCount)
      case 'none':
        return new Bitset(this.rowCount)
      case 'or': {
        const names = predicate.parts.filter(isNameExpression)
        const others = predicate.parts.filter(part => !isNameExpression(part))
        const bits =
          names.length === 0
            ? new Bitset(this.rowCount)
            : this.rowsOfNames(names.length === 1 ? names[0] : { kind: 'or', parts: names })
        for (const part of others) bits.or(this.evaluate(part))
        return bits
      }
      case 'and': {
        const names = predicate.parts.filter(isNameExpression)
        const others = predicate.parts.filter(part => !isNameExpression(part)).sort((a, b) => cost(a) - cost(b))
        let bits: Bitset | undefined
        if (names.length > 0) bits = this.rowsOfNames(names.length === 1 ? names[0] : { kind: 'and', parts: names })
        for (const part of others) bits = bits === undefined ? this.evaluate(part) : this.narrow(bits, part)
        return bits ?? Bitset.full(this.rowCount)
      }
      case 'not':
        return this.evaluate(predicate.part).complement()
      default:
        return this.leaf(predicate)
    }
  }

  /** Rows of the names for which the expression is true. */
  rowsOfNames(expression: NameExpression): Bitset {
    const names = this.segment.matchers[this.table].matchBits(expression, this.counters)
    return this.rowsOfNameBits(names)
  }

  /** Through the inverse when the names are few, else by one pass over the name of every row. */
  rowsOfNameBits(names: Bitset): Bitset {
    const { dictionary } = this
    if (names.count() * FEW_ROWS_SHARE >= dictionary.nameCount)
      return this.segment.matchers[this.table].rowsOfNames(names)
    const bits = new Bitset(this.rowCount)
    names.forEach(name => {
      dictionary.forEachRow(name, row => {
        bits.add(row)
      })
    })
    return bits
  }

  private narrow(bits: Bitset, part: Predicate): Bitset {
    const test = this.rowTest(part)
    if (test !== undefined && bits.count() * FEW_ROWS_SHARE < this.rowCount) return bits.filter(test)
    return bits.and(this.evaluate(part))
  }

  /** A test of single rows, for the leaves that have a cheap one. */
  private rowTest(predicate: Predicate): ((row: number) => boolean) | undefined {
    switch (predicate.kind) {
      case 'not': {
        const test = this.rowTest(predicate.part)
        return test && (row => !test(row))
      }
      case 'size': {
        const { sizes } = this.segment.reader
        const { min, max } = predicate
        if (sizes === undefined) return () => false
        return row => {
          const size = sizes.at(row)
          return size >= min && size <= max
        }
      }
      case 'time': {
        const column = this.segment.reader.timeColumn(this.table, predicate.column)
        if (column === undefined) return () => false
        return row => {
          const seconds = column.secondsAt(row)
          return seconds >= predicate.from && seconds < predicate.to
        }
      }
      case 'unknown': {
        if (predicate.column === 'size') {
          const { sizes } = this.segment.reader
          return row => sizes === undefined || Number.isNaN(sizes.at(row))
        }
        const column = this.segment.reader.timeColumn(this.table, predicate.column)
        return row => column === undefined || Number.isNaN(column.secondsAt(row))
      }
      default:
        return undefined
    }
  }

  private leaf(predicate: LeafPredicate): Bitset {
    switch (predicate.kind) {
      case 'size':
        return this.sizeBits(predicate.min, predicate.max)
      case 'time':
        return this.timeBits(predicate)
      case 'unknown': {
        const test = this.rowTest(predicate) ?? (() => false)
        return Bitset.full(this.rowCount).filter(test)
      }
      case 'path':
        return this.pathBits(predicate)
      case 'pathGlob':
        return evaluatePathGlob(predicate, {
          rowCount: this.rowCount,
          candidates: ending => this.rowsOfNames(ending),
          components: row => this.componentsOfRow(row),
          matches: matchesGlob,
        })
      case 'under':
        return this.childrenOf(
          this.tree.closureOf({ tests: predicate.tests, first: predicate.anchored }),
          { tests: predicate.tests, first: predicate.anchored },
          true,
        )
      case 'parent':
        return this.childrenOf(
          this.tree.directoriesEnding({ tests: predicate.tests, first: predicate.anchored }),
          { tests: predicate.tests, first: predicate.anchored },
          false,
        )
      case 'depth':
        return this.depthBits(predicate.min, predicate.max)
      case 'type':
        return predicate.directory === (this.table === 'd') ? Bitset.full(this.rowCount) : new Bitset(this.rowCount)
      default:
        return this.rowsOfNames(predicate)
    }
  }

  private sizeBits(min: number, max: number): Bitset {
    const bits = new Bitset(this.rowCount)
    const { sizes } = this.segment.reader
    if (sizes === undefined) return bits
    const chunk = new Float64Array(16_384)
    for (let from = 0; from < this.rowCount; from += chunk.length) {
      const to = Math.min(this.rowCount, from + chunk.length)
      sizes.read(from, to, chunk)
      for (let i = 0; i < to - from; i++) if (chunk[i] >= min && chunk[i] <= max) bits.add(from + i)
    }
    return bits
  }

  private timeBits(predicate: TimePredicate): Bitset {
    const column = this.segment.reader.timeColumn(this.table, predicate.column)
    if (column === undefined) return new Bitset(this.rowCount)
    const low = Math.max(0, Math.ceil(predicate.from))
    const high = Math.min(TIME_EXCEPTION - 1, Math.ceil(predicate.to) - 1)
    const bits =
      low <= high ? this.segment.matchers[this.table].rowsInRange(column.seconds, low, high) : new Bitset(this.rowCount)
    column.forEachException((row, seconds) => {
      if (seconds >= predicate.from && seconds < predicate.to) bits.add(row)
    })
    return bits
  }

  private pathBits(predicate: PathPredicate): Bitset {
    const sequence: ComponentTests = { tests: predicate.tests, first: predicate.start === 'first' }
    const bits = new Bitset(this.rowCount)
    if (predicate.end !== 'last') bits.or(this.childrenOf(this.tree.closureOf(sequence), sequence, true))
    if (predicate.end !== 'inside') bits.or(this.rowsEnding(sequence))
    return bits
  }

  /** Rows whose own name is where the tests end. */
  private rowsEnding(sequence: ComponentTests): Bitset {
    if (this.table === 'd') return this.tree.directoriesEnding(sequence)
    const last = sequence.tests[sequence.tests.length - 1]
    const test: NameExpression = { kind: 'name', test: last }
    if (sequence.tests.length === 1) {
      const bits = this.rowsOfNames(test)
      // A file is the first component only directly below a virtual root.
      return sequence.first ? bits.and(this.firstComponents()) : bits
    }
    const parents = this.tree.directoriesEnding({ ...sequence, tests: sequence.tests.slice(0, -1) })
    const children = new Bitset(this.rowCount)
    this.addFilesOf(parents, children)
    if (last.mode !== 'glob' && last.mode !== 'exact' && last.needle.length === 0 && !last.spelling) return children
    return children.and(this.rowsOfNames(test))
  }

  private firstComponents(): Bitset {
    const bits = new Bitset(this.rowCount)
    if (this.view.virtualRoot) bits.fill(this.segment.reader.firstFile(0), this.segment.reader.firstFile(1))
    return bits
  }

  /** Rows whose parent is in `directories`; `inside`: those at any depth, `directories` being closed downwards. */
  private childrenOf(directories: Bitset, sequence: ComponentTests, inside: boolean): Bitset {
    const bits = new Bitset(this.rowCount)
    if (this.table === 'f') {
      this.addFilesOf(directories, bits)
      return bits
    }
    const { reader } = this.segment
    if (this.segment.displaced.size === 0) {
      this.addDirectoriesOf(directories, inside, bits)
      if (inside ? this.tree.endsBeforeRoot(sequence) : this.tree.endsAtPrefix(sequence)) bits.add(0)
      return bits
    }
    for (let local = 0; local < reader.dirCount; local++) {
      const parent = this.tree.currentParent(local)
      if (parent >= 0) {
        if (directories.has(parent)) bits.add(local)
      } else if (parent === -1) {
        if (inside ? this.tree.endsBeforeRoot(sequence) : this.tree.endsAtPrefix(sequence)) bits.add(local)
      } else if (
        inside
          ? directories.has(local) && this.insideByComponents(sequence, local)
          : this.childByComponents(sequence, local)
      ) {
        bits.add(local)
      }
    }
    return bits
  }

  /** Directories whose parent is in `directories`, where all are where the segment says. */
  private addDirectoriesOf(directories: Bitset, inside: boolean, bits: Bitset): void {
    const { reader } = this.segment
    for (let local = directories.next(0); local >= 0; ) {
      const end = reader.dirEnd(local)
      if (inside) {
        bits.fill(local + 1, end)
        local = directories.next(end)
      } else {
        for (let child = local + 1; child < end; child = reader.dirEnd(child)) bits.add(child)
        local = directories.next(local + 1)
      }
    }
  }

  private insideByComponents(sequence: ComponentTests, local: number): boolean {
    const components = this.tree.componentsOf(local)
    for (let length = 1; length < components.length; length++) {
      if (this.tree.endsIn(sequence, components.slice(0, length))) return true
    }
    return false
  }

  private childByComponents(sequence: ComponentTests, local: number): boolean {
    return this.tree.endsIn(sequence, this.tree.componentsOf(local).slice(0, -1))
  }

  private addFilesOf(directories: Bitset, bits: Bitset): void {
    const { reader } = this.segment
    for (let local = directories.next(0); local >= 0; ) {
      let end = local + 1
      while (end < reader.dirCount && directories.has(end)) end++
      bits.fill(reader.firstFile(local), reader.firstFile(end))
      local = directories.next(end)
    }
  }

  private depthBits(min: number, max: number): Bitset {
    const { reader } = this.segment
    const depths = new Uint32Array(reader.dirCount)
    const bits = new Bitset(this.rowCount)
    for (let local = 0; local < reader.dirCount; local++) {
      const parent = this.tree.currentParent(local)
      // Number of components of the directory's own path: the depth of its children.
      if (parent >= 0 && parent < local && !this.segment.displaced.has(local)) depths[local] = depths[parent] + 1
      else depths[local] = this.tree.componentsOf(local).length
      if (this.table === 'd') {
        const depth = depths[local] - 1
        if (depth >= min && depth <= max) bits.add(local)
      } else if (depths[local] >= min && depths[local] <= max) {
        bits.fill(reader.firstFile(local), reader.firstFile(local + 1))
      }
    }
    return bits
  }

  private componentsOfRow(row: number): { components: readonly Uint8Array[]; name: Uint8Array } {
    const { reader } = this.segment
    if (this.table === 'd') {
      const components = this.tree.componentsOf(row)
      return { components: components.slice(0, -1), name: components[components.length - 1] ?? new Uint8Array(0) }
    }
    return {
      components: this.tree.componentsOf(reader.directoryOfFile(row)),
      name: reader.nameOf(reader.dirCount + row),
    }
  }

  private get dictionary() {
    return this.table === 'd' ? this.segment.reader.dirs : this.segment.reader.files
  }
}

/** Cheapest first: what is decided by ranges, then fixed-width columns, then the rest. */
function cost(predicate: Predicate): number {
  switch (predicate.kind) {
    case 'under':
    case 'parent':
    case 'path':
      return 0
    case 'depth':
      return 1
    case 'time':
    case 'unknown':
      return 2
    case 'size':
      return 3
    case 'pathGlob':
      return 5
    default:
      return 4
  }
}
