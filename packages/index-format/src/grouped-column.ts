import { GROUP_ENTRIES } from './segment-layout.js'

/**
 * u32 values in groups of 64, each group stored as a base and packed differences to it (frame of reference).
 *
 *   base        u32 × groups
 *   start       u32 × groups   index of the group's first word in `words`
 *   width       u8  × groups   0 … 32, padded to a multiple of 4 bytes
 *   words       u32            packed differences, each group starting on a word, one spare word at the end
 */
export function encodeGroupedColumn(values: Uint32Array, count: number): Uint8Array {
  const groups = Math.ceil(count / GROUP_ENTRIES)
  const bases = new Uint32Array(groups)
  const starts = new Uint32Array(groups)
  const widths = new Uint8Array(groups)
  let words = 0
  for (let g = 0; g < groups; g++) {
    const from = g * GROUP_ENTRIES
    const to = Math.min(count, from + GROUP_ENTRIES)
    let min = values[from]
    let max = min
    for (let i = from + 1; i < to; i++) {
      const value = values[i]
      if (value < min) min = value
      else if (value > max) max = value
    }
    const spread = max - min
    const width = spread === 0 ? 0 : 32 - Math.clz32(spread)
    bases[g] = min
    starts[g] = words
    widths[g] = width
    words += Math.ceil(((to - from) * width) / 32)
  }
  const widthBytes = Math.ceil(groups / 4) * 4
  const out = new Uint8Array(groups * 8 + widthBytes + (words + 1) * 4)
  out.set(new Uint8Array(bases.buffer), 0)
  out.set(new Uint8Array(starts.buffer), groups * 4)
  out.set(widths, groups * 8)
  const data = new Uint32Array(out.buffer, groups * 8 + widthBytes)
  for (let g = 0; g < groups; g++) {
    const width = widths[g]
    if (width === 0) continue
    const from = g * GROUP_ENTRIES
    const to = Math.min(count, from + GROUP_ENTRIES)
    const base = bases[g]
    let word = starts[g]
    let shift = 0
    for (let i = from; i < to; i++) {
      const value = values[i] - base
      data[word] |= value << shift
      shift += width
      if (shift >= 32) {
        shift -= 32
        word++
        if (shift > 0) data[word] = value >>> (width - shift)
      }
    }
  }
  return out
}

/** Offsets (bytes) of the parts of a grouped column of `count` values, for readers. */
export function groupedColumnParts(count: number): { groups: number; starts: number; widths: number; words: number } {
  const groups = Math.ceil(count / GROUP_ENTRIES)
  const widthBytes = Math.ceil(groups / 4) * 4
  return { groups, starts: groups * 4, widths: groups * 8, words: groups * 8 + widthBytes }
}
