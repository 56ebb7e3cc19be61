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
  const array = fixUpsAt(words, start, recordBytes)
  if (array < 0) return false
  const strides = recordBytes / STRIDE
  const written = words[array]!
  let end = start + (STRIDE >> 1) - 1
  for (let stride = 0; stride < strides; stride++, end += STRIDE >> 1) if (words[end] !== written) return false
  end = start + (STRIDE >> 1) - 1
  for (let stride = 1; stride <= strides; stride++, end += STRIDE >> 1) words[end] = words[array + stride]!
  return true
}

/**
 * The opposite, in place, for a record whose ends hold their real words: what whoever keeps records in memory gives. A record whose ends
 * all hold the word of a write is left as it is: it is taken for one as it is stored. So is one whose header is damaged.
 */
export function redoFixUps(words: Uint16Array, at: number, recordBytes: number): void {
  const start = at >> 1
  const array = fixUpsAt(words, start, recordBytes)
  if (array < 0) return
  const strides = recordBytes / STRIDE
  const written = words[array]!
  const ends = Array.from({ length: strides }, (_, stride) => start + (stride + 1) * (STRIDE >> 1) - 1)
  if (ends.every(end => words[end] === written)) return
  for (const [stride, end] of ends.entries()) {
    words[array + 1 + stride] = words[end]!
    words[end] = written
  }
}

/** Position of the word of the last write, which those follow that belong to the ends; -1: it cannot be. */
function fixUpsAt(words: Uint16Array, start: number, recordBytes: number): number {
  const arrayAt = words[start + (Record.fixUpOffset >> 1)]!
  const count = words[start + (Record.fixUpCount >> 1)]!
  // The array itself ends before the first word that it stands for.
  if (count !== recordBytes / STRIDE + 1 || (arrayAt & 1) !== 0 || arrayAt + 2 * count > STRIDE - 2) return -1
  return start + (arrayAt >> 1)
}
