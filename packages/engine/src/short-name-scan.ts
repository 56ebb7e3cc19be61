import type { DictionaryReader } from '@hotpath/index-format'
import { holdsAllTerms, type RelevanceTerms, Tier, tierOf } from '@hotpath/query'
import { CHECK_MASK, type SearchWork } from './search-work.js'
import type { ShortNames } from './short-names.js'
import { SLASH } from './short-names.js'

/** What names of one length that hold all terms are in the tiers that only a look into the name tells. */
interface Found {
  readonly [Tier.boundary]: number[]
  readonly [Tier.inside]: number[]
}

/** Finds the short names that hold all terms, tier by tier, shorter names first. There are no tolerant terms. */
export class ShortNameScan {
  /** Of each length that was looked through. */
  private readonly found: Found[] = []
  /** The longest term: the fewest names hold it. */
  private readonly sought: Uint8Array
  /** Where the sought term is next, at or after the last length that was looked through; -1: nowhere. */
  private at: number
  private steps = 0

  constructor(
    private readonly names: ShortNames,
    private readonly dictionary: DictionaryReader,
    private readonly terms: RelevanceTerms,
    private readonly work: SearchWork,
  ) {
    this.sought = terms.needles.reduce((a, b) => (b.length > a.length ? b : a))
    this.at = this.sought.includes(SLASH) ? -1 : names.text.indexOf(this.sought)
  }

  /** Name ids of a tier and a length, ascending. */
  namesOf(tier: Tier, length: number): readonly number[] {
    switch (tier) {
      case Tier.exact:
      case Tier.prefix:
        return this.startingWith(tier, length)
      default:
        while (this.found.length <= length) this.found.push(this.scan(this.found.length))
        return this.found[length][tier]
    }
  }

  private startingWith(tier: Tier, length: number): readonly number[] {
    const { names, terms } = this
    const ids = new Set<number>()
    for (const needle of terms.needles) {
      const { from, to } = names.rangeOf(length)
      for (let place = this.firstFrom(needle, from, to); place < to; place++) {
        this.step()
        const key = names.keyAt(place)
        if (!startsWith(key, needle)) break
        // What stands at the start of the key needs no look at the name.
        if (tierOf(terms.needles, key, key) === tier && this.holdsAll(key)) ids.add(names.idAt(place))
      }
    }
    return terms.needles.length === 1 ? [...ids] : [...ids].sort((a, b) => a - b)
  }

  /** First place of a range whose key is not below `key`. */
  private firstFrom(key: Uint8Array, from: number, to: number): number {
    let [low, high] = [from, to]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Buffer.compare(this.names.keyAt(middle), key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** All names of a length, in one pass over their text. */
  private scan(length: number): Found {
    const { names, sought } = this
    const found: Found = { [Tier.boundary]: [], [Tier.inside]: [] }
    const { from, to } = names.rangeOf(length)
    const end = names.keyStartAt(to)
    let place = from
    while (this.at >= 0 && this.at < end) {
      this.step()
      place = this.placeOf(this.at, place, to)
      const key = names.keyAt(place)
      if (this.holdsAll(key)) {
        const tier = this.tierAt(place, key)
        if (tier === Tier.boundary || tier === Tier.inside) found[tier].push(names.idAt(place))
      }
      this.at = names.text.indexOf(sought, names.keyStartAt(++place))
    }
    return found
  }

  /** The place at or after `from` whose key holds a position of the text. */
  private placeOf(position: number, from: number, to: number): number {
    const { names } = this
    let [low, high] = [from, from + 1]
    for (let step = 1; high < to && names.keyStartAt(high) <= position; step *= 2) {
      low = high
      high = Math.min(to, high + step)
    }
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (names.keyStartAt(middle) <= position) low = middle
      else high = middle
    }
    return low
  }

  private tierAt(place: number, key: Uint8Array): Tier {
    const { names, dictionary, terms } = this
    const tier = tierOf(terms.needles, key, key)
    if (tier <= Tier.prefix || names.isPlain(place)) return tier
    // Capitals start words, too.
    const cursor = dictionary.seek(names.idAt(place))
    return tierOf(terms.needles, cursor.name.subarray(0, cursor.nameLength), key)
  }

  private holdsAll(key: Uint8Array): boolean {
    return this.terms.needles.length === 1 || holdsAllTerms(this.terms, key, key)
  }

  private step(): void {
    if ((++this.steps & CHECK_MASK) === 0) this.work.checkCancelled()
  }
}

function startsWith(key: Uint8Array, needle: Uint8Array): boolean {
  if (key.length < needle.length) return false
  for (let i = 0; i < needle.length; i++) if (key[i] !== needle[i]) return false
  return true
}
