import { uint16At, uint32At } from './big-endian.js'
import { damage, type FileBytes } from './damage.js'

/**
 * The first 100 bytes of page 1 (sqlite.org, "Database File Format", 1.3), big-endian:
 *
 *   offset  size  field
 *        0    16  magic               "SQLite format 3\0"
 *       16     2  page size           power of two 512..32768; 1 means 65536
 *       18     1  write version       1 rollback journal, 2 log (WAL)
 *       19     1  read version
 *       20     1  reserved bytes      at the end of each page; at least 480 of it are left
 *       21     3  payload fractions   always 64, 32, 32
 *       24     4  change counter
 *       28     4  pages               valid where 92 equals 24, and not 0
 *       32     4  first page of the freelist
 *       36     4  pages of the freelist
 *       40     4  schema cookie
 *       44     4  schema format       1..4; 0 in a database without a table
 *       52     4  largest root page   not 0: pointer map pages (auto_vacuum)
 *       56     4  text encoding       1 UTF-8, 2 UTF-16LE, 3 UTF-16BE; 0 in a database without a table
 *       64     4  incremental vacuum
 *       92     4  version valid for   change counter when 28 was written
 */
export const DATABASE_HEADER_BYTES = 100
export const DATABASE_MAGIC = 'SQLite format 3\0'
const MIN_PAGE_BYTES = 512
const MAX_PAGE_BYTES = 65_536
/** SQLite refuses databases whose pages have less than this left for it. */
const MIN_USABLE_BYTES = 480
const ENCODINGS = ['utf-8', 'utf-8', 'utf-16le', 'utf-16be'] as const

export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be'

export interface DatabaseHeader {
  readonly pageSize: number
  readonly reservedBytes: number
  /** What of a page b-trees use: its size without what is reserved. */
  readonly usableSize: number
  readonly writeVersion: number
  readonly readVersion: number
  readonly changeCounter: number
  /** As written; believe it by {@link pageCountOf}. */
  readonly pageCount: number
  readonly versionValidFor: number
  readonly firstFreePage: number
  readonly freePages: number
  readonly schemaCookie: number
  readonly schemaFormat: number
  readonly encoding: TextEncoding
  readonly autoVacuum: 'none' | 'full' | 'incremental'
}

/** @throws CorruptFileError where a field cannot be */
export function parseDatabaseHeader(start: FileBytes): DatabaseHeader {
  const { bytes } = start
  if (bytes.length < DATABASE_HEADER_BYTES)
    throw damage(start, 0, `${DATABASE_HEADER_BYTES} bytes of a database header`, bytes.length)
  const magic = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('latin1')
  if (magic !== DATABASE_MAGIC) throw damage(start, 0, JSON.stringify(DATABASE_MAGIC), JSON.stringify(magic))
  const pageSize = pageSizeOf(uint16At(bytes, 16))
  if (pageSize === undefined)
    throw damage(start, 16, `a page size of ${MIN_PAGE_BYTES} to ${MAX_PAGE_BYTES}`, uint16At(bytes, 16))
  const reservedBytes = bytes[20]!
  if (pageSize - reservedBytes < MIN_USABLE_BYTES)
    throw damage(start, 20, `reserved bytes that leave ${MIN_USABLE_BYTES} of a page`, reservedBytes)
  if (bytes[21] !== 64 || bytes[22] !== 32 || bytes[23] !== 32)
    throw damage(start, 21, 'the payload fractions 64, 32, 32', bytes.subarray(21, 24).join(', '))
  const schemaFormat = uint32At(bytes, 44)
  if (schemaFormat > 4) throw damage(start, 44, 'a schema format up to 4', schemaFormat)
  const encoding = ENCODINGS[uint32At(bytes, 56)]
  if (encoding === undefined) throw damage(start, 56, 'a text encoding of 1 to 3', uint32At(bytes, 56))
  return {
    pageSize,
    reservedBytes,
    usableSize: pageSize - reservedBytes,
    writeVersion: bytes[18]!,
    readVersion: bytes[19]!,
    changeCounter: uint32At(bytes, 24),
    pageCount: uint32At(bytes, 28),
    versionValidFor: uint32At(bytes, 92),
    firstFreePage: uint32At(bytes, 32),
    freePages: uint32At(bytes, 36),
    schemaCookie: uint32At(bytes, 40),
    schemaFormat,
    encoding,
    autoVacuum: uint32At(bytes, 52) === 0 ? 'none' : uint32At(bytes, 64) === 0 ? 'full' : 'incremental',
  }
}

/** Pages of a database of `fileBytes`: what its header says if that is of its last change, else what the size says. */
export function pageCountOf(header: DatabaseHeader, fileBytes: number): number {
  const believed = header.pageCount > 0 && header.versionValidFor === header.changeCounter
  return believed ? header.pageCount : Math.floor(fileBytes / header.pageSize)
}

/** What 16 bits say, where 1 stands for 65,536; undefined where no page has that size. */
export function pageSizeOf(field: number): number | undefined {
  const pageSize = field === 1 ? MAX_PAGE_BYTES : field
  return isPageSize(pageSize) ? pageSize : undefined
}

export function isPageSize(size: number): boolean {
  return size >= MIN_PAGE_BYTES && size <= MAX_PAGE_BYTES && (size & (size - 1)) === 0
}
