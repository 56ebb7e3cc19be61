import { BLOCK_NAMES, NamesBlockCursor } from '@hotpath/index-format'
import { Bitset } from './bitset.js'
import type { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'

/**
 * Rank of each row's extension among those of the hits; Infinity without one. Cost: a pass over the hits, and the blocks
 * of their names decoded once each; four bytes a name of the dictionary for the time of the search.
 */
export function extensionRanks(table: TableRows, hits: RowSet): (row: number) => number {
  const { dictionary, work } = table
  const names = new Bitset(dictionary.nameCount)
  hits.forEach(row => {
    names.add(dictionary.nameIdOf(row))
  })
  /** Number of the extension of each name, plus one; 0 without one. */
  const numbers = new Uint32Array(dictionary.nameCount)
  const extensions = new Map<string, number>()
  const cursor = new NamesBlockCursor()
  let steps = 0
  for (let id = names.next(0); id >= 0; ) {
    const first = id - (id % BLOCK_NAMES)
    const last = Math.min(dictionary.nameCount, first + BLOCK_NAMES) - 1
    for (let name = first; name <= last; name++) {
      if ((++steps & CHECK_MASK) === 0) work.checkCancelled()
      dictionary.advance(cursor, name)
      if (!names.has(name)) continue
      const extension = extensionText(cursor)
      if (extension === undefined) continue
      let number = extensions.get(extension)
      if (number === undefined) {
        number = extensions.size + 1
        extensions.set(extension, number)
      }
      numbers[name] = number
    }
    id = names.next(last + 1)
  }
  const ranks = new Float64Array(extensions.size + 1)
  ranks[0] = Number.POSITIVE_INFINITY
  const sorted = [...extensions].sort(([a], [b]) => (a < b ? -1 : 1))
  sorted.forEach(([, number], rank) => {
    ranks[number] = rank
  })
  return row => ranks[numbers[dictionary.nameIdOf(row)]]
}

/** What follows the last dot of the key, as a string of one character a byte. */
function extensionText({ key, keyStart, keyLength }: NamesBlockCursor): string | undefined {
  const end = keyStart + keyLength
  let dot = end - 1
  while (dot >= keyStart && key[dot] !== 0x2e) dot--
  return dot < keyStart || dot === end - 1
    ? undefined
    : Buffer.from(key.buffer, key.byteOffset + dot + 1, end - dot - 1).toString('latin1')
}
