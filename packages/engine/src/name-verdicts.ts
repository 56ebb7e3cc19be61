import { BLOCK_NAMES } from '@hotpath/index-format'
import { Bitset, popcount } from './bitset.js'
import type { Candidates } from './candidate-blocks.js'
import type { SearchWork } from './search-work.js'

/** Decides an expression for the names of whole blocks of a dictionary. */
export interface BlockDecider {
  /** Bit i says whether name i of the block passes; bits past the last name are zero. */
  decide(block: number): number
  /** The same for many blocks, ascending: sets the bits in words[block], which are zero before. */
  decideAll(blocks: Uint32Array, words: Uint32Array): void
  /** It looks at no names: a block costs next to nothing. */
  readonly isFree?: true
}

/** Blocks verified in one call between two looks at whether the search was cancelled: some 8 ms on one thread. */
const SLICE_BLOCKS = 16_384
/** Blocks verified ahead when names are walked in order; doubled with each step, so that long pages cost few calls. */
const FIRST_BLOCKS = 16

/**
 * Which names of a dictionary pass an expression, found out block by block when asked, and kept. A page that ends early
 * looks at few blocks; whoever then needs all of them pays for the rest only. Memory: 5 bytes a block of what the search has.
 */
export class NameVerdicts {
  private readonly words: Uint32Array
  private readonly undecided: Uint8Array
  private readonly bits: Bitset
  private readonly blockCount: number
  private undecidedCount: number
  /** Names of decided blocks that pass. */
  private passing = 0
  private ahead = FIRST_BLOCKS

  constructor(
    nameCount: number,
    private readonly candidates: Candidates,
    private readonly decider: BlockDecider,
    private readonly work: SearchWork,
  ) {
    this.blockCount = Math.ceil(nameCount / BLOCK_NAMES)
    const { words, undecided } = work.memory.take(this.blockCount, candidates)
    this.words = words
    this.undecided = undecided
    this.bits = new Bitset(nameCount, words)
    if (candidates === undefined) this.undecided.fill(1)
    else for (let i = 0; i < candidates.length; i++) this.undecided[candidates[i]] = 1
    this.undecidedCount = candidates?.length ?? this.blockCount
  }

  /** Blocks that can hold a name that passes. */
  get candidateCount(): number {
    return this.candidates?.length ?? this.blockCount
  }

  get candidateShare(): number {
    return this.blockCount === 0 ? 0 : this.candidateCount / this.blockCount
  }

  /** Blocks that are still to be looked at. */
  get undecidedBlocks(): number {
    return this.decider.isFree ? 0 : this.undecidedCount
  }

  has(nameId: number): boolean {
    const block = nameId >>> 5
    if (this.undecided[block] !== 0) this.decideOne(block)
    return ((this.words[block] >>> (nameId & 31)) & 1) !== 0
  }

  /** False if a name is known not to pass; decides nothing. */
  mayPass(nameId: number): boolean {
    const block = nameId >>> 5
    return this.undecided[block] !== 0 || ((this.words[block] >>> (nameId & 31)) & 1) !== 0
  }

  /** Decides the blocks of some names together, which takes half as long as one by one. */
  prepare(nameIds: Uint32Array): void {
    const { undecided } = this
    const open = new Uint32Array(nameIds.length)
    let count = 0
    for (let i = 0; i < nameIds.length; i++) if (undecided[nameIds[i] >>> 5] !== 0) open[count++] = nameIds[i] >>> 5
    if (count < 2) return
    const sorted = open.subarray(0, count).sort()
    this.decideThese(sorted.filter((block, i) => i === 0 || block !== sorted[i - 1]))
  }

  /** Names that pass in some of the candidate blocks, spread evenly; what was decided is kept. */
  sample(blocks: number): number {
    return this.sampled(blocks).reduce((sum, block) => sum + popcount(this.words[block]), 0)
  }

  /** Some of the candidate blocks, spread evenly, decided. */
  sampled(blocks: number): Uint32Array {
    const count = Math.min(blocks, this.candidateCount)
    const chosen = Uint32Array.from({ length: count }, (_, i) => {
      const at = Math.floor(((i + 0.5) / count) * this.candidateCount)
      return this.candidates?.[at] ?? at
    })
    this.decideThese(chosen)
    return chosen
  }

  /** First name at or after `from` that passes, or -1. */
  next(from: number): number {
    let block = from >>> 5
    let mask = 0xffffffff << (from & 31)
    for (let at = this.positionOf(block); ; at++) {
      if (this.candidates !== undefined) {
        if (at >= this.candidates.length) return -1
        if (this.candidates[at] !== block) mask = 0xffffffff
        block = this.candidates[at]
      } else {
        if (at >= this.blockCount) return -1
        if (at !== block) mask = 0xffffffff
        block = at
      }
      if (this.undecided[block] !== 0) this.decideAhead(at, 1)
      const word = this.words[block] & mask
      if (word !== 0) return block * BLOCK_NAMES + 31 - Math.clz32(word & -word)
    }
  }

  /** Last name at or before `from` that passes, or -1. */
  previous(from: number): number {
    if (from < 0) return -1
    let block = from >>> 5
    let mask = 0xffffffff >>> (31 - (from & 31))
    let at = this.positionOf(block)
    if (this.candidates !== undefined && this.candidates[at] !== block) at--
    for (; at >= 0; at--) {
      const here = this.candidates === undefined ? at : this.candidates[at]
      if (here !== block) mask = 0xffffffff
      block = here
      if (this.undecided[block] !== 0) this.decideAhead(at, -1)
      const word = this.words[block] & mask
      if (word !== 0) return block * BLOCK_NAMES + 31 - Math.clz32(word)
    }
    return -1
  }

  /** How many names pass. Decides all blocks; costs no look at those that are no candidates. */
  count(): number {
    this.all()
    return this.passing
  }

  /** Visits the names that pass, ascending. Decides all blocks; costs no look at those that are no candidates. */
  forEach(visit: (nameId: number) => void): void {
    this.all()
    const { words, candidates } = this
    for (let at = 0; at < this.candidateCount; at++) {
      const block = candidates === undefined ? at : candidates[at]
      for (let word = words[block]; word !== 0; word &= word - 1) {
        visit(block * BLOCK_NAMES + 31 - Math.clz32(word & -word))
      }
    }
  }

  /** All of them; not to be changed. */
  all(): Bitset {
    if (this.undecidedCount === 0) return this.bits
    if (this.candidates !== undefined) {
      for (let from = 0; from < this.candidates.length; from += SLICE_BLOCKS) {
        this.decideThese(this.candidates.subarray(from, from + SLICE_BLOCKS))
      }
    } else {
      const slice = new Uint32Array(Math.min(SLICE_BLOCKS, this.blockCount))
      for (let from = 0; from < this.blockCount; from += slice.length) {
        const count = Math.min(slice.length, this.blockCount - from)
        for (let i = 0; i < count; i++) slice[i] = from + i
        this.decideThese(slice.subarray(0, count))
      }
    }
    return this.bits
  }

  /** Blocks that hold a name that passes, ascending. Decides all of them. */
  blocksFound(): Uint32Array {
    this.all()
    const { words } = this
    return (
      this.candidates?.filter(block => words[block] !== 0) ?? Uint32Array.from(words.keys()).filter(b => words[b] !== 0)
    )
  }

  /** Position of the first candidate block that is not before `block`. */
  private positionOf(block: number): number {
    const { candidates } = this
    if (candidates === undefined) return block
    let low = 0
    let high = candidates.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (candidates[middle] < block) low = middle + 1
      else high = middle
    }
    return low
  }

  private decideOne(block: number): void {
    this.undecided[block] = 0
    this.undecidedCount--
    this.work.blocksVerified++
    const word = this.decider.decide(block)
    this.words[block] = word
    if (word === 0) return
    const count = popcount(word)
    this.passing += count
    this.work.namesMatched += count
  }

  /** Decides some candidate blocks from position `at` on, in one direction. */
  private decideAhead(at: number, step: 1 | -1): void {
    const count = step > 0 ? Math.min(this.ahead, this.candidateCount - at) : Math.min(this.ahead, at + 1)
    this.ahead = Math.min(this.ahead * 2, SLICE_BLOCKS)
    const first = step > 0 ? at : at - count + 1
    const blocks =
      this.candidates?.subarray(first, first + count) ?? Uint32Array.from({ length: count }, (_, i) => first + i)
    this.decideThese(blocks)
  }

  private decideThese(blocks: Uint32Array): void {
    this.work.checkCancelled()
    const { undecided, words, work } = this
    const open = blocks.every(block => undecided[block] !== 0) ? blocks : blocks.filter(block => undecided[block] !== 0)
    if (open.length === 0) return
    this.decider.decideAll(open, words)
    let count = 0
    for (let i = 0; i < open.length; i++) {
      undecided[open[i]] = 0
      count += popcount(words[open[i]])
    }
    this.passing += count
    work.namesMatched += count
    this.undecidedCount -= open.length
    work.blocksVerified += open.length
  }
}
