import { crc32c } from '@hotpath/index-format'
import { HOT_RECORD_BYTES } from './hot-file.js'

/**
 * A record of `hot.db` (docs/formats/hot.md), little-endian. Field: [offset, size]. All zero: a free place.
 *
 * `runs` is at least 1 and `heat` a finite number of at least 1; whatever else is there is damage.
 */
export const HOT_RECORD_FIELDS = {
  checksum: [0, 4],
  volume: [4, 4],
  refLow: [8, 4],
  refHigh: [12, 4],
  refBirth: [16, 4],
  runs: [20, 4],
  opened: [24, 4],
  heat: [28, 4],
} as const

/** The same as indexes of words of 32 bits: records are read and written as typed arrays (all hosts of Node are little-endian). */
export const WORDS = HOT_RECORD_BYTES / 4
export const Word = { checksum: 0, volume: 1, low: 2, high: 3, birth: 4, runs: 5, opened: 6, heat: 7 } as const

export type PlaceState = 'free' | 'record' | 'damaged'

/** What the 32 bytes at `offset` are. */
export function stateOfPlace(bytes: Uint8Array, offset: number): PlaceState {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HOT_RECORD_BYTES)
  let any = 0
  for (let word = 0; word < WORDS; word++) any |= view.getUint32(word * 4, true)
  if (any === 0) return 'free'
  const heat = view.getFloat32(Word.heat * 4, true)
  if (!(heat >= 1 && heat < Number.POSITIVE_INFINITY) || view.getUint32(Word.runs * 4, true) === 0) return 'damaged'
  return view.getUint32(0, true) === recordChecksum(bytes, offset) ? 'record' : 'damaged'
}

/** CRC-32C of everything but the checksum itself. */
export function recordChecksum(bytes: Uint8Array, offset: number): number {
  return crc32c(bytes, offset + 4, offset + HOT_RECORD_BYTES)
}
