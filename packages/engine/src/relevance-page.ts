import type { TimeColumnReader } from '@hotpath/index-format'
import type { RelevanceTerms } from '@hotpath/query'
import { unknownRows } from './column-filters.js'
import { HitFinder } from './hit-finder.js'
import { firstByName, firstNamed } from './name-page.js'
import { type NameGroup, rankedNames } from './ranked-names.js'
import { RelevanceOrder } from './relevance-order.js'
import { AndFilter, NotFilter, SetFilter } from './row-filter.js'
import type { RowSet } from './row-set.js'
import type { TableRows } from './table-rows.js'
import type { TreeMatcher } from './tree-matcher.js'
import { EXPECTED_HITS, firstByColumn } from './value-page.js'

/** ns to go to a name, to rank it, and to find its rows. */
const NAME_NS = 2_000
/** ns to look at a row of a name. */
const ROW_NS = 150

/**
 * The first `limit` hits by relevance (`compareRelevance` of the query package). Names are ranked and walked best first
 * until there are enough rows; where other conditions leave few hits, those are ranked instead. Without terms that names
 * can satisfy: the newest.
 */
export function firstByRelevance(finder: HitFinder, tree: TreeMatcher, terms: RelevanceTerms, limit: number): number[] {
  if (terms.needles.length === 0) return firstNewest(finder, limit)
  const { names, rest } = finder.parts
  const { table } = finder
  const order = new RelevanceOrder(table, tree, terms)
  const ranked = (): number[] => order.first(visit => finder.all().forEach(visit), limit)
  if (rest !== undefined) {
    if (finder.known !== undefined || finder.estimate <= limit) return ranked()
    // Names that no filter has found say nothing of how near they are.
    if (names === undefined && terms.tolerant.length > 0) return ranked()
    const among = names ?? { allNs: 0, estimate: table.rowCount }
    const share = limit / finder.estimate
    const walkNs = among.allNs + share * (among.estimate * (rest.testNs + ROW_NS) + NAME_NS)
    if (walkNs > finder.allNs()) return ranked()
  }
  const rows: number[] = []
  for (const groups of readAhead(table, rankedNames(table, names, terms), limit)) {
    let rank = 0
    const passing = (visit: (row: number) => void): void => {
      for (const group of groups) {
        for (const id of group) {
          table.dictionary.forEachRow(id, row => {
            if (!table.isHidden(row) && (rest === undefined || rest.test(row))) visit(row)
          })
        }
        rank++
      }
    }
    rows.push(...order.first(passing, limit - rows.length, () => rank))
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
