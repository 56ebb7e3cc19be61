import type { ExtensionRanks } from './extension-ranks.js'
import { type HitFinder, LEAST_BUDGET_NS, WalkBudget } from './hit-finder.js'
import type { NameExtensions } from './name-extensions.js'
import type { NameVerdicts } from './name-verdicts.js'
import { NAME_NS, NameWalk } from './name-walk.js'
import type { NamesFilter } from './names-filter.js'
import { CHECK_MASK, type SearchWork } from './search-work.js'

/** ns to reach the next name of an extension and to see that it is no candidate. */
const LISTED_NS = 4
/** ns to verify a block of names as one of many. */
const BLOCK_NS = 500
/** ns to put a name that passes into the order of extensions. */
const SORTED_NS = 15
/** ns to test a row among hits that are known. */
const MEMBER_NS = 25
/** Names read from the lists at once. */
const READ_NAMES = 512
/** Candidates verified at once, at first and at most: doubled each time, as pages that are not full soon need many. */
const FIRST_CANDIDATES = 64
const MOST_CANDIDATES = 4_096
/** Names are sorted by themselves if they are less than this share of the extensions: a comparison costs more than a look at an extension. */
const FEW_SHARE = 16

/** Ranks of extensions, in the order in which hits are wanted. */
export interface RankOrder {
  readonly length: number
  at(position: number): number | undefined
}

/** Every rank. */
export function allRanks({ count }: ExtensionRanks, descending: boolean): RankOrder {
  return { length: count + 1, at: position => (descending ? count - position : position) }
}

/**
 * The first `limit` hits along the lists of names of the extensions `order`, which are those of all hits. Names that can
 * pass are verified when they are reached; that is quick where hits are frequent. Undefined if it does not promise to be
 * cheaper than what else there is, or was broken off.
 */
export function walkLists(
  finder: HitFinder,
  extensions: NameExtensions,
  order: RankOrder,
  limit: number,
): number[] | undefined {
  const { table, known } = finder
  const { nameCount, blockCount } = table.dictionary
  const { names, rest } = partsOf(finder)
  const listed = listedNames(extensions, order, nameCount)
  const costs = costsOf(finder, limit, listed)
  let expectedNs = costs.share * listed * LISTED_NS + costs.rowsNs
  if (names) {
    const { undecidedBlocks } = names.verdicts
    // Of extensions that are asked for most names are candidates.
    const candidates = costs.share * listed * (listed < nameCount ? 1 : undecidedBlocks / blockCount)
    expectedNs += BLOCK_NS * Math.min(candidates, undecidedBlocks)
  }
  const otherwiseNs = names ? Math.min(passingNs(names, costs), finder.allNs()) : finder.allNs()
  if (expectedNs > otherwiseNs) return undefined
  // Hits keep to some extensions, so that a walk often takes many times what is expected; names are not verified twice.
  const budget = new WalkBudget(table, Math.max(LEAST_BUDGET_NS, otherwiseNs / 2), costs.rowNs)
  const ids = listedInOrder(extensions, order, names?.verdicts, table.work, budget)
  return new NameWalk(finder, limit).over(nextOf(ids), known ? undefined : rest, budget)
}

/**
 * The first `limit` hits along the names that pass, all of which are verified. Undefined if there is no condition on names,
 * or finding all hits promises to be cheaper, or if it was broken off.
 * @param ranksOf the ranks of these names, ascending
 */
export function walkPassing(
  finder: HitFinder,
  ranksOf: (ids: Uint32Array) => ExtensionRanks,
  descending: boolean,
  limit: number,
): number[] | undefined {
  const { table } = finder
  const { names, rest } = partsOf(finder)
  if (names === undefined) return undefined
  const costs = costsOf(finder, limit, table.dictionary.nameCount)
  if (rest && passingNs(names, costs) > finder.allNs()) return undefined
  const ids = new Uint32Array(names.verdicts.count())
  let count = 0
  names.verdicts.forEach(id => {
    ids[count++] = id
  })
  const ranks = ranksOf(ids)
  const inOrder = sortedByRank(ids, ranks, descending, table.work)
  // With nothing but names there is no shorter way.
  const budget = rest && new WalkBudget(table, Math.max(LEAST_BUDGET_NS, finder.allNs() / 2), costs.rowNs)
  return new NameWalk(finder, limit).over(nextOf(inOrder), rest, budget)
}

/** The conditions on hits that are not known. */
function partsOf(finder: HitFinder): HitFinder['parts'] {
  return finder.known ? { names: undefined, rest: undefined } : finder.parts
}

/** Costs of a page if hits were spread evenly over the names. */
interface WalkCosts {
  /** Share of the names, or of those that pass, that are reached. */
  readonly share: number
  readonly rowsPerName: number
  /** For a row that is reached, and for all of them. */
  readonly rowNs: number
  readonly rowsNs: number
}

/** @param listed names that a walk may reach */
function costsOf(finder: HitFinder, limit: number, listed: number): WalkCosts {
  const { table, known, estimate } = finder
  const { names, rest } = partsOf(finder)
  const share = Math.min(1, limit / Math.max(1, estimate))
  const rowsPerName = Math.max(1, table.rowCount / table.dictionary.nameCount)
  const rowNs = (known ? MEMBER_NS : (rest?.testNs ?? 0)) + NAME_NS / rowsPerName
  return { share, rowsPerName, rowNs, rowsNs: share * (names?.estimate ?? listed * rowsPerName) * rowNs }
}

function passingNs({ verdicts, estimate }: NamesFilter, { rowsPerName, rowsNs }: WalkCosts): number {
  return verdicts.undecidedBlocks * BLOCK_NS + (estimate / rowsPerName) * SORTED_NS + rowsNs
}

/** Names that have one of the extensions. */
function listedNames(extensions: NameExtensions, order: RankOrder, nameCount: number): number {
  if (order.length > extensions.count) return nameCount
  let sum = 0
  for (let i = 0; i < order.length; i++) sum += extensions.nameCountOf(order.at(i) ?? 0)
  return sum
}

function nextOf(ids: Generator<number, undefined>): () => number {
  return () => ids.next().value ?? -1
}

/** The names of some extensions, one extension after the other; with verdicts those that pass. Ends if the budget does. */
function* listedInOrder(
  extensions: NameExtensions,
  order: RankOrder,
  verdicts: NameVerdicts | undefined,
  work: SearchWork,
  budget: WalkBudget,
): Generator<number, undefined> {
  const read = new Uint32Array(READ_NAMES)
  let candidates = new Uint32Array(FIRST_CANDIDATES)
  let count = 0
  let sinceCheck = 0
  for (let i = 0; i < order.length; i++) {
    const list = extensions.namesOf(order.at(i) ?? 0)
    for (let length = list.read(read); length > 0; length = list.read(read)) {
      sinceCheck += length
      if (sinceCheck > CHECK_MASK) {
        work.checkCancelled()
        sinceCheck = 0
      }
      if (!budget.step(length * LISTED_NS)) return
      for (let j = 0; j < length; j++) {
        const id = read[j]
        if (verdicts === undefined) yield id
        else if (verdicts.mayPass(id)) {
          candidates[count++] = id
          if (count < candidates.length) continue
          yield* thosePassing(verdicts, candidates)
          candidates = new Uint32Array(Math.min(candidates.length * 2, MOST_CANDIDATES))
          count = 0
        }
      }
    }
  }
  if (verdicts) yield* thosePassing(verdicts, candidates.subarray(0, count))
}

function* thosePassing(verdicts: NameVerdicts, candidates: Uint32Array): Generator<number, undefined> {
  verdicts.prepare(candidates)
  for (const id of candidates) if (verdicts.has(id)) yield id
}

/** The same for few names, without looking at ranks that none of them has. */
function* fewByRank(ids: Uint32Array, ranks: ExtensionRanks, descending: boolean): Generator<number, undefined> {
  const rankOf = Array.from(ids, id => ranks.rankOf(id))
  const sign = descending ? -1 : 1
  const places = [...rankOf.keys()].sort((a, b) => sign * (rankOf[a] - rankOf[b]) || a - b)
  for (const place of places) yield ids[place]
}

/** Names in the order of their ranks, those of one rank as they stand in `ids`. Cost: a pass over them before the first one. */
function* sortedByRank(
  ids: Uint32Array,
  ranks: ExtensionRanks,
  descending: boolean,
  work: SearchWork,
): Generator<number, undefined> {
  if (ids.length * FEW_SHARE < ranks.count) {
    yield* fewByRank(ids, ranks, descending)
    return
  }
  const order = allRanks(ranks, descending)
  const rankOf = new Uint32Array(ids.length)
  const starts = new Uint32Array(ranks.count + 2)
  for (let i = 0; i < ids.length; i++) {
    if ((i & CHECK_MASK) === CHECK_MASK) work.checkCancelled()
    rankOf[i] = ranks.rankOf(ids[i])
    starts[rankOf[i] + 1]++
  }
  for (let rank = 1; rank < starts.length; rank++) starts[rank] += starts[rank - 1]
  const places = starts.slice()
  const sorted = new Uint32Array(ids.length)
  for (let i = 0; i < ids.length; i++) sorted[places[rankOf[i]]++] = ids[i]
  for (let i = 0; i < order.length; i++) {
    const rank = order.at(i) ?? 0
    for (let place = starts[rank]; place < starts[rank + 1]; place++) yield sorted[place]
  }
}
