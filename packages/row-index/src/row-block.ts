/** Most rows of a block: one bit of a mask each. */
export const BLOCK_ROWS = 32

/** What stands after the text of each row in a block; no byte of valid UTF-8. */
export const ROW_END = 0xff

/**
 * Up to 32 rows of one table, in ascending order of their keys: what is matched at once. A set of its rows is a mask, bit i
 * for row i.
 */
export interface RowBlock {
  readonly table: string
  readonly count: number
  /** Keys (`keyOf`) of the rows' texts, each followed by ROW_END. */
  readonly folded: Uint8Array
  /** Where the folded text of each row ends in `folded`, without its ROW_END. */
  readonly ends: Uint32Array
  /** Text of a row as it was written. */
  text(row: number): Uint8Array
  /** Key of a row (row-key.ts of the model). */
  key(row: number): Uint8Array
}

/** The mask of all rows of a block. */
export function allRows(count: number): number {
  return count === BLOCK_ROWS ? -1 : (1 << count) - 1
}

export function popCount(mask: number): number {
  let bits = mask - ((mask >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
}
