import { damage, type VolumeBytes } from './damage.js'

/** Clusters that follow each other in a stream and on the volume. */
export interface Extent {
  /** First cluster on the volume; SPARSE: nothing is stored, it reads as zeros. */
  readonly cluster: number
  readonly clusters: number
}

export const SPARSE = -1
/** A field of a run takes this many bytes at most: 2^48 clusters are more than a volume may have. */
const MAX_FIELD_BYTES = 6

/**
 * Reads the mapping pairs of a non-resident attribute: bytes [start, end) of `record` (layout: Microsoft's NTFS attribute
 * record header, `MappingPairsOffset`). Each run has a header byte (bytes of its length below, of its offset above), a
 * length and an offset relative to the run before; no offset bytes: sparse.
 *
 * @param clusters of the volume
 * @throws CorruptFileError: a run that is empty, lies outside of the volume or is cut off
 */
export function parseRunList(record: VolumeBytes, start: number, end: number, clusters: number): Extent[] {
  const { bytes } = record
  const extents: Extent[] = []
  let at = start
  let cluster = 0
  while (at < end) {
    const header = bytes[at]!
    if (header === 0) return extents
    const lengthBytes = header & 0x0f
    const offsetBytes = header >> 4
    if (lengthBytes === 0 || lengthBytes > MAX_FIELD_BYTES || offsetBytes > MAX_FIELD_BYTES)
      throw damage(record, at, 'a run with fields of 1 to 6 bytes', `header 0x${header.toString(16)}`)
    if (at + 1 + lengthBytes + offsetBytes > end) throw damage(record, at, 'a whole run', `${end - at} bytes`)
    const length = unsigned(bytes, at + 1, lengthBytes)
    if (length === 0) throw damage(record, at + 1, 'a run of one cluster or more', 0)
    if (offsetBytes === 0) extents.push({ cluster: SPARSE, clusters: length })
    else {
      cluster += signed(bytes, at + 1 + lengthBytes, offsetBytes)
      if (cluster < 0 || cluster + length > clusters)
        throw damage(record, at, `clusters of the ${clusters} of the volume`, `${cluster} … ${cluster + length}`)
      extents.push({ cluster, clusters: length })
    }
    at += 1 + lengthBytes + offsetBytes
  }
  throw damage(record, end, 'the end of a run list', 'the end of the attribute')
}

function unsigned(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!
  return value
}

function signed(bytes: Uint8Array, at: number, count: number): number {
  const value = unsigned(bytes, at, count)
  return bytes[at + count - 1]! < 0x80 ? value : value - 256 ** count
}
