import { BtreePage } from './btree-page.js'
import { type CellPair, Cells, type RowCell } from './cell-pairs.js'
import { payloadOf } from './overflow.js'
import { type PageSource, pageOffset } from './page-source.js'
import { recordKey } from './record.js'
import type { CellRun } from './tree-walk.js'

/** One state of a table, read row by row, and its rows that have no partner yet: keys and places, in the order of the tree. */
class Side {
  readonly waiting = new Map<string, { readonly no: number; readonly index: number }>()
  /** All rows were read. */
  done = false
  /** The row read last, and where it is. */
  row: RowCell | undefined
  readonly #cells: Cells

  constructor(
    readonly source: PageSource,
    runs: Iterator<CellRun>,
    readonly keyColumns: number,
  ) {
    this.#cells = new Cells(runs)
  }

  /** Nothing waits, and nothing comes any more. */
  get over(): boolean {
    return this.done && this.waiting.size === 0
  }

  /** Reads a row. @param wanted else there is none */
  advance(wanted: boolean): RowCell | undefined {
    this.row = undefined
    if (this.done || !wanted) return undefined
    this.row = this.#cells.next()
    this.done = this.row === undefined
    return this.row
  }

  keyOf({ page, cell }: RowCell): string {
    const bytes = payloadOf(this.source, page, cell)
    const record = { file: this.source.file, bytes, offset: pageOffset(this.source, page.no) + cell.payloadStart }
    return recordKey(record, this.keyColumns)
  }

  wait(key: string, row: RowCell): void {
    if (this.waiting.has(key))
      throw row.page.damage(row.cell.start, 'a key that no other row has', 'one that is there twice')
    this.waiting.set(key, { no: row.page.no, index: this.#cells.index })
  }

  /** Waiting rows up to the one with `key`, or all: they wait no longer. */
  *passed(key?: string): Generator<RowCell> {
    for (const other of this.waiting.keys()) {
      if (other === key) return
      yield this.take(other)
    }
  }

  take(key: string): RowCell {
    const { no, index } = this.waiting.get(key)!
    this.waiting.delete(key)
    const page = BtreePage.at(this.source, no)
    return { page, cell: page.cellAt(index) }
  }
}

/**
 * Pairs the rows of two states of a table without rowids by the bytes of their keys. Both come in the same order, which is not known (a
 * collation can be anything): where two meet, all before them have no partner. Of rows that wait for one, key and place are held: at most as many
 * as there are between two that meet. Between the same two, rows that are gone come before rows that are new: for the collation their
 * keys may be equal.
 *
 * @param same whether two rows are surely the same, told without decoding them
 */
export function* pairsByKey(
  before: { readonly source: PageSource; readonly runs: Iterator<CellRun> },
  after: { readonly source: PageSource; readonly runs: Iterator<CellRun> },
  keyColumns: number,
  same: (before: RowCell, after: RowCell) => boolean,
): Generator<CellPair> {
  const olds = new Side(before.source, before.runs, keyColumns)
  const news = new Side(after.source, after.runs, keyColumns)
  while (!olds.done || !news.done) {
    // The side with more rows waiting waits itself, so that both are soon at the same place again.
    const ahead = olds.waiting.size - news.waiting.size
    const old = olds.advance(ahead <= 0 || news.done)
    const next = news.advance(ahead >= 0 || olds.done)
    if (old !== undefined && next !== undefined && same(old, next)) {
      yield* unpaired(olds, news)
      yield { before: old, after: next }
      continue
    }
    if (old !== undefined) {
      const key = olds.keyOf(old)
      if (news.waiting.has(key)) {
        yield* unpaired(olds, news, undefined, key)
        yield { before: old, after: news.take(key) }
      } else olds.wait(key, old)
    }
    if (next !== undefined) {
      const key = news.keyOf(next)
      if (olds.waiting.has(key)) {
        yield* unpaired(olds, news, key, undefined)
        yield { before: olds.take(key), after: next }
      } else news.wait(key, next)
    }
    if (olds.over || news.over) yield* unpaired(olds, news)
  }
  yield* unpaired(olds, news)
}

/** Rows that wait before those with the given keys: no partner of theirs can come. */
function* unpaired(olds: Side, news: Side, oldKey?: string, newKey?: string): Generator<CellPair> {
  for (const before of olds.passed(oldKey)) yield { before }
  for (const after of news.passed(newKey)) yield { after }
}
