import { BLOCK_NAMES, type DictionaryReader } from '@hotpath/index-format'
import { nameCharacters } from '@hotpath/query'
import type { CodeRange, NameNumbers } from './name-numbers.js'
import type { TableRows } from './table-rows.js'

/** What stands for this many characters or more. */
const LONG = 255

const kept = new WeakMap<DictionaryReader, NameCharacters>()

/** Characters of the names of a dictionary. Memory: a byte a name, beside the segment. Cost: some 60 ns a name, once. */
export class NameCharacters implements NameNumbers {
  /** Names up to here were counted: what a search that was cancelled has done is not lost. */
  private next = 0
  private readonly counts: Uint8Array

  private constructor(private readonly dictionary: DictionaryReader) {
    this.counts = new Uint8Array(dictionary.nameCount)
  }

  static of({ dictionary, work }: TableRows): NameCharacters {
    const own = kept.get(dictionary) ?? new NameCharacters(dictionary)
    kept.set(dictionary, own)
    own.countAll(work.checkCancelled)
    return own
  }

  of(nameId: number): number {
    const characters = this.counts[nameId]
    return characters < LONG ? characters : nameCharacters(this.dictionary.nameAt(nameId))
  }

  codes(): Uint8Array {
    return this.counts
  }

  range(low: number, high: number): CodeRange | undefined {
    return low > LONG || (high >= LONG && high < Number.POSITIVE_INFINITY)
      ? undefined
      : { from: low, to: high, descending: false }
  }

  private countAll(checkCancelled: () => void): void {
    const { counts, dictionary } = this
    if (this.next === counts.length) return
    dictionary.forEachName(this.next, ({ name, nameLength }, id) => {
      if (id % BLOCK_NAMES === 0) {
        this.next = id
        checkCancelled()
      }
      counts[id] = Math.min(LONG, nameCharacters(name.subarray(0, nameLength)))
      return true
    })
    this.next = counts.length
  }
}
