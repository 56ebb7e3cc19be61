import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'

/**
 * A predicate over the rows of one table of one segment, tombstoned rows included: asked of single rows, or of all.
 * What it costs is said in nanoseconds, as estimated from counts that are known without looking at rows; the constants
 * were measured at 2.5 GHz over 10 million entries and only steer between ways that give the same answer.
 */
export interface RowFilter {
  /** About how many rows pass. */
  readonly estimate: number
  /** Cost of one test. */
  readonly testNs: number
  /** Cost of `all`. */
  readonly allNs: number
  test(row: number): boolean
  /** Every row that passes. */
  all(): RowSet
  /** Filters that all must pass: itself, or the parts of a conjunction. */
  readonly conjuncts: readonly RowFilter[]
  /** A row at or after `row` before which no row passes; size if none does. */
  skip(row: number): number
  /** A row at or before `row` after which no row passes; -1 if none does. */
  skipBack(row: number): number
}

/** Nothing known of where rows are. */
export abstract class AnywhereFilter implements RowFilter {
  abstract readonly estimate: number
  abstract readonly testNs: number
  abstract readonly allNs: number
  abstract test(row: number): boolean
  abstract all(): RowSet

  get conjuncts(): readonly RowFilter[] {
    return [this]
  }

  skip(row: number): number {
    return row
  }

  skipBack(row: number): number {
    return row
  }
}

/** Every row, or none. */
export class ConstantFilter extends AnywhereFilter {
  readonly estimate: number
  readonly testNs = 1
  readonly allNs = 0

  constructor(
    private readonly rowCount: number,
    private readonly value: boolean,
  ) {
    super()
    this.estimate = value ? rowCount : 0
  }

  test(): boolean {
    return this.value
  }

  all(): RowSet {
    return this.value ? RowSet.full(this.rowCount) : RowSet.none(this.rowCount)
  }
}

/** ns of a test of a set of rows kept as bits, and as a list. */
const BITS_TEST_NS = 6
const LIST_TEST_NS = 70
/** ns of a row for what is done with it, whatever that is: of two ways the one with fewer rows. */
const HANDLING_NS = 5

/** Rows that are known. */
export class SetFilter implements RowFilter {
  readonly allNs = 0

  /** No row is set in [gapStart, gapEnd): gaps are long, and asked about row by row. */
  private gapStart = 0
  private gapEnd = 0

  constructor(private readonly rows: RowSet) {}

  get conjuncts(): readonly RowFilter[] {
    return [this]
  }

  get estimate(): number {
    return this.rows.count
  }

  get testNs(): number {
    return this.rows.isList ? LIST_TEST_NS : BITS_TEST_NS
  }

  test(row: number): boolean {
    return this.rows.has(row)
  }

  all(): RowSet {
    return this.rows
  }

  skip(row: number): number {
    if (row < this.gapStart || row >= this.gapEnd) {
      const next = this.rows.next(row)
      this.gapStart = row
      this.gapEnd = next < 0 ? this.rows.size : next
    }
    return this.gapEnd
  }

  skipBack(row: number): number {
    if (row < this.gapStart || row >= this.gapEnd) {
      this.gapStart = this.rows.previous(row) + 1
      this.gapEnd = row + 1
    }
    return this.gapStart - 1
  }
}

/** Rows that pass every part. Starts with the part that promises the fewest rows for its cost. */
export class AndFilter implements RowFilter {
  readonly estimate: number
  readonly testNs: number
  readonly allNs: number
  private readonly driver: RowFilter
  /** Cheapest first. */
  private readonly tests: readonly RowFilter[]

  /** @param parts at least one */
  constructor(
    rowCount: number,
    readonly conjuncts: readonly RowFilter[],
    private readonly checkCancelled: () => void,
  ) {
    const parts = conjuncts
    this.tests = [...parts].sort((a, b) => a.testNs - b.testNs)
    // As if the parts had nothing to do with each other.
    this.estimate = parts.reduce((share, part) => share * (part.estimate / Math.max(1, rowCount)), rowCount)
    // Later tests are seldom reached.
    this.testNs = this.tests.reduce((sum, part, i) => sum + part.testNs / (i + 1), 0)
    let driver = parts[0]
    let least = Number.POSITIVE_INFINITY
    for (const part of parts) {
      let cost = part.allNs + part.estimate * HANDLING_NS
      for (const other of parts) if (other !== part) cost += narrowingNs(other, part.estimate)
      if (cost < least) {
        least = cost
        driver = part
      }
    }
    this.driver = driver
    this.allNs = least
  }

  test(row: number): boolean {
    const { tests } = this
    for (let i = 0; i < tests.length; i++) if (!tests[i].test(row)) return false
    return true
  }

  all(): RowSet {
    let rows = this.driver.all()
    const open = this.conjuncts.filter(part => part !== this.driver)
    while (open.length > 0 && rows.count > 0) {
      // What the counts say now decides which part is next, and how.
      const count = rows.count
      open.sort((a, b) => narrowingNs(a, count) - narrowingNs(b, count))
      const [part] = open.splice(0, 1)
      rows = count * part.testNs <= part.allNs ? rows.filter(this.checking(part)) : rows.and(part.all())
    }
    return rows
  }

  private checking(part: RowFilter): (row: number) => boolean {
    let steps = 0
    return row => {
      if ((++steps & CHECK_MASK) === 0) this.checkCancelled()
      return part.test(row)
    }
  }

  skip(row: number): number {
    let next = row
    for (const part of this.conjuncts) next = Math.max(next, part.skip(next))
    return next
  }

  skipBack(row: number): number {
    let next = row
    for (const part of this.conjuncts) next = Math.min(next, part.skipBack(next))
    return next
  }
}

/** Cost of taking out of `count` rows those that do not pass. */
function narrowingNs(part: RowFilter, count: number): number {
  return Math.min(part.allNs, count * part.testNs)
}

/** Rows that pass at least one part. */
export class OrFilter implements RowFilter {
  readonly estimate: number
  readonly testNs: number
  readonly allNs: number
  readonly conjuncts: readonly RowFilter[] = [this]
  /** Cheapest first. */
  readonly parts: readonly RowFilter[]

  constructor(
    private readonly rowCount: number,
    parts: readonly RowFilter[],
  ) {
    this.parts = [...parts].sort((a, b) => a.testNs - b.testNs)
    let estimate = 0
    let testNs = 0
    let allNs = 0
    for (const part of parts) {
      estimate += part.estimate
      testNs += part.testNs
      allNs += part.allNs
    }
    this.estimate = Math.min(rowCount, estimate)
    this.testNs = testNs
    this.allNs = allNs
  }

  test(row: number): boolean {
    const { parts } = this
    for (let i = 0; i < parts.length; i++) if (parts[i].test(row)) return true
    return false
  }

  all(): RowSet {
    return this.parts.reduce((rows, part) => rows.or(part.all()), RowSet.none(this.rowCount))
  }

  skip(row: number): number {
    let next = this.rowCount
    for (let i = 0; i < this.parts.length && next > row; i++) next = Math.min(next, this.parts[i].skip(row))
    return next
  }

  skipBack(row: number): number {
    let next = -1
    for (let i = 0; i < this.parts.length && next < row; i++) next = Math.max(next, this.parts[i].skipBack(row))
    return next
  }
}

/** Rows that do not pass. */
export class NotFilter extends AnywhereFilter {
  constructor(
    private readonly rowCount: number,
    private readonly part: RowFilter,
  ) {
    super()
  }

  get estimate(): number {
    return Math.max(0, this.rowCount - this.part.estimate)
  }

  get testNs(): number {
    return this.part.testNs
  }

  get allNs(): number {
    return this.part.allNs
  }

  test(row: number): boolean {
    return !this.part.test(row)
  }

  all(): RowSet {
    return this.part.all().complement()
  }
}
