/** Some 32 bits for a block. */
export function verdictOf(block: number): number {
  return Math.imul(block + 1, 0x9e3779b1) >>> 0
}
