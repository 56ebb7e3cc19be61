/**
 * Integers of a fixed width of 0 … 32 bits, packed without gaps: value i takes the bits [i·width, (i+1)·width) of the
 * section, bit 0 being the lowest bit of the first byte (so the section is an array of little-endian u32 words).
 */

/** Bits needed for values 0 … `max`. */
export function bitsFor(max: number): number {
  return max === 0 ? 0 : 32 - Math.clz32(max)
}

/** Bytes of a packed array, a multiple of 4, with one spare word so that reading word pairs stays inside. */
export function packedBytes(count: number, width: number): number {
  return (Math.ceil((count * width) / 32) + 1) * 4
}

/** Packs `values[0 … count)`; values must fit in `width` bits. */
export function packArray(values: ArrayLike<number>, count: number, width: number): Uint8Array {
  const words = new Uint32Array(packedBytes(count, width) / 4)
  if (width > 0) {
    let word = 0
    let shift = 0
    for (let i = 0; i < count; i++) {
      const value = values[i]
      words[word] |= value << shift
      shift += width
      if (shift >= 32) {
        shift -= 32
        word++
        if (shift > 0) words[word] = value >>> (width - shift)
      }
    }
  }
  return new Uint8Array(words.buffer)
}

/** Value `index` of a packed array whose words are `words`. Cost: two loads. */
export function packedAt(words: Uint32Array, index: number, width: number): number {
  const bit = index * width
  const word = Math.floor(bit / 32)
  const shift = bit & 31
  let value = words[word] >>> shift
  if (shift + width > 32) value |= words[word + 1] << (32 - shift)
  return width === 32 ? value >>> 0 : value & ((1 << width) - 1)
}
