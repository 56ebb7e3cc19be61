/** Host byte order: checksums of what is in it are read word by word without turning it. */
const HOST_BIG_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0

/** Two running sums of 32 bits (sqlite.org, "WAL-mode File Format", 2.1). */
export interface Checksum {
  readonly first: number
  readonly second: number
}

export const NO_CHECKSUM: Checksum = { first: 0, second: 0 }

/** Goes on with `sum` over words of `bytes` from `start` to `end`, pairs of words of 32 bits. */
export function addChecksum(
  sum: Checksum,
  bytes: Uint8Array,
  start: number,
  end: number,
  bigEndian: boolean,
): Checksum {
  let first = sum.first | 0
  let second = sum.second | 0
  if (bigEndian === HOST_BIG_ENDIAN && (bytes.byteOffset + start) % 4 === 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + start, (end - start) >> 2)
    for (let index = 0; index < words.length; index += 2) {
      first = (first + words[index]! + second) | 0
      second = (second + words[index + 1]! + first) | 0
    }
  } else {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = start; at < end; at += 8) {
      first = (first + view.getInt32(at, !bigEndian) + second) | 0
      second = (second + view.getInt32(at + 4, !bigEndian) + first) | 0
    }
  }
  return { first: first >>> 0, second: second >>> 0 }
}

export function sameChecksum(a: Checksum, b: Checksum): boolean {
  return a.first === b.first && a.second === b.second
}
