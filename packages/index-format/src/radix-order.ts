/**
 * Positions 0 … count - 1 ordered by several u32 columns, stable. Least significant column first.
 * Cost: two passes of 16 bits a column; passes in which all digits are equal are skipped.
 */
export function radixOrder(columns: readonly Uint32Array[], count: number): Uint32Array {
  let order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  let spare = new Uint32Array(count)
  const counts = new Uint32Array(0x10000)
  for (const column of columns) {
    for (let shift = 0; shift < 32; shift += 16) {
      counts.fill(0)
      for (let i = 0; i < count; i++) counts[(column[i] >>> shift) & 0xffff]++
      if (count > 0 && counts[(column[0] >>> shift) & 0xffff] === count) continue
      let sum = 0
      for (let digit = 0; digit < 0x10000; digit++) {
        const n = counts[digit]
        counts[digit] = sum
        sum += n
      }
      for (let i = 0; i < count; i++) {
        const position = order[i]
        spare[counts[(column[position] >>> shift) & 0xffff]++] = position
      }
      const swap = order
      order = spare
      spare = swap
    }
  }
  return order
}
