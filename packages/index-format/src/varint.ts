import { MalformedBytesError } from './malformed-bytes-error.js'

/**
 * Unsigned LEB128: seven bits a byte, lowest first, the high bit set on all but the last. At most 32 bits, five bytes.
 * Decoding accepts padded forms (0x80 0x00) but never a value above 2^32 - 1.
 */
export const MAX_VARINT_BYTES = 5

/** Bytes that `value` (0 … 2^32 - 1) takes. */
export function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5
}

/** Writes `value` (0 … 2^32 - 1) at `at` and returns the position after it. The caller has made room. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value
  while (rest >= 0x80) {
    target[at++] = rest | 0x80
    rest >>>= 7
  }
  target[at++] = rest
  return at
}

/** Reads varints one after the other; `at` is the next unread byte. Never reads at or beyond `end`. */
export class VarintReader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    readonly end: number,
  ) {
    if (!(at >= 0 && at <= end && end <= bytes.length)) {
      throw new MalformedBytesError(at, `a range within ${bytes.length} bytes`, `${at} … ${end}`)
    }
  }

  /** The next value; throws MalformedBytesError if it is cut off or above 2^32 - 1. */
  next(): number {
    const { bytes, end } = this
    let at = this.at
    if (at < end && bytes[at] < 0x80) {
      this.at = at + 1
      return bytes[at]
    }
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) throw new MalformedBytesError(this.at, 'a varint', `the end at ${end}`)
      const byte = bytes[at++]
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.at = at
        return value >>> 0
      }
    }
    throw new MalformedBytesError(this.at, 'a varint of at most 32 bits', 'more')
  }
}
