import { InvalidInputError } from './errors.js'
import type { RowKey, SqlValue } from './row-change.js'

/**
 * The key of a row as bytes, so that equal keys have equal bytes and rowids are ordered as numbers:
 *
 *   rowid         01, then the number plus 2^63, 8 bytes big-endian
 *   primary key   02, then for each value: 00 NULL · 01 integer (8 bytes, as above) · 02 real (8 bytes IEEE 754, big-endian) ·
 *                 03 text, 04 blob, 05 invalid text (length u32 big-endian, bytes)
 */
export function encodeRowKey(key: RowKey): Uint8Array {
  if (typeof key === 'bigint') {
    const bytes = new Uint8Array(9)
    bytes[0] = ROWID
    writeInteger(bytes, 1, key)
    return bytes
  }
  const parts = key.map(encodeValue)
  const bytes = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0))
  bytes[0] = PRIMARY_KEY
  let at = 1
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** @throws InvalidInputError if the bytes are none that `encodeRowKey` makes */
export function decodeRowKey(bytes: Uint8Array): RowKey {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes[0] === ROWID) {
    if (bytes.length !== 9) throw malformed(0, '9 bytes of a rowid', bytes.length)
    return readInteger(view, 1)
  }
  if (bytes[0] !== PRIMARY_KEY) throw malformed(0, '1 or 2', bytes[0])
  const values: SqlValue[] = []
  let at = 1
  const take = (length: number): number => {
    if (length > bytes.length - at) throw malformed(at, `${length} bytes`, bytes.length - at)
    at += length
    return at - length
  }
  while (at < bytes.length) {
    const kind = bytes[at++]
    if (kind === NULL) values.push(null)
    else if (kind === INTEGER) values.push(readInteger(view, take(8)))
    else if (kind === REAL) values.push(view.getFloat64(take(8)))
    else if (kind === TEXT || kind === BLOB || kind === INVALID_TEXT) {
      const length = view.getUint32(take(4))
      const from = take(length)
      const content = bytes.slice(from, from + length)
      if (kind === TEXT) values.push(decoder.decode(content))
      else values.push(kind === BLOB ? content : { invalidText: content })
    } else throw malformed(at - 1, 'a kind of value, 0 to 5', kind)
  }
  return values
}

const ROWID = 1
const PRIMARY_KEY = 2
const NULL = 0
const INTEGER = 1
const REAL = 2
const TEXT = 3
const BLOB = 4
const INVALID_TEXT = 5
const SIGN = 0x8000_0000_0000_0000n

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function encodeValue(value: SqlValue): Uint8Array {
  if (value === null) return Uint8Array.of(NULL)
  if (typeof value === 'bigint' || typeof value === 'number') {
    const bytes = new Uint8Array(9)
    bytes[0] = typeof value === 'bigint' ? INTEGER : REAL
    if (typeof value === 'bigint') writeInteger(bytes, 1, value)
    else new DataView(bytes.buffer).setFloat64(1, value)
    return bytes
  }
  if (typeof value === 'string') return withLength(TEXT, encoder.encode(value))
  return value instanceof Uint8Array ? withLength(BLOB, value) : withLength(INVALID_TEXT, value.invalidText)
}

function withLength(kind: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + content.length)
  bytes[0] = kind
  new DataView(bytes.buffer).setUint32(1, content.length)
  bytes.set(content, 5)
  return bytes
}

function writeInteger(bytes: Uint8Array, at: number, value: bigint): void {
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at, BigInt.asUintN(64, value) ^ SIGN)
}

function readInteger(view: DataView, at: number): bigint {
  return BigInt.asIntN(64, view.getBigUint64(at) ^ SIGN)
}

function malformed(offset: number, expected: string, found: number | undefined): InvalidInputError {
  return new InvalidInputError(`key of a row at byte ${offset}`, expected, `${found}`)
}
