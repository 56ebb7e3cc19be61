import { TopItems } from './top-items.js'

/** Rows from which a page is gathered in columns: a heap of so many objects costs more than sorting what came in question. */
const LONG_PAGE = 4_096

/** Rows that a long page has room for at first: most searches find less than they may. */
const FIRST_ROWS = 256

/** An order of rows by two numbers. */
export interface RowComparison {
  /** Order of two rows that are the same in both. */
  readonly tie: (a: number, b: number) => number
  /** Called at each comparison; may throw. */
  readonly step: () => void
}

/** Takes rows with two numbers each and gives the first ones. Infinity comes last. */
export interface TopRows {
  /** Numbers of the last row that is kept, once there are enough: what comes after them need not be offered. */
  readonly lastValue: number
  readonly lastMinor: number
  offer(row: number, value: number, minor: number): void
  /** The first rows in order. To be called once. */
  sorted(): number[]
}

/** The `limit` smallest rows by value, minor value and tie. */
export function topRows(limit: number, comparison: RowComparison): TopRows {
  return limit < LONG_PAGE ? new RowHeap(limit, comparison) : new RowBuffer(limit, comparison)
}

interface Valued {
  readonly row: number
  readonly value: number
  readonly minor: number
}

/** For pages: O(n log limit). */
class RowHeap implements TopRows {
  private readonly top: TopItems<Valued>

  constructor(limit: number, { tie, step }: RowComparison) {
    this.top = new TopItems<Valued>(limit, (a, b) => {
      step()
      if (a.value !== b.value) return a.value < b.value ? -1 : 1
      if (a.minor !== b.minor) return a.minor < b.minor ? -1 : 1
      return tie(a.row, b.row)
    })
  }

  get lastValue(): number {
    return this.top.worst()?.value ?? Number.POSITIVE_INFINITY
  }

  get lastMinor(): number {
    return this.top.worst()?.minor ?? Number.POSITIVE_INFINITY
  }

  offer(row: number, value: number, minor: number): void {
    this.top.offer({ row, value, minor })
  }

  sorted(): number[] {
    return this.top.sorted().map(({ row }) => row)
  }
}

/** For long pages: up to twice as many rows are gathered, then sorted and cut. 20 bytes for each of these. */
class RowBuffer implements TopRows {
  lastValue = Number.POSITIVE_INFINITY
  lastMinor = Number.POSITIVE_INFINITY
  private count = 0
  private rows = new Uint32Array(FIRST_ROWS)
  private values = new Float64Array(FIRST_ROWS)
  private minors = new Float64Array(FIRST_ROWS)

  constructor(
    private readonly limit: number,
    private readonly comparison: RowComparison,
  ) {}

  offer(row: number, value: number, minor: number): void {
    if (this.count === this.rows.length) this.makeRoom()
    this.rows[this.count] = row
    this.values[this.count] = value
    this.minors[this.count] = minor
    this.count++
  }

  sorted(): number[] {
    const order = this.order()
    return Array.from({ length: Math.min(this.limit, order.length) }, (_, i) => this.rows[order[i]])
  }

  private makeRoom(): void {
    const room = Math.min(this.rows.length * 2, this.limit * 2)
    if (room > this.rows.length) {
      const { rows, values, minors } = this
      this.rows = new Uint32Array(room)
      this.rows.set(rows)
      this.values = new Float64Array(room)
      this.values.set(values)
      this.minors = new Float64Array(room)
      this.minors.set(minors)
      return
    }
    const { limit, rows, values, minors } = this
    const kept = this.order().subarray(0, limit)
    this.rows.set(kept.map(at => rows[at]))
    this.values.set(Float64Array.from(kept, at => values[at]))
    this.minors.set(Float64Array.from(kept, at => minors[at]))
    this.count = limit
    this.lastValue = this.values[limit - 1]
    this.lastMinor = this.minors[limit - 1]
  }

  /** Positions of what was gathered, in order. */
  private order(): Uint32Array {
    const { rows, values, minors } = this
    const { tie, step } = this.comparison
    return Uint32Array.from({ length: this.count }, (_, i) => i).sort((a, b) => {
      step()
      if (values[a] !== values[b]) return values[a] < values[b] ? -1 : 1
      if (minors[a] !== minors[b]) return minors[a] < minors[b] ? -1 : 1
      return tie(rows[a], rows[b])
    })
  }
}
