import { CorruptFileError, UnsupportedVersionError } from '@hotpath/model'
import { crc32c } from './crc32c.js'
import { MalformedBytesError } from './malformed-bytes-error.js'
import { RoaringView } from './roaring-view.js'

/** Layout: docs/formats/manifest.md, "Tombstone files". All integers are little-endian. */
export const TOMBSTONE_MAGIC = 'HPDEAD\r\n'
/** 1: first version. */
export const TOMBSTONE_VERSION = 1
export const TOMBSTONE_HEADER_SIZE = 36
const FIELD = { version: 8, segment: 12, generation: 20, count: 28, length: 32 } as const

/** Dead entries of one segment at one checkpoint. */
export interface TombstoneFile {
  readonly segment: number
  /** Counts up with every file written for the segment. */
  readonly generation: number
  /** Number of ids in the bitmap. */
  readonly count: number
  /** Roaring bitmap of entry ids in the portable format; empty for none. */
  readonly bitmap: Uint8Array
}

export function encodeTombstoneFile(tombstones: TombstoneFile): Uint8Array {
  const { bitmap } = tombstones
  const bytes = new Uint8Array(TOMBSTONE_HEADER_SIZE + bitmap.length + 4)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < TOMBSTONE_MAGIC.length; i++) bytes[i] = TOMBSTONE_MAGIC.charCodeAt(i)
  view.setUint32(FIELD.version, TOMBSTONE_VERSION, true)
  view.setBigUint64(FIELD.segment, BigInt(tombstones.segment), true)
  view.setBigUint64(FIELD.generation, BigInt(tombstones.generation), true)
  view.setUint32(FIELD.count, tombstones.count, true)
  view.setUint32(FIELD.length, bitmap.length, true)
  bytes.set(bitmap, TOMBSTONE_HEADER_SIZE)
  view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true)
  return bytes
}

/**
 * The bitmap is a view of `bytes`, and a set of `count` ids: what reads it need not doubt it. Cost: its bytes.
 * @throws CorruptFileError, UnsupportedVersionError
 */
export function decodeTombstoneFile(bytes: Uint8Array, file: string): TombstoneFile {
  const fail = (offset: number, expected: string, found: string): never => {
    throw new CorruptFileError(file, offset, expected, found)
  }
  if (bytes.length < TOMBSTONE_HEADER_SIZE + 4)
    fail(0, `at least ${TOMBSTONE_HEADER_SIZE + 4} bytes`, `${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let i = 0; i < TOMBSTONE_MAGIC.length; i++) {
    if (bytes[i] !== TOMBSTONE_MAGIC.charCodeAt(i)) fail(i, 'the magic number of tombstones', `${bytes[i]}`)
  }
  const crc = crc32c(bytes, 0, bytes.length - 4)
  const stored = view.getUint32(bytes.length - 4, true)
  if (stored !== crc) fail(bytes.length - 4, `checksum ${crc}`, `${stored}`)
  const version = view.getUint32(FIELD.version, true)
  if (version !== TOMBSTONE_VERSION) {
    throw new UnsupportedVersionError(`the tombstones ${JSON.stringify(file)}`, version, `${TOMBSTONE_VERSION}`)
  }
  const length = view.getUint32(FIELD.length, true)
  if (length !== bytes.length - TOMBSTONE_HEADER_SIZE - 4)
    fail(FIELD.length, `${length} bytes`, `${bytes.length} in all`)
  const bitmap = bytes.subarray(TOMBSTONE_HEADER_SIZE, TOMBSTONE_HEADER_SIZE + length)
  const count = view.getUint32(FIELD.count, true)
  const ids = countIds(bitmap, file)
  if (ids !== count) fail(FIELD.count, `${ids} ids`, `${count}`)
  return {
    segment: Number(view.getBigUint64(FIELD.segment, true)),
    generation: Number(view.getBigUint64(FIELD.generation, true)),
    count,
    bitmap,
  }
}

/** Ids of a portable bitmap; no bytes are none. @throws CorruptFileError if it is not one from end to end */
function countIds(bitmap: Uint8Array, file: string): number {
  if (bitmap.length === 0) return 0
  try {
    const set = new RoaringView(bitmap)
    set.verify()
    if (set.byteLength === bitmap.length) return set.cardinality
    throw new MalformedBytesError(
      set.byteLength,
      'the end of the bitmap',
      `${bitmap.length - set.byteLength} more bytes`,
    )
  } catch (error) {
    if (error instanceof MalformedBytesError) throw error.inFile(file, TOMBSTONE_HEADER_SIZE)
    throw error
  }
}
