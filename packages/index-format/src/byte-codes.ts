import { KEY_BOUNDARY } from './segment-layout.js'

/** Small numbers for the bytes that keys hold, in byte order, so that tables over bytes stay small. */
export interface ByteCodes {
  /** Bytes in use, KEY_BOUNDARY included. */
  readonly count: number
  /** Code of each byte, 0 for those not in use. */
  readonly codeOf: Uint8Array
  readonly byteOf: Uint8Array
}

/** Codes of bytes[0 … length). Cost: one pass, about 1 ns a byte. */
export function byteCodes(bytes: Uint8Array, length: number): ByteCodes {
  const used = new Uint8Array(256)
  used[KEY_BOUNDARY] = 1
  for (let i = 0; i < length; i++) used[bytes[i]] = 1
  const codeOf = new Uint8Array(256)
  const byteOf = new Uint8Array(256)
  let count = 0
  for (let byte = 0; byte < 256; byte++) {
    if (used[byte] === 0) continue
    codeOf[byte] = count
    byteOf[count++] = byte
  }
  return { count, codeOf, byteOf: byteOf.slice(0, count) }
}
