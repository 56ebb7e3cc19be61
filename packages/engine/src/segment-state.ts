import { RoaringView, type SegmentReader, type Table } from '@hotpath/index-format'
import { InvalidInputError } from '@hotpath/model'
import { Bitset } from './bitset.js'
import { ExtensionPass } from './extension-pass.js'
import { ListedRows } from './listed-rows.js'
import type { NameMatcher } from './name-matcher.js'
import { OpenedRows } from './opened-rows.js'
import { RowList } from './row-list.js'
import type { RowSet } from './row-set.js'
import { type ShortNames, ShortNamesBuilder } from './short-names.js'

/** Names up to which their short ones are gathered at once, when they are asked for: 2 ms. */
const FEW_NAMES = 16_384

/** A segment as a worker sees it: the mapped file and what has changed since it was written. */
export class SegmentState {
  /** Rows that are not entries: tombstoned, or stubs. */
  readonly hidden: Record<Table, Bitset | undefined> = { d: undefined, f: undefined }
  readonly hiddenCount: Record<Table, number> = { d: 0, f: 0 }
  /** Those of them that were entries when the segment was written: what stored totals count too much. */
  readonly deadRows: Record<Table, RowList> = { d: new RowList(), f: new RowList() }
  /** Local directories whose current parent or name is not what this segment says (see ViewState). */
  readonly displaced = new Set<number>()
  /** Changes whenever the depth of a directory of this segment may have changed. */
  displacedVersion = 0
  /** Entries whose nodes were opened. */
  readonly opened: OpenedRows
  /** The extensions of the names of files. */
  readonly extensions: ExtensionPass
  private readonly memory = new Map<string, RowSet>()
  private readonly lists = new Map<Uint32Array, ListedRows>()
  private readonly short: Partial<Record<Table, ShortNames>> = {}
  /** What is gathered while nobody searches. */
  private readonly gathering: Partial<Record<Table, ShortNamesBuilder>> = {}

  constructor(
    readonly id: number,
    readonly reader: SegmentReader,
    readonly origin: 'scan' | 'flush' | 'merge',
    readonly matchers: Record<Table, NameMatcher>,
    dead: Uint8Array,
  ) {
    this.opened = new OpenedRows(reader.dirCount, reader.fileCount)
    this.extensions = new ExtensionPass(reader.files)
    if (reader.stubCount > 0) {
      const bits = this.hiddenBits('d')
      for (let local = 0; local < reader.dirCount; local++) if (reader.isStub(local)) bits.add(local)
      this.hiddenCount.d = reader.stubCount
    }
    if (dead.length > 0) {
      new RoaringView(dead).forEach(entry => {
        this.hide(entry, entry + 1)
      })
    }
  }

  rowCount(table: Table): number {
    return table === 'd' ? this.reader.dirCount : this.reader.fileCount
  }

  /** Rows of the table that are entries. */
  visibleCount(table: Table): number {
    return this.rowCount(table) - this.hiddenCount[table]
  }

  isHidden(table: Table, row: number): boolean {
    return this.hidden[table]?.has(row) ?? false
  }

  /** Entry ids [from, to) are no longer entries. Hiding twice changes nothing. */
  hide(from: number, to: number): void {
    const { dirCount, rowCount } = this.reader
    if (from > to || to > rowCount)
      throw new InvalidInputError('tombstones', `entries below ${rowCount}`, `${from} … ${to}`)
    this.hideRows('d', from, Math.min(to, dirCount))
    this.hideRows('f', Math.max(from, dirCount) - dirCount, to - dirCount)
  }

  private hideRows(table: Table, from: number, to: number): void {
    if (from >= to) return
    const bits = this.hiddenBits(table)
    for (let row = from; row < to; row++) {
      if (bits.has(row)) continue
      bits.add(row)
      this.hiddenCount[table]++
      if (table === 'f' || !this.reader.isStub(row)) this.deadRows[table].push(row)
    }
  }

  /** A list of the segment with the names beside it: four bytes a row that a walk has reached. */
  listed(table: Table, rows: Uint32Array): ListedRows {
    let list = this.lists.get(rows)
    if (list === undefined) {
      list = new ListedRows(rows, table === 'd' ? this.reader.dirs : this.reader.files)
      this.lists.set(rows, list)
    }
    return list
  }

  /**
   * A set of rows or names that depends on the file alone, found once and kept: at most a bit each. There are one of empty
   * files, one of their names, and one for each column that some rows have no value in.
   */
  remembered(name: string, find: () => RowSet): RowSet {
    let rows = this.memory.get(name)
    if (rows === undefined) {
      rows = find()
      this.memory.set(name, rows)
    }
    return rows
  }

  /** The shortest names of a table; undefined while `settle` has not gathered them, which it does once they were asked for. */
  shortNames(table: Table): ShortNames | undefined {
    const known = this.short[table]
    if (known !== undefined) return known
    const dictionary = table === 'd' ? this.reader.dirs : this.reader.files
    this.gathering[table] ??= new ShortNamesBuilder(dictionary)
    if (dictionary.nameCount <= FEW_NAMES) this.settle(Number.POSITIVE_INFINITY)
    return this.short[table]
  }

  /** Gathers what searches asked for, until about then. @returns true if nothing is left to gather */
  settle(untilMs: number): boolean {
    for (const table of ['f', 'd'] as const) {
      const builder = this.gathering[table]
      if (builder === undefined) continue
      const names = builder.run(untilMs)
      if (names === undefined) return false
      this.short[table] = names
      delete this.gathering[table]
    }
    return true
  }

  private hiddenBits(table: Table): Bitset {
    this.hidden[table] ??= new Bitset(this.rowCount(table))
    return this.hidden[table]
  }
}
