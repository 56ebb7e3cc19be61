import { crc32c } from '@hotpath/index-format'
import { CorruptFileError, UnsupportedVersionError } from '@hotpath/model'

/**
 * Header of `hot.db` (docs/formats/hot.md), as long as a record so that records never cross a sector. Field: [offset, size].
 *
 * Versions: 1 first.
 */
export const HOT_VERSION = 1
export const HOT_MAGIC = 'HPHOT\0\r\n'
export const HOT_HEADER_BYTES = 32
export const HOT_HEADER_FIELDS = {
  magic: [0, 8],
  version: [8, 4],
  recordSize: [12, 4],
  reserved: [16, 12],
  checksum: [28, 4],
} as const

/** Bytes of a record; its fields are in hot-record.ts. */
export const HOT_RECORD_BYTES = 32

export function encodeHotHeader(): Uint8Array {
  const bytes = Buffer.alloc(HOT_HEADER_BYTES)
  bytes.write(HOT_MAGIC, HOT_HEADER_FIELDS.magic[0], 'latin1')
  bytes.writeUInt32LE(HOT_VERSION, HOT_HEADER_FIELDS.version[0])
  bytes.writeUInt32LE(HOT_RECORD_BYTES, HOT_HEADER_FIELDS.recordSize[0])
  const [checksum] = HOT_HEADER_FIELDS.checksum
  bytes.writeUInt32LE(crc32c(bytes, 0, checksum), checksum)
  return bytes
}

/**
 * @param bytes the file from its start
 * @throws CorruptFileError, or UnsupportedVersionError for a file of another version
 */
export function checkHotHeader(bytes: Uint8Array, file: string): void {
  if (bytes.length < HOT_HEADER_BYTES) {
    throw new CorruptFileError(file, 0, `a header of ${HOT_HEADER_BYTES} bytes`, `${bytes.length} bytes`)
  }
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, HOT_HEADER_BYTES)
  const magic = header.toString('latin1', 0, HOT_MAGIC.length)
  if (magic !== HOT_MAGIC) throw new CorruptFileError(file, 0, JSON.stringify(HOT_MAGIC), JSON.stringify(magic))
  const [checksum] = HOT_HEADER_FIELDS.checksum
  const [expected, found] = [crc32c(header, 0, checksum), header.readUInt32LE(checksum)]
  if (expected !== found) throw new CorruptFileError(file, checksum, `checksum ${expected}`, `${found}`)
  const version = header.readUInt32LE(HOT_HEADER_FIELDS.version[0])
  if (version !== HOT_VERSION) throw new UnsupportedVersionError(`${JSON.stringify(file)}`, version, `${HOT_VERSION}`)
}
