import type { BtreePage, Cell } from './btree-page.js'
import type { CellRun } from './tree-walk.js'

/** A cell with a record, and the page that it is on. */
export interface RowCell {
  readonly page: BtreePage
  readonly cell: Cell
}

/** A row as it was and as it is: one of both can be missing. */
export interface CellPair {
  readonly before?: RowCell
  readonly after?: RowCell
}

/** Pairs the rows of two states of a table by their rowids, in their order. Holds one cell of each. */
export function* pairsByRowid(before: Iterator<CellRun>, after: Iterator<CellRun>): Generator<CellPair> {
  const olds = new AscendingCells(before)
  const news = new AscendingCells(after)
  let old = olds.next()
  let next = news.next()
  while (old !== undefined || next !== undefined) {
    if (next === undefined || (old !== undefined && old.cell.rowid < next.cell.rowid)) {
      yield { before: old! }
      old = olds.next()
    } else if (old === undefined || next.cell.rowid < old.cell.rowid) {
      yield { after: next }
      next = news.next()
    } else {
      yield { before: old, after: next }
      old = olds.next()
      next = news.next()
    }
  }
}

/** The cells of runs, one after the other. */
export class Cells {
  #run: CellRun | undefined
  #next = 0

  constructor(readonly runs: Iterator<CellRun>) {}

  /** Index on its page of the cell that came last. */
  get index(): number {
    return this.#next - 1
  }

  next(): RowCell | undefined {
    while (this.#run === undefined || this.#next === this.#run.end) {
      const found = this.runs.next()
      if (found.done === true) return undefined
      this.#run = found.value
      this.#next = this.#run.start
    }
    const { page } = this.#run
    return { page, cell: page.cellAt(this.#next++) }
  }
}

/** Cells of a table, of which each has a greater rowid than the one before. */
class AscendingCells {
  readonly #cells: Cells
  #last: number | bigint | undefined

  constructor(runs: Iterator<CellRun>) {
    this.#cells = new Cells(runs)
  }

  next(): RowCell | undefined {
    const found = this.#cells.next()
    if (found === undefined) return undefined
    const { page, cell } = found
    if (this.#last !== undefined && cell.rowid <= this.#last)
      throw page.damage(cell.start, `a rowid above ${this.#last}`, cell.rowid)
    this.#last = cell.rowid
    return found
  }
}
