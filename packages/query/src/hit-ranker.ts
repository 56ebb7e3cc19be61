import { type HitRank, RANK_PLACES } from '@hotpath/model'
import { type Entry, nameOf } from './entry.js'
import type { Predicate } from './predicate.js'
import { nameCharacters, nameRelevance, relevanceTerms } from './relevance.js'

export type RankHit = (entry: Entry) => HitRank

/**
 * Explains the places of hits of a predicate: measures what `compareRelevance` compares. Of fuzzy hits that is the predicate whose
 * terms are tolerant. Cost: some microseconds a hit.
 */
export function hitRanker(predicate: Predicate): RankHit {
  const terms = relevanceTerms(predicate)
  return entry => {
    const name = nameOf(entry)
    const relevance = nameRelevance(terms, name)
    return {
      hot: entry.use?.hot ?? 0,
      nearness: relevance?.nearness ?? 0,
      allTerms: relevance?.holdsAll ?? true,
      place: relevance === undefined ? null : RANK_PLACES[relevance.tier],
      characters: relevance?.characters ?? nameCharacters(name),
      // An absolute path begins with a component that is empty.
      depth: entry.components.filter(({ length }) => length > 0).length,
    }
  }
}
