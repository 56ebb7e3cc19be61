import type { TimeColumnReader } from '@hotpath/index-format'
import type { RelevanceTerms } from '@hotpath/query'
import { unknownRows } from './column-filters.js'
import { HitFinder, WalkBudget } from './hit-finder.js'
import { LeastRanks } from './least-ranks.js'
import type { NameExpression } from './name-expression.js'
import { firstByName, firstNamed } from './name-page.js'
import { NamesFilter } from './names-filter.js'
import { holdsAlways, isPlain, type NameGroup, rankedNames } from './ranked-names.js'
import { RelevanceOrder } from './relevance-order.js'
import { AndFilter, NotFilter, OrFilter, type RowFilter, SetFilter } from './row-filter.js'
import type { RowSet } from './row-set.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'
import { EXPECTED_HITS, firstByColumn } from './value-page.js'

/** ns to go to a name, to rank it, and to find its rows. */
const NAME_NS = 2_000
/** ns to look at a row of a name. */
const ROW_NS = 150
/** ns to see that a known row comes too late for the page, and to rank one by its name: guesses from whole searches. */
const LATE_NS = 40
const RANK_NS = 500
/** ns to verify a block of names, as one of many, and to decode those of its names that are short enough, too (a guess). */
const BLOCK_NS = 500
const DECODED_BLOCK_NS = 1_500
/**
 * A walk that may be in vain must promise to be so many times cheaper than the other way: hits seldom are spread evenly.
 * Chosen between two queries of ten million entries: a walk for `usr/src` promises to be 5 times cheaper and is in vain, one for `sr/i` promises 60 and is not.
 */
const SURER = 8

/**
 * The first `limit` hits by relevance (`compareRelevance` of the query package). Names are ranked and walked best first
 * until there are enough rows; where other conditions leave few hits, those are ranked instead. Without terms that names
 * can satisfy: the newest.
 */
export function firstByRelevance(finder: HitFinder, tree: TreeMatcher, terms: RelevanceTerms, limit: number): number[] {
  if (terms.needles.length === 0) return firstNewest(finder, limit)
  const { table, known } = finder
  const order = new RelevanceOrder(table, tree, terms)
  if (known !== undefined && known.count <= limit) return order.first(visit => known.forEach(visit), limit)
  const { names, rest } = finder.parts
  const walk = (among: NamesFilter | undefined): number[] =>
    walkRanked(table, order, rankedNames(table, among, terms), rest, limit) ?? []
  if (rest === undefined) return walk(names)
  const sure = surelyHits(rest, terms)
  const holding = sure ?? holdingNames(table, names, terms)
  const ranked = (): number[] => firstRanked(finder, order, terms, holding, limit)
  if (finder.known !== undefined || finder.estimate <= limit) return ranked()
  if (names !== undefined) {
    const expectedNs = names.allNs + walkNs(names, rest, limit / finder.estimate)
    return expectedNs > finder.allNs(LATE_NS) ? ranked() : walk(names)
  }
  // Names that no filter has found say nothing of how near they are.
  if (holding === undefined) return ranked()
  // As if what names hold had nothing to do with the rest. It often has, so a walk may take no more than half of what the other way takes.
  const found = sure?.estimate ?? (holding.estimate * finder.estimate) / table.rowCount
  const share = limit / Math.max(1, found)
  const expectedNs = share * holding.allNs + walkNs(holding, rest, share)
  const allNs = finder.allNs(LATE_NS)
  if (found >= limit && expectedNs * (sure ? 1 : SURER) < allNs) {
    const groups = rankedNames(table, holding, terms, undefined, allNs / 2 / DECODED_BLOCK_NS)
    const budget = new WalkBudget(table, allNs / 2, rest.testNs + ROW_NS)
    const rows = walkRanked(table, order, groups, rest, limit, budget)
    if (rows?.length === limit) return rows
  }
  // A walk would verify how long all other names are.
  const otherNs = (holding.verdicts.candidateCount + table.dictionary.blockCount) * BLOCK_NS
  return allNs < otherNs ? ranked() : walk(undefined)
}

/** ns to walk a share of some names. */
function walkNs(names: NamesFilter, rest: RowFilter, share: number): number {
  return share * (names.estimate * (rest.testNs + ROW_NS) + NAME_NS)
}

/** The first hits among the rows of names, which come best first. @returns undefined if the budget was spent before */
function walkRanked(
  table: TableRows,
  order: RelevanceOrder,
  groups: Iterable<NameGroup>,
  rest: RowFilter | undefined,
  limit: number,
  budget?: WalkBudget,
): number[] | undefined {
  const rows: number[] = []
  for (const together of readAhead(table, groups, limit)) {
    let rank = 0
    const passing = (visit: (row: number) => void): void => {
      for (const group of together) {
        for (const id of group) {
          table.dictionary.forEachRow(id, row => {
            if (budget?.isSpent || budget?.step() === false) return
            if (!table.isHidden(row) && (rest === undefined || rest.test(row))) visit(row)
          })
        }
        rank++
      }
    }
    rows.push(...order.first(passing, limit - rows.length, () => rank))
    if (budget?.isSpent) return undefined
    if (rows.length === limit) break
  }
  return rows
}

/**
 * Groups of names one by one, or, while the segment is cold, as many together as a page needs: their rows are asked for at
 * once, where group after group would wait for the disk.
 */
function* readAhead({ dictionary }: TableRows, groups: Iterable<NameGroup>, limit: number): Generator<NameGroup[]> {
  let together: NameGroup[] = []
  let rows = 0
  for (const group of groups) {
    together.push(group)
    if (dictionary.isCold) {
      for (const id of group) rows += dictionary.rowCountOf(id)
      if (rows < limit) continue
      dictionary.expectRowsOf(together.flat())
    }
    yield together
    together = []
    rows = 0
  }
  if (together.length === 0) return
  dictionary.expectRowsOf(together.flat())
  yield together
}

/** The names that hold the only term where all of them are hits, as of `path:term`. */
function surelyHits(rest: RowFilter, { needles, tolerant }: RelevanceTerms): NamesFilter | undefined {
  if (!(rest instanceof OrFilter) || needles.length !== 1 || tolerant.length > 0) return undefined
  return rest.parts.find((part): part is NamesFilter => {
    if (!(part instanceof NamesFilter) || part.expression.kind !== 'name') return false
    return isPlain(part.expression.test) && holdsAlways(part.expression, needles)
  })
}

/** The names that hold all terms; undefined where every hit does, or where a name need not hold a term. */
function holdingNames(
  table: TableRows,
  names: NamesFilter | undefined,
  { needles, tolerant }: RelevanceTerms,
): NamesFilter | undefined {
  if (tolerant.length > 0 || (names !== undefined && holdsAlways(names.expression, needles))) return undefined
  const parts = needles.map((needle): NameExpression => ({ kind: 'name', test: { mode: 'substring', needle } }))
  return new NamesFilter(table, parts.length === 1 ? parts[0] : { kind: 'and', parts })
}

/**
 * The first hits by relevance where all are to be found. Most of them come too late, which their name ids show. Those whose names start with
 * the only term are before all others: what others hold is verified only if there are too few of these, and if
 * that is less work than ranking each hit.
 */
function firstRanked(
  finder: HitFinder,
  order: RelevanceOrder,
  terms: RelevanceTerms,
  holding: NamesFilter | undefined,
  limit: number,
): number[] {
  const { table } = finder
  const hits = finder.all()
  // While the segment is cold the name ids of all hits are asked for together.
  if (hits.count <= limit || terms.tolerant.length > 0 || table.dictionary.isCold) {
    return order.first(visit => hits.forEach(visit), limit)
  }
  const isLess = holding !== undefined && holding.verdicts.candidateCount * BLOCK_NS < hits.count * RANK_NS
  const verdicts = isLess ? holding.verdicts : undefined
  const least = new LeastRanks(table, terms, verdicts)
  const first = (passes: (id: number) => boolean, count: number): number[] =>
    order.first(
      visit => {
        hits.forEach(row => {
          if (passes(table.nameIdOf(row))) visit(row)
        })
      },
      count,
      undefined,
      row => least.of(table.nameIdOf(row)),
    )
  // Where verifying is less work than a pass over the hits, one pass will do.
  const isOnePass = verdicts !== undefined && verdicts.candidateCount * BLOCK_NS < hits.count * LATE_NS
  const startsFirst = terms.needles.length === 1 && !isOnePass
  const starts = startsFirst ? first(id => least.isStart(id), limit) : []
  if (starts.length === limit) return starts
  verdicts?.all()
  const others = first(id => !startsFirst || !least.isStart(id), limit - starts.length)
  return [...starts, ...others]
}

/** Latest modification first, unknown ones last. */
function firstNewest(finder: HitFinder, limit: number): number[] {
  const { table, filter } = finder
  const times = table.reader.timeColumn(table.table, 'modified')
  if (times === undefined) return firstByName(finder, false, limit)
  const unknown = unknownHits(finder, times) ?? unknownRows(table, 'modified')
  const newest = { column: 'modified', descending: true } as const
  if (unknown.count === 0) return firstByColumn(finder, newest, limit)
  const parts = (last: SetFilter | NotFilter): HitFinder =>
    new HitFinder(table, new AndFilter(table.rowCount, [...filter.conjuncts, last], table.work.checkCancelled))
  const known = parts(new NotFilter(table.rowCount, new SetFilter(unknown)))
  const rows = firstByColumn(known, newest, limit)
  if (rows.length < limit)
    rows.push(...firstNamed(table, parts(new SetFilter(unknown)).all(), false, limit - rows.length))
  return rows
}

/** The hits without a time, where these are found sooner than all such rows: few hits, while the segment is cold. */
function unknownHits(finder: HitFinder, times: TimeColumnReader): RowSet | undefined {
  const { table } = finder
  if (times.unknownCount === 0 || !table.dictionary.isCold || finder.estimate > EXPECTED_HITS) return undefined
  const hits = finder.all()
  if (hits.count > EXPECTED_HITS) return undefined
  const rows: number[] = []
  hits.forEach(row => {
    rows.push(row)
  })
  table.reader.expectValues(table.table, 'modified', rows)
  return hits.filter(row => Number.isNaN(times.secondsAt(row)))
}
