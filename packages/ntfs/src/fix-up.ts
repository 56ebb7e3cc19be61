import { Record, STRIDE } from './layout.js'

/**
 * Puts the real words back at the end of each 512 bytes of a record, in place. False where an end does not hold the word of
 * this write: the record was torn, or its header is damaged; nothing is changed then.
 *
 * @param words of the piece; the record begins at an even position
 * @param at byte position of the record
 */
export function undoFixUps(words: Uint16Array, at: number, recordBytes: number): boolean {
  const start = at >> 1
  const arrayAt = words[start + (Record.fixUpOffset >> 1)]!
  const count = words[start + (Record.fixUpCount >> 1)]!
  const strides = recordBytes / STRIDE
  // The array itself ends before the first word that it stands for.
  if (count !== strides + 1 || (arrayAt & 1) !== 0 || arrayAt + 2 * count > STRIDE - 2) return false
  const array = start + (arrayAt >> 1)
  const written = words[array]!
  let end = start + (STRIDE >> 1) - 1
  for (let stride = 0; stride < strides; stride++, end += STRIDE >> 1) if (words[end] !== written) return false
  end = start + (STRIDE >> 1) - 1
  for (let stride = 1; stride <= strides; stride++, end += STRIDE >> 1) words[end] = words[array + stride]!
  return true
}
