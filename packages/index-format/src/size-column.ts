import { GROUP_ENTRIES, SIZE_UNKNOWN } from './segment-layout.js'

/**
 * Sizes in bytes, stored plus one (0 = unknown) in 1, 2, 3 or 7 bytes, little-endian, with a two-bit length code.
 *
 *   start  u32 × groups        offset of the group in `data`
 *   group  16 bytes            length codes of 64 values, value i in bits [2·(i mod 64), …) (0: 1, 1: 2, 2: 3, 3: 7 bytes)
 *          then the values
 */
export const SIZE_CODE_LENGTHS = Uint8Array.of(1, 2, 3, 7)
/** Bytes of length codes at the head of each group. */
export const SIZE_CODE_BYTES = (GROUP_ENTRIES * 2) / 8

/** Largest size that the format holds: 2^53 - 2; what is larger is stored as this. */
export const MAX_SIZE = Number.MAX_SAFE_INTEGER - 1

function codeOf(stored: number): number {
  return stored < 0x100 ? 0 : stored < 0x10000 ? 1 : stored < 0x1000000 ? 2 : 3
}

/** A size as it will be read back: at most MAX_SIZE; NaN (unknown) for what is no size. */
export function storableSize(size: number): number {
  return size >= 0 ? Math.min(size, MAX_SIZE) : Number.NaN
}

/** `sizes`: bytes, as `storableSize` gives them. */
export function encodeSizeColumn(sizes: Float64Array, count: number): Uint8Array {
  const groups = Math.ceil(count / GROUP_ENTRIES)
  let bytes = groups * (4 + SIZE_CODE_BYTES)
  for (let i = 0; i < count; i++) bytes += SIZE_CODE_LENGTHS[codeOf(storedSize(sizes[i]))]
  const out = new Uint8Array(bytes)
  const starts = new Uint32Array(groups)
  const data = groups * 4
  let at = data
  for (let g = 0; g < groups; g++) {
    starts[g] = at - data
    const codes = at
    at += SIZE_CODE_BYTES
    const to = Math.min(count, (g + 1) * GROUP_ENTRIES)
    for (let i = g * GROUP_ENTRIES; i < to; i++) {
      let stored = storedSize(sizes[i])
      const code = codeOf(stored)
      const lane = i & (GROUP_ENTRIES - 1)
      out[codes + (lane >> 2)] |= code << ((lane & 3) * 2)
      for (let b = SIZE_CODE_LENGTHS[code]; b > 0; b--) {
        out[at++] = stored % 256
        stored = Math.floor(stored / 256)
      }
    }
  }
  out.set(new Uint8Array(starts.buffer), 0)
  return out
}

function storedSize(size: number): number {
  return Number.isNaN(size) ? SIZE_UNKNOWN : size + 1
}
