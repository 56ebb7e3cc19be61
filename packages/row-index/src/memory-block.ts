import { keyOf } from '@hotpath/index-format'
import type { IndexedRow } from './indexed-row.js'
import { ROW_END, type RowBlock } from './row-block.js'

/** A block of rows that are in memory. @param rows at most BLOCK_ROWS, of one table */
export function memoryBlock(rows: readonly IndexedRow[]): RowBlock {
  const { folded, ends } = foldTexts(rows)
  return {
    table: rows[0]!.table,
    count: rows.length,
    folded,
    ends,
    text: row => rows[row]!.text,
    key: row => rows[row]!.key,
  }
}

/** Folded texts as a block holds them. */
export function foldTexts(rows: readonly IndexedRow[]): Pick<RowBlock, 'folded' | 'ends'> {
  const keys = rows.map(({ text }) => keyOf(text))
  const folded = new Uint8Array(keys.reduce((sum, key) => sum + key.length + 1, 0))
  const ends = new Uint32Array(keys.length)
  let at = 0
  for (const [i, key] of keys.entries()) {
    folded.set(key, at)
    at += key.length
    ends[i] = at
    folded[at++] = ROW_END
  }
  return { folded, ends }
}
