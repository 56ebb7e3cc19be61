import { uint32At } from './big-endian.js'
import { damage, type FileBytes } from './damage.js'
import { isPageSize } from './database-header.js'
import { addChecksum, type Checksum, NO_CHECKSUM, sameChecksum } from './wal-checksum.js'

/**
 * The header of a `-wal` (sqlite.org, "WAL-mode File Format", 2.1), big-endian:
 *
 *   offset  size  field
 *        0     4  magic                0x377f0682 checksums of little-endian words, 0x377f0683 of big-endian ones
 *        4     4  format version       3007000
 *        8     4  page size
 *       12     4  checkpoint sequence
 *       16     8  salts                new whenever the log starts again
 *       24     8  checksum of bytes 0..23
 *
 * Then frames, each of a header and a page:
 *
 *   offset  size  field
 *        0     4  page number
 *        4     4  pages of the database after the commit; 0 but for the last frame of one
 *        8     8  salts                of the header
 *       16     8  checksum             goes on from the frame before over bytes 0..7 and the page
 */
export const WAL_HEADER_BYTES = 32
export const FRAME_HEADER_BYTES = 24
const MAGIC_LITTLE_ENDIAN = 0x377f0682
const MAGIC_BIG_ENDIAN = 0x377f0683
const VERSION = 3_007_000

export interface WalHeader {
  readonly pageSize: number
  readonly checkpointSequence: number
  readonly salt1: number
  readonly salt2: number
  /** Byte order of the words that checksums are made of. */
  readonly bigEndian: boolean
  /** What the checksum of the first frame goes on from. */
  readonly checksum: Checksum
}

/** @throws CorruptFileError where SQLite would take the log as empty too */
export function parseWalHeader(start: FileBytes): WalHeader {
  const { bytes } = start
  if (bytes.length < WAL_HEADER_BYTES)
    throw damage(start, 0, `${WAL_HEADER_BYTES} bytes of the header of a log`, bytes.length)
  const magic = uint32At(bytes, 0)
  if (magic !== MAGIC_LITTLE_ENDIAN && magic !== MAGIC_BIG_ENDIAN)
    throw damage(start, 0, 'the magic 0x377f0682 or 0x377f0683', `0x${magic.toString(16)}`)
  const version = uint32At(bytes, 4)
  if (version !== VERSION) throw damage(start, 4, `the version ${VERSION}`, version)
  const pageSize = uint32At(bytes, 8)
  if (!isPageSize(pageSize)) throw damage(start, 8, 'a page size of 512 to 65536', pageSize)
  const bigEndian = magic === MAGIC_BIG_ENDIAN
  const checksum = addChecksum(NO_CHECKSUM, bytes, 0, 24, bigEndian)
  const stored = { first: uint32At(bytes, 24), second: uint32At(bytes, 28) }
  if (!sameChecksum(checksum, stored)) throw damage(start, 24, `the checksum ${shown(checksum)}`, shown(stored))
  return {
    pageSize,
    checkpointSequence: uint32At(bytes, 12),
    salt1: uint32At(bytes, 16),
    salt2: uint32At(bytes, 20),
    bigEndian,
    checksum,
  }
}

/** Position in the log of frame `no`, from 1. */
export function frameOffset(header: WalHeader, no: number): number {
  return WAL_HEADER_BYTES + (no - 1) * (FRAME_HEADER_BYTES + header.pageSize)
}

function shown({ first, second }: Checksum): string {
  return `${first.toString(16)} ${second.toString(16)}`
}
