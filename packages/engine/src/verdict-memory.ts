/** Blocks up to which some of them are cleared one by one: fewer than this share of all. */
const FEW_SHARE = 8
/** Bytes that are kept for later searches; four verdicts over ten million entries take 2.5 MB. */
const MOST_BYTES = 8 * 2 ** 20

/** A word and a byte for each block of a dictionary. */
export interface BlockArrays {
  readonly words: Uint32Array
  readonly undecided: Uint8Array
}

interface Taken extends BlockArrays {
  /** The blocks that are used at all; undefined: any. */
  readonly blocks: Uint32Array | undefined
}

/**
 * Zeroed arrays for what a search finds out of the names of each block. A search takes several of half a megabyte, and memory
 * that is touched for the first time costs more than all that is done in it: 10 µs a page where this was measured. So they are cleared and used again.
 */
export class VerdictMemory {
  private readonly free = new Map<number, BlockArrays[]>()
  private freeBytes = 0
  private readonly taken: Taken[] = []

  /**
   * Arrays that are the caller's until `release`.
   * @param blocks those that will be used (ascending), if not all may be
   */
  take(blockCount: number, blocks: Uint32Array | undefined): BlockArrays {
    let arrays = this.free.get(blockCount)?.pop()
    if (arrays) this.freeBytes -= bytesOf(arrays)
    else arrays = { words: new Uint32Array(blockCount), undecided: new Uint8Array(blockCount) }
    this.taken.push({ ...arrays, blocks })
    return arrays
  }

  /** Takes back all that was taken: the search is over. */
  release(): void {
    for (const { words, undecided, blocks } of this.taken) {
      const arrays = { words, undecided }
      // What no search asks for any more (its segment is gone) gives way.
      if (this.freeBytes + bytesOf(arrays) > MOST_BYTES) this.dropFree()
      if (bytesOf(arrays) > MOST_BYTES) continue
      if (blocks && blocks.length * FEW_SHARE < words.length) {
        for (let i = 0; i < blocks.length; i++) words[blocks[i]] = undecided[blocks[i]] = 0
      } else {
        words.fill(0)
        undecided.fill(0)
      }
      const same = this.free.get(words.length)
      if (same) same.push(arrays)
      else this.free.set(words.length, [arrays])
      this.freeBytes += bytesOf(arrays)
    }
    this.taken.length = 0
  }

  private dropFree(): void {
    this.free.clear()
    this.freeBytes = 0
  }
}

function bytesOf({ words, undecided }: BlockArrays): number {
  return words.byteLength + undecided.byteLength
}
