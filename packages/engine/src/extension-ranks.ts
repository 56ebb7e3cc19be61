import { BLOCK_NAMES, type DictionaryReader } from '@hotpath/index-format'
import { CHECK_MASK, type SearchWork } from './search-work.js'

/** The order of the extensions of names: of all names of a dictionary, or of some. */
export interface ExtensionRanks {
  /** Distinct extensions; also the rank of names without one. */
  readonly count: number
  /** Place of a name's extension among all. */
  rankOf(nameId: number): number
}

/**
 * The ranks of some names, for a segment whose extensions nobody has found out yet.
 * Cost: 1.2 µs for each block that has one of them, and sorting their extensions.
 * @param ids ascending
 */
export function ranksOfSome(dictionary: DictionaryReader, ids: Uint32Array, work: SearchWork): ExtensionRanks {
  const texts = new Map<number, string>()
  for (let i = 0; i < ids.length; ) {
    if ((i & CHECK_MASK) === 0) work.checkCancelled()
    const block = Math.floor(ids[i] / BLOCK_NAMES)
    let id = block * BLOCK_NAMES
    dictionary.forEachKey(block, block + 1, (key, start, end) => {
      if (ids[i] === id++) texts.set(ids[i++], extensionText(key, start, end))
    })
  }
  const distinct = new Set(texts.values())
  distinct.delete('')
  // One character a byte: strings compare as the bytes do.
  const ranks = new Map([...distinct].sort().map((text, rank) => [text, rank]))
  const count = ranks.size
  return { count, rankOf: nameId => ranks.get(texts.get(nameId) ?? '') ?? count }
}

/** What follows the last dot of key[start … end), one character a byte; empty if nothing does. */
function extensionText(key: Uint8Array, start: number, end: number): string {
  let dot = end - 1
  while (dot >= start && key[dot] !== 0x2e) dot--
  return dot < start ? '' : Buffer.from(key.buffer, key.byteOffset + dot + 1, end - dot - 1).toString('latin1')
}
