import { AnywhereFilter } from './row-filter.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'

/** ns to make and match the path of an entry. */
const PATH_NS = 2500

/** Rows whose whole path passes a test. */
export class PathTextFilter extends AnywhereFilter {
  readonly estimate: number
  readonly testNs = PATH_NS
  readonly allNs: number
  private tests = 0

  constructor(
    private readonly table: TableRows,
    private readonly matches: (row: number) => boolean,
  ) {
    super()
    this.estimate = table.rowCount
    this.allNs = table.rowCount * PATH_NS
  }

  test(row: number): boolean {
    const { table } = this
    if ((++this.tests & (CHECK_MASK >>> 5)) === 0) table.work.checkCancelled()
    return this.matches(row)
  }

  all(): RowSet {
    return RowSet.full(this.table.rowCount).filter(row => this.test(row))
  }
}
