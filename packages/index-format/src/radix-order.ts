/** Positions. Below it, clearing 65,536 counts costs more than two more passes. */
const FEW = 16_384

/**
 * Positions 0 … count - 1 ordered by several u32 columns, stable. Least significant column first; a column is used before
 * the next one is asked for, so that one array can hold them all in turn.
 * Cost: two passes of 16 bits a column (four of 8 bits for few positions); passes in which all digits are equal are skipped.
 */
export function radixOrder(columns: Iterable<Uint32Array>, count: number): Uint32Array {
  let order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  let spare = new Uint32Array(count)
  const bits = count < FEW ? 8 : 16
  const mask = (1 << bits) - 1
  const counts = new Uint32Array(mask + 1)
  for (const column of columns) {
    for (let shift = 0; shift < 32; shift += bits) {
      counts.fill(0)
      for (let i = 0; i < count; i++) counts[(column[i] >>> shift) & mask]++
      if (count > 0 && counts[(column[0] >>> shift) & mask] === count) continue
      let sum = 0
      for (let digit = 0; digit <= mask; digit++) {
        const n = counts[digit]
        counts[digit] = sum
        sum += n
      }
      for (let i = 0; i < count; i++) {
        const position = order[i]
        spare[counts[(column[position] >>> shift) & mask]++] = position
      }
      const swap = order
      order = spare
      spare = swap
    }
  }
  return order
}
