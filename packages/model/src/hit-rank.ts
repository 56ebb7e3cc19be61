/** Where a name holds a term, the best first (docs/query.md, Relevance). */
export const RANK_PLACES = ['whole', 'start', 'part', 'inside'] as const
export type RankPlace = (typeof RANK_PLACES)[number]

/** Why a hit stands where it stands by relevance: what is compared, one after the other. */
export interface HitRank {
  /** How hot it is; 0 where it was never opened. */
  readonly hot: number
  /** Of a fuzzy hit, how far it is from what was typed; 0: not at all. */
  readonly nearness: number
  /** The name holds all terms. */
  readonly allTerms: boolean
  /** Best place of a term in the name; null: the query has no term that a name can hold. */
  readonly place: RankPlace | null
  /** Of the name. */
  readonly characters: number
  /** Components of the path. */
  readonly depth: number
}

/** In a column: the query has no term that a name can hold. */
export const NO_PLACE = RANK_PLACES.length

/** Ranks of the hits of a page, without their heat, which is a column of its own. */
export interface RankColumns {
  readonly nearness: Uint8Array
  /** 1: all terms are held. */
  readonly allTerms: Uint8Array
  /** Index in RANK_PLACES, or one more. */
  readonly place: Uint8Array
  readonly characters: Uint32Array
  readonly depth: Uint32Array
}

export function rankColumns(ranks: readonly HitRank[]): RankColumns {
  return {
    nearness: Uint8Array.from(ranks, rank => rank.nearness),
    allTerms: Uint8Array.from(ranks, rank => Number(rank.allTerms)),
    place: Uint8Array.from(ranks, ({ place }) => (place === null ? NO_PLACE : RANK_PLACES.indexOf(place))),
    characters: Uint32Array.from(ranks, rank => rank.characters),
    depth: Uint32Array.from(ranks, rank => rank.depth),
  }
}

/** The rank of a row; undefined where the search was not explained. */
export function rankAt(
  columns: { readonly rank?: RankColumns | undefined; readonly hot?: Float64Array | undefined },
  row: number,
): HitRank | undefined {
  const { rank, hot } = columns
  if (rank === undefined) return undefined
  return {
    hot: hot?.[row] ?? 0,
    nearness: rank.nearness[row]!,
    allTerms: rank.allTerms[row] === 1,
    place: RANK_PLACES[rank.place[row]!] ?? null,
    characters: rank.characters[row]!,
    depth: rank.depth[row]!,
  }
}
