import type { SqlValue } from '@hotpath/model'
import { uint16At, uint32At } from './big-endian.js'
import { damage, type FileBytes } from './damage.js'
import type { TextEncoding } from './database-header.js'
import { copyOf, decodeText } from './text.js'
import { varintEnd, varintSize } from './varint.js'

/**
 * A record (sqlite.org, "Database File Format", 2.1): varint size of the header with itself, one varint serial type for each
 * column, then the values.
 *
 *   type  bytes  value            type   bytes     value
 *      0      0  NULL                8       0     integer 0
 *   1..4   1..4  integer             9       0     integer 1
 *      5      6  integer         10,11       -     never in a file
 *      6      8  integer        N even  (N-12)/2   blob
 *      7      8  real            N odd  (N-13)/2   text
 */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8]
const REAL = 7
const ZERO = 8
const ONE = 9
const FIRST_BLOB = 12

/** SQLite has at most 32,767 columns, if built for that. */
const MAX_COLUMNS = 32_767

/**
 * The values of a record, as many as it has: a table that got columns later has records that are shorter.
 *
 * @param record its bytes, whole
 * @param limit no more values than this are decoded
 * @throws CorruptFileError where the record does not fit into its bytes
 */
export function decodeRecord(record: FileBytes, encoding: TextEncoding, limit = MAX_COLUMNS): SqlValue[] {
  const { bytes } = record
  const { start, headerEnd } = recordHeader(record)
  const values: SqlValue[] = []
  let at = start
  let body = headerEnd
  while (at < headerEnd && values.length < limit) {
    const next = varintEnd(bytes, at, headerEnd)
    if (next === 0) throw damage(record, at, 'a serial type within the header of the record', 'its end')
    const type = varintSize(bytes, at)
    const size = serialBytes(type)
    if (size < 0) throw damage(record, at, 'a serial type', type)
    if (body + size > bytes.length)
      throw damage(record, at, `a value that ends within the ${bytes.length} bytes of the record`, body + size)
    values.push(decodeValue(bytes, body, type, size, encoding))
    body += size
    at = next
  }
  return values
}

/** Where the serial types of a record start, and where its values do. */
export function recordHeader(record: FileBytes): { readonly start: number; readonly headerEnd: number } {
  const { bytes } = record
  const start = varintEnd(bytes, 0, bytes.length)
  if (start === 0) throw damage(record, 0, 'the header of a record', `${bytes.length} bytes`)
  const headerEnd = varintSize(bytes, 0)
  if (headerEnd < start || headerEnd > bytes.length)
    throw damage(record, 0, `a record header of ${start} to ${bytes.length} bytes`, headerEnd)
  return { start, headerEnd }
}

/** Bytes of a value of `type`, or -1 where there is no such type. */
export function serialBytes(type: number): number {
  if (type >= FIRST_BLOB) return Math.floor((type - FIRST_BLOB) / 2)
  if (type <= 6) return INTEGER_BYTES[type]!
  if (type === REAL) return 8
  return type === ZERO || type === ONE ? 0 : -1
}

function decodeValue(bytes: Uint8Array, at: number, type: number, size: number, encoding: TextEncoding): SqlValue {
  switch (type) {
    case 0:
      return null
    case 1:
      return BigInt((bytes[at]! << 24) >> 24)
    case 2:
      return BigInt((uint16At(bytes, at) << 16) >> 16)
    case 3:
      return BigInt(((uint16At(bytes, at) << 16) | (bytes[at + 2]! << 8)) >> 8)
    case 4:
      return BigInt(uint32At(bytes, at) | 0)
    case 5:
      // 48 bits are exact in a double.
      return BigInt(((uint16At(bytes, at) << 16) >> 16) * 2 ** 32 + uint32At(bytes, at + 2))
    case 6:
      return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigInt64(0)
    case REAL:
      return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0)
    case ZERO:
      return 0n
    case ONE:
      return 1n
    default:
      return type % 2 === 0 ? copyOf(bytes, at, at + size) : decodeText(bytes, at, at + size, encoding)
  }
}

/** The first values of a record as they are stored, for comparing: equal for equal values, as SQLite stores each in one way only. */
export function recordKey(record: FileBytes, columns: number): string {
  const { bytes } = record
  const { start, headerEnd } = recordHeader(record)
  let at = start
  let body = headerEnd
  for (let column = 0; column < columns; column++) {
    const next = varintEnd(bytes, at, headerEnd)
    if (next === 0) throw damage(record, at, `the ${columns} values of a key`, column)
    const size = serialBytes(varintSize(bytes, at))
    if (size < 0 || body + size > bytes.length)
      throw damage(record, at, `a value within the ${bytes.length} bytes of the record`, size)
    body += size
    at = next
  }
  const text = (from: number, to: number): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
  return text(start, at) + text(headerEnd, body)
}
