import { type NameRelevance, nameRelevance, parseQuery, relevanceTerms, type Tier } from '@hotpath/query'
import type { SearchRequest, SearchRow } from './search-backend.js'

/** Why a hit stands where it stands by relevance: what is compared, one after the other (docs/query.md). */
export interface HitRank {
  /** How hot it is; 0 where it was never opened. */
  readonly hot: number
  /** Of a fuzzy hit, how far it is from what was typed; 0: not at all. */
  readonly nearness: number
  /** The name holds all terms. */
  readonly allTerms: boolean
  /** Best place of a term in the name; null: the query has no term that a name can hold. */
  readonly place: 'whole' | 'start' | 'part' | 'inside' | null
  /** Of the name. */
  readonly characters: number
  /** Components of the path. */
  readonly depth: number
}

export type RankHit = (row: SearchRow, fuzzy: boolean) => HitRank

const PLACES: Readonly<Record<Tier, HitRank['place']>> = { 0: 'whole', 1: 'start', 2: 'part', 3: 'inside' }
const NOTHING: NameRelevance = { nearness: 0, holdsAll: true, tier: 3, characters: 0 }
const SLASH = 0x2f

/** Explains the places of hits of a query, which is parsed once. */
export function hitRanker({ query, match, caseMode, fuzzy }: SearchRequest): RankHit {
  const parsed = parseQuery(query, { now: Date.now(), match, caseMode, fuzzy })
  const exact = parsed.kind === 'query' ? relevanceTerms(parsed.predicate) : { needles: [], tolerant: [] }
  const tolerant = parsed.kind === 'query' && parsed.tolerant ? relevanceTerms(parsed.tolerant) : exact
  return (row, isFuzzy) => {
    const name = row.path.subarray(row.path.length - row.nameSizeBytes)
    const relevance = nameRelevance(isFuzzy ? tolerant : exact, name)
    const { nearness, holdsAll, tier } = relevance ?? NOTHING
    return {
      hot: row.hot,
      nearness,
      allTerms: holdsAll,
      place: relevance === undefined ? null : PLACES[tier],
      characters: relevance?.characters ?? [...new TextDecoder().decode(name)].length,
      depth: depthOf(row.path),
    }
  }
}

function depthOf(path: Uint8Array): number {
  let depth = 0
  for (let at = 0; at < path.length; at++) if (path[at] !== SLASH && (at === 0 || path[at - 1] === SLASH)) depth++
  return depth
}
