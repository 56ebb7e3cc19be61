/** Integers of 1 to 9 bytes: seven bits in each of the first eight, most significant first, all eight of the ninth. */

const MAX_BYTES = 9

/** Where the varint at `at` ends, or 0 where `limit` cuts it. */
export function varintEnd(bytes: Uint8Array, at: number, limit: number): number {
  const last = at + MAX_BYTES - 1
  let position = at
  while (position < last && position < limit && bytes[position]! >= 0x80) position++
  return position < limit ? position + 1 : 0
}

/** The varint at `at` as a size or a type: unsigned, exact up to 2^53. The caller knows by `varintEnd` that it is whole. */
export function varintSize(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return first
  const second = bytes[at + 1]!
  if (second < 0x80) return ((first & 0x7f) << 7) | second
  let value = ((first & 0x7f) << 7) | (second & 0x7f)
  for (let index = 2; index < MAX_BYTES - 1; index++) {
    const byte = bytes[at + index]!
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) return value
  }
  return value * 256 + bytes[at + MAX_BYTES - 1]!
}

/** The varint at `at` as a rowid: 64 bits with a sign; a number where that is exact. */
export function varintRowid(bytes: Uint8Array, at: number): number | bigint {
  if (varintEnd(bytes, at, at + MAX_BYTES) < at + MAX_BYTES) {
    const value = varintSize(bytes, at)
    if (value <= Number.MAX_SAFE_INTEGER) return value
  }
  let value = 0n
  for (let index = 0; index < MAX_BYTES - 1; index++) {
    const byte = bytes[at + index]!
    value = (value << 7n) | BigInt(byte & 0x7f)
    if (byte < 0x80) return value
  }
  const signed = BigInt.asIntN(64, (value << 8n) | BigInt(bytes[at + MAX_BYTES - 1]!))
  return signed >= -MAX_SAFE && signed <= MAX_SAFE ? Number(signed) : signed
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
