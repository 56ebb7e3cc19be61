import type { RelevanceTerms } from '@hotpath/query'
import { Tier } from '@hotpath/query'
import { prefixRange } from './candidate-blocks.js'
import type { NameVerdicts } from './name-verdicts.js'
import { type RankedTable, rankOfParts } from './ranked-names.js'
import type { ShortNames } from './short-names.js'

/**
 * What a name is worth at best, by what is known without decoding it: whether it stands among those that start with a term, whether it
 * holds all terms, and how long it is if it is short. There are no tolerant terms.
 */
export class LeastRanks {
  /** Name ids [from, to) that start with each term. */
  private readonly starts: readonly { readonly from: number; readonly to: number }[]
  private readonly short: ShortNames | undefined
  private readonly sole: boolean

  constructor(
    { dictionary, segment, table }: RankedTable,
    { needles }: RelevanceTerms,
    /** The names that hold all terms, if anybody verified them. */
    private readonly holding: NameVerdicts | undefined,
  ) {
    this.starts = needles.map(needle => prefixRange(dictionary, needle))
    this.short = segment.shortNames(table)
    this.sole = needles.length === 1
  }

  /** True if a name starts with a term. */
  isStart(id: number): boolean {
    for (const { from, to } of this.starts) if (id >= from && id < to) return true
    return false
  }

  /** No more than `rankOf` of the name. */
  of(id: number): number {
    const starts = this.isStart(id)
    const holdsAll = (starts && this.sole) || this.holding === undefined || this.holding.has(id)
    // What does not hold the only term does not hold it at a boundary.
    const tier = starts ? Tier.exact : holdsAll || !this.sole ? Tier.boundary : Tier.inside
    return rankOfParts(0, holdsAll, tier, this.short?.lengths.leastOf(id) ?? 0)
  }
}
