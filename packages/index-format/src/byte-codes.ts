import { KEY_BOUNDARY } from './segment-layout.js'

/** Small numbers for the bytes that keys hold, in byte order, so that tables over bytes stay small. */
export interface ByteCodes {
  /** Bytes in use, KEY_BOUNDARY included. */
  readonly count: number
  /** Code of each byte, 0 for those not in use. */
  readonly codeOf: Uint8Array
  readonly byteOf: Uint8Array
}

/** @param used 1 for each byte that occurs */
export function byteCodes(used: Uint8Array): ByteCodes {
  const codeOf = new Uint8Array(256)
  const byteOf = new Uint8Array(256)
  let count = 0
  for (let byte = 0; byte < 256; byte++) {
    if (used[byte] === 0 && byte !== KEY_BOUNDARY) continue
    codeOf[byte] = count
    byteOf[count++] = byte
  }
  return { count, codeOf, byteOf: byteOf.slice(0, count) }
}
