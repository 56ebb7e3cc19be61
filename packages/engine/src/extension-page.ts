import { ranksOfSome } from './extension-ranks.js'
import { allRanks, type RankOrder, walkLists, walkPassing } from './extension-walk.js'
import { fixedExtensions } from './fixed-extensions.js'
import type { HitFinder } from './hit-finder.js'
import type { NameExtensions } from './name-extensions.js'
import { firstByName } from './name-page.js'
import type { RowSet } from './row-set.js'
import type { TableRows } from './table-rows.js'
import { firstByValue, nameOrder } from './value-order.js'

/** Blocks of candidates, and hits, whose names are read rather than waiting for the extensions of all names: 5 to 10 ms. */
const FEW_BLOCKS = 4_096
const FEW_HITS = 8_192

/**
 * The first `limit` files by extension, then by name and path, both ascending; without an extension last, or first when
 * descending. Names are walked from extension to extension, unless sorting the hits is cheaper.
 */
export function firstByExtension(finder: HitFinder, descending: boolean, limit: number): number[] {
  const { table } = finder
  const { names } = finder.parts
  const fixed = names && fixedExtensions(names.expression)
  if (limit === 0) return []
  if (fixed?.length === 1) return firstByName(finder, false, limit)
  const { extensions: pass } = table.segment
  const few = pass.isDone ? undefined : firstOfFew(finder, descending, limit)
  if (few) return few
  const extensions = pass.extensions(table.work.checkCancelled)
  const order = fixed ? ranksOf(extensions, fixed, descending) : allRanks(extensions, descending)
  return (
    walkLists(finder, extensions, order, limit) ??
    walkPassing(finder, () => extensions, descending, limit) ??
    firstByRank(table, finder.all(), id => extensions.rankOf(id), descending, limit)
  )
}

/** Without knowing the extensions of all names; undefined if there are too many names to look at. */
function firstOfFew(finder: HitFinder, descending: boolean, limit: number): number[] | undefined {
  const { table } = finder
  const { dictionary, work } = table
  const { names } = finder.parts
  if (names && names.verdicts.candidateCount <= FEW_BLOCKS) {
    const walked = walkPassing(finder, ids => ranksOfSome(dictionary, ids, work), descending, limit)
    if (walked) return walked
  }
  if (finder.estimate > FEW_HITS) return undefined
  const hits = finder.all()
  if (hits.count > FEW_HITS) return undefined
  const ids = new Set<number>()
  hits.forEach(row => {
    ids.add(dictionary.nameIdOf(row))
  })
  const ranks = ranksOfSome(dictionary, Uint32Array.from(ids).sort(), work)
  return firstByRank(table, hits, id => ranks.rankOf(id), descending, limit)
}

/** From all hits. */
function firstByRank(
  table: TableRows,
  hits: RowSet,
  rankOf: (nameId: number) => number,
  descending: boolean,
  limit: number,
): number[] {
  const sign = descending ? -1 : 1
  const value = (row: number): number => sign * rankOf(table.nameIdOf(row))
  return firstByValue(table, hits, { limit, value, tie: nameOrder(table) })
}

/** Ranks of those of the extensions that some name has. */
function ranksOf(extensions: NameExtensions, texts: readonly Uint8Array[], descending: boolean): RankOrder {
  const ranks = texts.map(text => extensions.rankOfText(text)).filter(rank => rank >= 0)
  return ranks.sort((a, b) => (descending ? b - a : a - b))
}
