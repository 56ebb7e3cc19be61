/** Longest text of a row that is indexed, in bytes of UTF-8: of longer ones the beginning is. */
export const MAX_ROW_TEXT = 1 << 20

/** What stands between the texts of a row's columns: a term never reaches over it. */
export const COLUMN_SEPARATOR = '\n'

/** One row as it is indexed. */
export interface IndexedRow {
  /** Name of its table. */
  readonly table: string
  /** See row-key.ts. */
  readonly key: Uint8Array
  /** Valid UTF-8: the texts of its indexed columns with COLUMN_SEPARATOR between them, at most MAX_ROW_TEXT bytes. */
  readonly text: Uint8Array
}

const encoder = new TextEncoder()

/** The text of a row with these columns; undefined if there is nothing to index. */
export function rowText(columns: readonly string[]): Uint8Array | undefined {
  const joined = columns.filter(text => text !== '').join(COLUMN_SEPARATOR)
  if (joined === '') return undefined
  // A character of UTF-16 takes three bytes at most; a lone surrogate becomes U+FFFD, as invalid bytes do elsewhere.
  const bytes = new Uint8Array(Math.min(joined.length * 3, MAX_ROW_TEXT))
  const { written } = encoder.encodeInto(joined, bytes)
  return bytes.slice(0, written)
}

/** Bytes compared as unsigned numbers, a prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}
