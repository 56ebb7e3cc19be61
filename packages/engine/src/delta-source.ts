import { compareBytes } from '@hotpath/index-format'
import { compareUses, type EntryUse, type Predicate, type RelevanceTerms } from '@hotpath/query'
import { deltaTest } from './delta-test.js'
import { useOf } from './hit.js'
import { rankOf } from './ranked-names.js'
import { RowList } from './row-list.js'
import { CHECK_MASK } from './search-work.js'
import { type HitSort, isUseSort, type UseSort } from './sort-order.js'
import { TopItems } from './top-items.js'
import type { ViewScope } from './view-scope.js'

/** Rows tested between two looks at whether the search was cancelled: half a millisecond of the dearest tests. */
const CHECK_ROWS = 0xff

/** The hits of a query among the rows that changed since the last flush. */
export class DeltaSource {
  private readonly hits = new RowList()

  /** Tests every row. */
  constructor(
    private readonly scope: ViewScope,
    predicate: Predicate,
  ) {
    const { work, sight } = scope
    const { delta } = scope.view
    const test = deltaTest(scope, predicate)
    for (let row = 0; row < delta.end; row++) {
      if ((row & CHECK_ROWS) === 0) work.checkCancelled()
      if (!delta.isEntry(row) || !test(row)) continue
      if (sight === undefined || sight.mayList(delta.parent[row])) this.hits.push(row)
    }
  }

  /** Exact number of hits. */
  get total(): number {
    return this.hits.length
  }

  /** The first `limit` hits in the order of `sort`. */
  first(sort: HitSort, limit: number): number[] {
    if (limit === 0 || this.hits.length === 0) return []
    const top = new TopItems<number>(limit, this.orderOf(sort))
    for (const row of this.hits.rows()) top.offer(row)
    return top.sorted()
  }

  /** Every hit that was opened, in a sort by use. */
  allOpened(sort: UseSort): Uint32Array {
    const opened = this.openedRows()
    return this.sorted(sort, row => opened.has(row))
  }

  /** Every hit in the order of `sort`, but those that were opened if these come first. */
  allOthers(sort: HitSort): Uint32Array {
    if (!isUseSort(sort)) return this.sorted(sort, () => true)
    const opened = this.openedRows()
    return this.sorted(sort, row => !opened.has(row))
  }

  private sorted(sort: HitSort, passes: (row: number) => boolean): Uint32Array {
    const rows = this.hits.rows().filter(passes)
    return rows.length < 2 ? rows : rows.sort(this.orderOf(sort))
  }

  private openedRows(): Set<number> {
    const { view, work } = this.scope
    const rows = new Set<number>()
    view.opened.forEach((row, slot) => {
      if (useOf(view, slot, work) !== undefined) rows.add(row)
    })
    return rows
  }

  private orderOf(sort: HitSort): (a: number, b: number) => number {
    const primary = this.primaryOrder(sort)
    const byUse = isUseSort(sort)
    let comparisons = 0
    return (a, b) => {
      if ((++comparisons & (CHECK_MASK >>> 3)) === 0) this.scope.work.checkCancelled()
      const order = primary(a, b)
      // The order by use knows itself what descending means.
      if (order !== 0) return sort.descending && !byUse ? -order : order
      return this.compareNames(a, b) || this.comparePaths(a, b)
    }
  }

  private primaryOrder(sort: HitSort): (a: number, b: number) => number {
    const { delta } = this.scope.view
    switch (sort.column) {
      case 'name':
        return (a, b) => this.compareNames(a, b)
      case 'path':
        return (a, b) => this.comparePaths(a, b)
      case 'size': {
        const size = (row: number): number => (delta.isDirectory(row) ? 0 : delta.size[row])
        return (a, b) => compareKnown(size(a), size(b))
      }
      case 'opened':
        return this.useOrder(sort)
      case 'hot': {
        const use = this.useOrder(sort)
        const relevance = this.relevanceOrder(sort.terms)
        return (a, b) => use(a, b) || relevance(a, b)
      }
      case 'ext':
        return (a, b) => this.compareExtensions(a, b)
      default: {
        const { column } = sort
        return (a, b) => {
          const [left, right] = [delta.secondsOf(a, column), delta.secondsOf(b, column)]
          const order = compareKnown(left, right)
          return order !== 0 || Number.isNaN(left) ? order : delta.ticksOf(a, column) - delta.ticksOf(b, column)
        }
      }
    }
  }

  private useOrder(sort: UseSort): (a: number, b: number) => number {
    const { view, work } = this.scope
    const uses = new Map<number, EntryUse>()
    view.opened.forEach((row, slot) => {
      const use = useOf(view, slot, work)
      if (use) uses.set(row, use)
    })
    return (a, b) => compareUses(sort, uses.get(a), uses.get(b))
  }

  private relevanceOrder(terms: RelevanceTerms): (a: number, b: number) => number {
    const { view } = this.scope
    const { delta } = view
    const ranks = new Float64Array(terms.needles.length === 0 ? 0 : delta.end)
    if (terms.needles.length > 0) {
      for (const row of this.hits.rows()) {
        const [name, key] = [delta.nameOf(row), delta.keyOf(row)]
        ranks[row] = rankOf(terms, name, key)
      }
    }
    const depth = (row: number): number => view.componentsOf(delta.parent[row]).length
    const age = (row: number): number => {
      const seconds = delta.secondsOf(row, 'modified')
      return Number.isNaN(seconds) ? Number.POSITIVE_INFINITY : -seconds
    }
    return (a, b) => {
      if (terms.needles.length > 0) {
        const order = ranks[a] - ranks[b] || depth(a) - depth(b)
        if (order !== 0) return order
      }
      const [left, right] = [age(a), age(b)]
      if (left !== right) return left < right ? -1 : 1
      return Number.isFinite(left) ? delta.ticksOf(b, 'modified') - delta.ticksOf(a, 'modified') : 0
    }
  }

  private compareNames(a: number, b: number): number {
    const { keys, keyEnds, names, nameEnds } = this.scope.view.delta
    const { delta } = this.scope.view
    return (
      compareSpans(keys.bytes, delta.keyStart(a), keyEnds[a], keys.bytes, delta.keyStart(b), keyEnds[b]) ||
      compareSpans(names.bytes, delta.nameStart(a), nameEnds[a], names.bytes, delta.nameStart(b), nameEnds[b])
    )
  }

  private comparePaths(a: number, b: number): number {
    const { view } = this.scope
    const [left, right] = [view.delta.parent[a], view.delta.parent[b]]
    if (left === right) return this.compareNames(a, b)
    const [above, beside] = [view.pathKeyOf(left), view.pathKeyOf(right)]
    if (above.length === beside.length) return compareBytes(above, beside) || this.compareNames(a, b)
    // One lies above the other: the name of its row stands against what follows in the other's path.
    if (startsWith(beside, above)) return this.compareWithRest(a, beside, above.length) || -1
    if (startsWith(above, beside)) return -this.compareWithRest(b, above, beside.length) || 1
    return compareBytes(above, beside)
  }

  /** Order of a row's name against the path from `from` on. 0: the path goes on below the row. */
  private compareWithRest(row: number, path: Uint8Array, from: number): number {
    const { delta } = this.scope.view
    const keyEnd = path.indexOf(0, from)
    const nameEnd = path.indexOf(0, keyEnd + 1)
    return (
      compareSpans(delta.keys.bytes, delta.keyStart(row), delta.keyEnds[row], path, from, keyEnd) ||
      compareSpans(delta.names.bytes, delta.nameStart(row), delta.nameEnds[row], path, keyEnd + 1, nameEnd)
    )
  }

  private compareExtensions(a: number, b: number): number {
    const { bytes } = this.scope.view.delta.keys
    const { keyEnds } = this.scope.view.delta
    const [left, right] = [this.extensionStart(a), this.extensionStart(b)]
    if (left >= 0 && right >= 0) return compareSpans(bytes, left, keyEnds[a], bytes, right, keyEnds[b])
    return left >= 0 ? -1 : right >= 0 ? 1 : 0
  }

  /** Where the extension starts in the keys; -1 without one. */
  private extensionStart(row: number): number {
    const { delta } = this.scope.view
    if (delta.isDirectory(row)) return -1
    const end = delta.keyEnds[row]
    const start = delta.keyStart(row)
    let dot = end - 1
    while (dot >= start && delta.keys.bytes[dot] !== 0x2e) dot--
    return dot < start || dot === end - 1 ? -1 : dot + 1
  }
}

/** Ascending, NaN (unknown) last. */
function compareKnown(a: number, b: number): number {
  if (a === b) return 0
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : 1
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes.length < start.length) return false
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false
  return true
}

function compareSpans(a: Uint8Array, from: number, to: number, b: Uint8Array, start: number, end: number): number {
  const length = Math.min(to - from, end - start)
  for (let i = 0; i < length; i++) {
    const difference = a[from + i] - b[start + i]
    if (difference !== 0) return difference
  }
  return to - from - (end - start)
}
