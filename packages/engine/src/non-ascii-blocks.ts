/** What is known of a block. */
const ASCII = 1
const OTHERS = 2

/**
 * Which blocks of a dictionary hold a name that is not pure ASCII: one in some thousands. Found out when it is first asked of a
 * block, and kept. Memory: a byte a block.
 */
export class NonAsciiBlocks {
  private readonly known: Uint8Array

  /** @param decide sets a bit in words[block] for each name of the blocks that is not pure ASCII */
  constructor(
    private readonly blockCount: number,
    private readonly decide: (blocks: Uint32Array, words: Uint32Array) => void,
  ) {
    this.known = new Uint8Array(blockCount)
  }

  /** Those of the blocks (ascending) that hold such a name. */
  of(blocks: Uint32Array): Uint32Array {
    const { known } = this
    const open = blocks.filter(block => known[block] === 0)
    if (open.length > 0) {
      const words = new Uint32Array(this.blockCount)
      this.decide(open, words)
      for (const block of open) known[block] = words[block] === 0 ? ASCII : OTHERS
    }
    return blocks.filter(block => known[block] === OTHERS)
  }
}
