import { isWordBorder, type NameTest, type Predicate } from '@hotpath/query'
import type { RowBlock } from './row-block.js'

/** Characters between which any place may begin a word: these scripts write no spaces. */
const WITHOUT_SPACES =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const LETTER = /^[\p{L}\p{N}\p{M}]/u
const LONGEST_CHARACTER = 4

/**
 * Tells the rows in which what was looked for begins a word. Only terms that are found anywhere in a text have a say, and of those that begin with a
 * letter, digit or mark of a script with spaces; of several all must, of alternatives one.
 */
export class WordStarts {
  private readonly always = new Map<Uint8Array, boolean>()

  /** @param matches the rows among some that a part of a predicate matches */
  constructor(private readonly matches: (part: Predicate, block: RowBlock, within: number) => number) {}

  /** @param within rows that the predicate matches */
  among(predicate: Predicate, block: RowBlock, within: number): number {
    if (within === 0) return 0
    switch (predicate.kind) {
      case 'and': {
        let mask = within
        for (const part of predicate.parts) mask = this.among(part, block, mask)
        return mask
      }
      case 'or': {
        let mask = 0
        for (const part of predicate.parts) mask |= this.among(part, block, this.matches(part, block, within & ~mask))
        return mask
      }
      case 'name': {
        const needle = this.needleOf(predicate.test)
        return needle === undefined ? within : rowsBegun(block, needle, within)
      }
      default:
        return within
    }
  }

  /** Of a test that has a say. */
  private needleOf(test: NameTest): Uint8Array | undefined {
    if (test.mode !== 'substring' || test.words) return undefined
    const { needle } = test
    let always = this.always.get(needle)
    if (always === undefined) {
      const start = Buffer.from(needle.subarray(0, LONGEST_CHARACTER)).toString('utf8')
      always = !LETTER.test(start) || WITHOUT_SPACES.test(start)
      this.always.set(needle, always)
    }
    return always ? undefined : needle
  }
}

/** The rows among `within` in whose folded text the needle begins a word. Cost: that of finding all needles of the block, up to one that does for each row. */
function rowsBegun({ folded, ends, count }: RowBlock, needle: Uint8Array, within: number): number {
  const hay = Buffer.from(folded.buffer, folded.byteOffset, folded.length)
  let mask = 0
  let row = 0
  let start = 0
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at)) {
    for (; row < count && ends[row]! < at; row++) start = ends[row]! + 1
    const isBegun = (within & (1 << row)) !== 0 && isWordBorder(folded, at, start, ends[row]!)
    if (isBegun) mask |= 1 << row
    at = isBegun ? ends[row]! + 1 : at + 1
  }
  return mask
}
