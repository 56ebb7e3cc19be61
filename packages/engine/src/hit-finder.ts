import { NamesFilter } from './names-filter.js'
import { AndFilter, type RowFilter } from './row-filter.js'
import type { RowCursor, RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'

/** ns to give a hit its place among the first ones of an order, when all hits are looked at. */
const PLACE_NS = 60
/** ns that a walk may take whatever finding all hits would: what the estimates cannot see. */
export const LEAST_BUDGET_NS = 150_000
/** ns of a step of a walk beside the blocks of names that it verifies. */
const STEP_NS = 25
/** ns to verify a block of names by itself. */
const BLOCK_NS = 900

/** Rows whose names are verified together by a walk while the segment is cold: some blocks each, all read at once. */
const FIRST_PREPARED_ROWS = 64
const MOST_PREPARED_ROWS = 1_024

/** The hits of a query in one table of one segment: rows that pass the filter and are entries. */
export class HitFinder {
  private rows: RowSet | undefined

  constructor(
    readonly table: TableRows,
    readonly filter: RowFilter,
  ) {}

  /** About how many hits there are; exact once they are known. */
  get estimate(): number {
    return this.rows?.count ?? Math.min(this.filter.estimate, this.table.segment.visibleCount(this.table.table))
  }

  get known(): RowSet | undefined {
    return this.rows
  }

  isHit(row: number): boolean {
    return this.rows ? this.rows.has(row) : !this.table.isHidden(row) && this.filter.test(row)
  }

  /** Every hit. */
  all(): RowSet {
    if (this.rows === undefined) {
      const { table, filter } = this
      const rows = filter.all()
      const hidden = table.segment.hidden[table.table]
      this.rows = hidden ? rows.without(hidden) : rows
    }
    return this.rows
  }

  /** The filter of names, and what else rows must pass. */
  get parts(): { names: NamesFilter | undefined; rest: RowFilter | undefined } {
    const { conjuncts } = this.filter
    const names = conjuncts.find(part => part instanceof NamesFilter)
    const others = conjuncts.filter(part => part !== names)
    if (others.length === 0) return { names, rest: undefined }
    return {
      names,
      rest:
        others.length === 1 ? others[0] : new AndFilter(this.table.rowCount, others, this.table.work.checkCancelled),
    }
  }

  /**
   * ns to find all hits and sort out the first ones.
   * @param placeNs of that for the place of each hit
   */
  allNs(placeNs = PLACE_NS): number {
    return (this.rows ? 0 : this.filter.allNs) + this.estimate * placeNs
  }

  /**
   * What a walk along an order may take, if walking promises to be cheaper than finding all hits; undefined if it does
   * not.
   * @param stepNs cost of a step beside the test
   * @param placeNs see `allNs`
   */
  budgetFor(limit: number, stepNs: number, placeNs = PLACE_NS): WalkBudget | undefined {
    const { table, estimate } = this
    if (estimate <= limit) return undefined
    const expectedNs = (limit / estimate) * table.rowCount * ((this.rows ? STEP_NS : this.filter.testNs) + stepNs)
    return expectedNs < this.allNs(placeNs) ? this.walkBudget(expectedNs, STEP_NS + stepNs, placeNs) : undefined
  }

  /**
   * A budget for a walk that takes `expectedNs` if hits are spread evenly: four times that, as they seldom are, but no
   * more than half of what finding all hits takes, so that a walk in vain does little harm.
   */
  walkBudget(expectedNs: number, stepNs: number, placeNs = PLACE_NS): WalkBudget {
    const limitNs = Math.max(LEAST_BUDGET_NS, Math.min(4 * expectedNs, this.allNs(placeNs) / 2))
    return new WalkBudget(this.table, limitNs, stepNs)
  }
}

/** Ends walks that find too little. */
export class WalkBudget {
  private readonly blocksBefore: number
  private steps = 0
  private spentNs = 0
  private spent = false

  constructor(
    private readonly table: TableRows,
    private readonly limitNs: number,
    /** Cost of most steps. */
    private readonly stepNs: number,
  ) {
    this.blocksBefore = table.work.blocksVerified
  }

  /** True once a step was refused: the walk came to no result. */
  get isSpent(): boolean {
    return this.spent
  }

  /** Call before each step. @returns false if the walk must end */
  step(ns = this.stepNs): boolean {
    const { work } = this.table
    if ((++this.steps & CHECK_MASK) === 0) work.checkCancelled()
    this.spentNs += ns
    this.spent = this.spentNs + (work.blocksVerified - this.blocksBefore) * BLOCK_NS > this.limitNs
    return !this.spent
  }
}

/** Hits in the order of rows, each row being tested when it is reached. */
export class TestedRows implements RowCursor {
  /** The names of the rows [from, to) have been verified together. */
  private prepared = { from: 0, to: 0 }

  constructor(
    private readonly finder: HitFinder,
    private readonly budget: WalkBudget,
  ) {}

  next(from: number): number {
    const { finder, budget } = this
    const { filter } = finder
    const size = finder.table.rowCount
    for (let row = filter.skip(from); row < size; row = filter.skip(row + 1)) {
      if (!budget.step()) return -1
      this.prepare(row)
      if (finder.isHit(row)) return row
    }
    return -1
  }

  previous(from: number): number {
    const { finder, budget } = this
    const { filter } = finder
    for (let row = filter.skipBack(from); row >= 0; row = filter.skipBack(row - 1)) {
      if (!budget.step()) return -1
      if (finder.isHit(row)) return row
    }
    return -1
  }

  /** While the segment is cold, the names of the next rows are verified together: by itself each waits for its block. */
  private prepare(row: number): void {
    const { finder } = this
    const { table } = finder
    const { dictionary } = table
    const { from, to } = this.prepared
    if (!dictionary.isCold || (row >= from && row < to)) return
    const { names } = finder.parts
    if (names === undefined) return
    // Most walks end soon: as many again as were looked at without a break.
    const count = row === to ? Math.min(MOST_PREPARED_ROWS, (to - from) * 2) : FIRST_PREPARED_ROWS
    const end = Math.min(table.rowCount, row + Math.max(FIRST_PREPARED_ROWS, count))
    dictionary.nameIdColumn.expect(row, end - row)
    dictionary.fetchExpected()
    names.verdicts.prepare(Uint32Array.from({ length: end - row }, (_, i) => table.nameIdOf(row + i)))
    this.prepared = { from: row, to: end }
  }
}
