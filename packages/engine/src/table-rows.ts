import type { Table } from '@hotpath/index-format'
import { comparePaths } from '@hotpath/query'
import type { SegmentState } from './segment-state.js'
import type { ViewScope } from './view-scope.js'

/** One table of one segment, as one search looks at it. */
export class TableRows {
  readonly rowCount: number

  constructor(
    readonly scope: ViewScope,
    readonly segment: SegmentState,
    readonly table: Table,
  ) {
    this.rowCount = segment.rowCount(table)
  }

  get view() {
    return this.scope.view
  }

  get work() {
    return this.scope.work
  }

  get reader() {
    return this.segment.reader
  }

  get dictionary() {
    return this.table === 'd' ? this.segment.reader.dirs : this.segment.reader.files
  }

  get matcher() {
    return this.segment.matchers[this.table]
  }

  /** Entry id of row 0. */
  get firstEntry(): number {
    return this.table === 'd' ? 0 : this.segment.reader.dirCount
  }

  /** True if the row is tombstoned or a stub. */
  isHidden(row: number): boolean {
    return this.segment.isHidden(this.table, row)
  }

  nameIdOf(row: number): number {
    return this.dictionary.nameIdOf(row)
  }

  /** Components of the path of a row, as things are now. */
  componentsOf(row: number): readonly Uint8Array[] {
    const { reader } = this
    if (this.table === 'd') return this.view.componentsOf(reader.dirIdOf(row))
    return [...this.parentComponentsOf(row), reader.nameOf(reader.dirCount + row)]
  }

  /** Components before the name of a file. */
  parentComponentsOf(file: number): readonly Uint8Array[] {
    return this.view.componentsOf(this.reader.dirIdOf(this.reader.directoryOfFile(file)))
  }

  /** Path order of two rows, by their components: for segments with displaced directories. */
  compareComponents(a: number, b: number): number {
    return a === b ? 0 : comparePaths(this.componentsOf(a), this.componentsOf(b))
  }
}
