import { BlockLists, RoaringEncoder } from '@hotpath/index-format'
import { ROW_END } from './row-block.js'
import { COMMON_SHARE } from './row-layout.js'

const GRAMS = 1 << 24
const PAGE_GRAMS = 256

/**
 * Which blocks hold each gram of three bytes of folded text. Blocks are added in ascending order.
 * Cost: a few ns a byte; 2 MB, and about 1.7 bytes for each block of each gram.
 */
export class GramCollector {
  /** Grams of the block that is being added. */
  private readonly seen = new Uint32Array(GRAMS / 32)
  private readonly own: number[] = []
  /** Number of each gram plus one, in pages of 256 grams. */
  private readonly pages: (Uint32Array | undefined)[] = new Array(GRAMS / PAGE_GRAMS)
  private readonly lists = new BlockLists()
  private readonly grams: number[] = []
  private readonly lasts: number[] = []
  private readonly counts: number[] = []
  private blocks = 0

  addBlock(folded: Uint8Array): void {
    const { seen, own } = this
    own.length = 0
    for (let i = 2; i < folded.length; i++) {
      if (folded[i] === ROW_END) {
        i += 2
        continue
      }
      const gram = (folded[i - 2]! << 16) | (folded[i - 1]! << 8) | folded[i]!
      if (folded[i - 1] === ROW_END || folded[i - 2] === ROW_END) continue
      const bit = 1 << (gram & 31)
      if ((seen[gram >>> 5]! & bit) !== 0) continue
      seen[gram >>> 5]! |= bit
      own.push(gram)
    }
    const block = this.blocks++
    for (const gram of own) {
      seen[gram >>> 5] = 0
      const number = this.numberOf(gram)
      this.lists.append(number, block - this.lasts[number]!)
      this.lasts[number] = block
      this.counts[number]!++
    }
  }

  /** @returns grams ascending, where the list of each starts, and the lists */
  finish(): { grams: Uint32Array; starts: Uint32Array; postings: Uint8Array } {
    const grams = Uint32Array.from(this.grams).sort()
    const starts = new Uint32Array(grams.length + 1)
    const ids = new Uint32Array(this.blocks)
    const encoder = new RoaringEncoder()
    let postings = new Uint8Array(1 << 14)
    let at = 0
    for (const [i, gram] of grams.entries()) {
      starts[i] = at
      const number = this.numberOf(gram)
      const count = this.counts[number]!
      if (count * COMMON_SHARE > this.blocks) continue
      this.lists.read(number, count, ids)
      const length = encoder.measure(ids, 0, count)
      if (at + length > postings.length) {
        const larger = new Uint8Array(Math.max(at + length, postings.length * 2))
        larger.set(postings)
        postings = larger
      }
      at = encoder.write(postings, at)
    }
    starts[grams.length] = at
    return { grams, starts, postings: postings.subarray(0, at) }
  }

  private numberOf(gram: number): number {
    const pageNumber = gram >>> 8
    let page = this.pages[pageNumber]
    if (page === undefined) {
      page = new Uint32Array(PAGE_GRAMS)
      this.pages[pageNumber] = page
    }
    const known = page[gram & 0xff]!
    if (known > 0) return known - 1
    const number = this.grams.push(gram) - 1
    page[gram & 0xff] = number + 1
    this.lists.ensureLists(number + 1)
    this.lasts.push(0)
    this.counts.push(0)
    return number
  }
}

/** The grams of a needle of folded text; none if it is shorter than three bytes. */
export function gramsOf(needle: Uint8Array): number[] {
  const grams = new Set<number>()
  for (let i = 2; i < needle.length; i++) grams.add((needle[i - 2]! << 16) | (needle[i - 1]! << 8) | needle[i]!)
  return [...grams]
}
