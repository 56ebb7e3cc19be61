import { uint32At } from './big-endian.js'
import { damage, type FileBytes } from './damage.js'
import { pageSizeOf } from './database-header.js'
import { addChecksum, type Checksum, NO_CHECKSUM, sameChecksum } from './wal-checksum.js'

/**
 * The start of a `-shm`, the index of the log (sqlite.org, "WAL-mode File Format", 3.1), in the byte order of the host:
 *
 *   offset  size  field
 *        0     4  version            3007000
 *        8     4  change counter     of transactions
 *       12     1  initialised
 *       13     1  big-endian checksums in the log
 *       14     2  page size          1 means 65536; 0 if no frame was ever found
 *       16     4  mxFrame            the last frame that is committed
 *       20     4  pages of the database
 *       24     8  checksum of frame mxFrame
 *       32     8  salts              as in the log: big-endian
 *       40     8  checksum of bytes 0..39
 *       48    48  the same again
 *       96     4  nBackfill          frames that are in the database too
 *      100    20  read marks         five
 *      120     8  locks
 *      128     4  nBackfillAttempted frames that may be in the database
 */
export const WAL_INDEX_BYTES = 136
const COPY_BYTES = 48
const VERSION = 3_007_000
const READ_MARKS = 5
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

export interface WalIndexHeader {
  readonly changeCounter: number
  readonly bigEndianChecksums: boolean
  readonly pageSize: number
  readonly mxFrame: number
  readonly pageCount: number
  readonly frameChecksum: Checksum
  readonly salt1: number
  readonly salt2: number
}

export interface CheckpointInfo {
  /** Frames up to this one are in the database too. */
  readonly backfilled: number
  /** Frames up to this one may be there in part. */
  readonly backfillAttempted: number
  /** Up to which frame readers read; 0xffffffff: not used. */
  readonly readMarks: readonly number[]
}

export interface WalIndex {
  readonly header: WalIndexHeader
  readonly checkpoint: CheckpointInfo
}

/**
 * @returns undefined where the two copies differ, or neither was written yet: a writer is between them, and the caller reads again
 * @throws CorruptFileError where both are equal and cannot be
 */
export function parseWalIndex(start: FileBytes): WalIndex | undefined {
  const { bytes } = start
  if (bytes.length < WAL_INDEX_BYTES)
    throw damage(start, 0, `${WAL_INDEX_BYTES} bytes of the index of a log`, bytes.length)
  for (let at = 0; at < COPY_BYTES; at++) if (bytes[at] !== bytes[COPY_BYTES + at]) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, WAL_INDEX_BYTES)
  const uint32 = (at: number): number => view.getUint32(at, LITTLE_ENDIAN)
  if (bytes[12] === 0) return undefined
  if (uint32(0) !== VERSION) throw damage(start, 0, `the version ${VERSION}`, uint32(0))
  const checksum = addChecksum(NO_CHECKSUM, bytes, 0, 40, !LITTLE_ENDIAN)
  const stored = { first: uint32(40), second: uint32(44) }
  if (!sameChecksum(checksum, stored))
    throw damage(start, 40, `the checksum ${checksum.first} ${checksum.second}`, `${stored.first} ${stored.second}`)
  const field = view.getUint16(14, LITTLE_ENDIAN)
  // Who found a log without a commit when he opened it knows of no pages.
  const pageSize = field === 0 && uint32(16) === 0 ? 0 : pageSizeOf(field)
  if (pageSize === undefined) throw damage(start, 14, 'a page size of 512 to 65536', field)
  return {
    header: {
      changeCounter: uint32(8),
      bigEndianChecksums: bytes[13] !== 0,
      pageSize,
      mxFrame: uint32(16),
      pageCount: uint32(20),
      frameChecksum: { first: uint32(24), second: uint32(28) },
      salt1: uint32At(bytes, 32),
      salt2: uint32At(bytes, 36),
    },
    checkpoint: {
      backfilled: uint32(96),
      backfillAttempted: uint32(128),
      readMarks: Array.from({ length: READ_MARKS }, (_, index) => uint32(100 + 4 * index)),
    },
  }
}
