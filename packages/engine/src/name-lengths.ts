import { Bitset, popcount } from './bitset.js'

/** Words of bits between two counts: 256 names. */
const GROUP_WORDS = 8

/**
 * Characters of some names by their ids, for looking up one row after the other. Memory: a bit for each name of the dictionary, a byte
 * for each that is here.
 */
export class NameLengths {
  /** Names here before each group. */
  private readonly before: Uint32Array

  private constructor(
    private readonly here: Bitset,
    /** In the order of ids. */
    private readonly lengths: Uint8Array,
    /** What stands for all names that are not here. */
    private readonly others: number,
  ) {
    const { words } = here
    this.before = new Uint32Array(Math.ceil(words.length / GROUP_WORDS))
    let count = 0
    for (let i = 0; i < words.length; i++) {
      if (i % GROUP_WORDS === 0) this.before[i / GROUP_WORDS] = count
      count += popcount(words[i])
    }
  }

  /**
   * @param groups ids of the names of each length, from 0 on; less than 256 lengths
   * @param nameCount names of the dictionary
   */
  static of(groups: readonly (readonly number[])[], nameCount: number): NameLengths {
    const here = new Bitset(nameCount)
    let count = 0
    for (const ids of groups) {
      for (const id of ids) here.add(id)
      count += ids.length
    }
    const known = new NameLengths(here, new Uint8Array(count), groups.length)
    groups.forEach((ids, length) => {
      for (const id of ids) known.lengths[known.placeOf(id)] = length
    })
    return known
  }

  /** Characters of a name, or what those that are not here have at least. */
  leastOf(id: number): number {
    return this.here.has(id) ? this.lengths[this.placeOf(id)] : this.others
  }

  /** Names here before `id`. */
  private placeOf(id: number): number {
    const { words } = this.here
    const word = id >>> 5
    const group = Math.floor(word / GROUP_WORDS)
    let place = this.before[group]
    for (let i = group * GROUP_WORDS; i < word; i++) place += popcount(words[i])
    return place + popcount(words[word] & ((1 << (id & 31)) - 1))
  }
}
