import type { DictionaryReader } from '@hotpath/index-format'

/** Rows whose names are looked up at once; also the blocks of so many names are verified together by a walk. */
export const LIST_CHUNK = 256

/**
 * A list of rows in some order (newest, largest …) with their name ids beside it, which are kept: rows of a list lie
 * anywhere in the table, and looking each up is what a walk would spend its time on.
 */
export class ListedRows {
  private ids = new Uint32Array(0)
  private filled = 0
  private expected = 0

  constructor(
    readonly rows: Uint32Array,
    private readonly dictionary: DictionaryReader,
  ) {}

  /** Name ids of the rows at positions `from` … `from + LIST_CHUNK`, as far as there are any. */
  nameIds(from: number): Uint32Array {
    const to = Math.min(this.rows.length, from + LIST_CHUNK)
    if (to > this.filled) this.fill(to)
    return this.ids.subarray(from, to)
  }

  private fill(to: number): void {
    if (this.dictionary.isCold && to > this.expected) this.expectAhead(to)
    if (to > this.ids.length) {
      const larger = new Uint32Array(Math.min(this.rows.length, Math.max(to, this.ids.length * 2)))
      larger.set(this.ids.subarray(0, this.filled))
      this.ids = larger
    }
    for (; this.filled < to; this.filled++) this.ids[this.filled] = this.dictionary.nameIdOf(this.rows[this.filled])
  }

  /** Each row is on a page of its own: as many are read ahead as were looked at before, for most walks end soon. */
  private expectAhead(to: number): void {
    const { dictionary, rows } = this
    const end = Math.min(rows.length, to + this.filled)
    for (let i = Math.max(this.filled, this.expected); i < end; i++) dictionary.nameIdColumn.expect(rows[i], 1)
    this.expected = end
    dictionary.fetchExpected()
  }
}
