import type { ChildCountPredicate, ChildPredicate } from '@hotpath/query'
import { Bitset } from './bitset.js'
import { nameTest } from './delta-test.js'
import type { DuplicateNames } from './duplicate-names.js'
import type { IndexFacts } from './index-facts.js'
import { NamesFilter } from './names-filter.js'
import { CHECK_MASK, type SearchWork } from './search-work.js'
import type { SegmentState } from './segment-state.js'
import { TableRows } from './table-rows.js'
import type { ViewState } from './view-state.js'
import type { VisibleDirectories } from './visible-directories.js'

/** Below one file in so many directories, looking each directory up is cheaper than passing over all. */
const SPARSE_SHARE = 16

/** A view as one search sees it. What depends on more than one row is found out once, when it is first asked for. */
export class ViewScope {
  private readonly holders = new Map<ChildPredicate, Bitset>()
  private readonly counters = new Map<ChildCountPredicate['of'], (dirId: number) => number>()
  private duplicates: DuplicateNames | undefined
  /** What may be seen of the view, if the search is that of another user. */
  readonly sight: VisibleDirectories | undefined
  private sizes: ((size: number) => number) | undefined

  /** @param views all views of the search: names and sizes are compared over all of them */
  constructor(
    readonly view: ViewState,
    private readonly views: readonly ViewState[],
    private readonly facts: IndexFacts,
    readonly work: SearchWork,
  ) {
    this.sight = work.sight?.of(view)
  }

  /** Names that several entries of the index have. */
  get duplicateNames(): DuplicateNames {
    this.duplicates ??= this.facts.duplicateNames(this.views, this.work.checkCancelled)
    return this.duplicates
  }

  /** How many files of the index have a size. */
  get sizeCounter(): (size: number) => number {
    this.sizes ??= this.facts.sizeCounter(this.views, this.work.checkCancelled)
    return this.sizes
  }

  /** How many entries a directory, by its id, directly holds. */
  childCounter(of: ChildCountPredicate['of']): (dirId: number) => number {
    let counter = this.counters.get(of)
    if (counter === undefined) {
      counter = this.makeCounter(of)
      this.counters.set(of, counter)
    }
    return counter
  }

  private makeCounter(of: ChildCountPredicate['of']): (dirId: number) => number {
    const { delta, childCounts } = this.view
    childCounts.update(this.work.checkCancelled)
    const added = new Map<number, number>()
    for (let row = 0; row < delta.end; row++) {
      if (!delta.isEntry(row)) continue
      if (of !== 'entries' && delta.isDirectory(row) !== (of === 'directories')) continue
      added.set(delta.parent[row], (added.get(delta.parent[row]) ?? 0) + 1)
    }
    const { sight } = this
    const countOf = (dirId: number): number =>
      (of === 'directories' ? 0 : childCounts.filesIn(dirId)) +
      (of === 'files' ? 0 : childCounts.directoriesIn(dirId)) +
      (added.get(dirId) ?? 0)
    // Who may not list a directory sees nothing in it.
    return sight === undefined ? countOf : dirId => (sight.mayList(dirId) ? countOf(dirId) : 0)
  }

  /** Ids of the directories that directly hold an entry whose name passes. Cost: that of finding these names and rows. */
  directoriesHolding(predicate: ChildPredicate): Bitset {
    let found = this.holders.get(predicate)
    if (found === undefined) {
      found = this.findHolding(predicate)
      this.holders.set(predicate, found)
    }
    return found
  }

  private findHolding({ test }: ChildPredicate): Bitset {
    const { view } = this
    const { delta } = view
    const found = new Bitset(view.lastDirId + 1)
    for (const segment of view.segments) this.addHolders(segment, { kind: 'name', test }, found)
    const passes = nameTest(delta, test)
    for (let row = 0; row < delta.end; row++) {
      if (delta.isEntry(row) && passes(row)) found.add(delta.parent[row])
    }
    const { sight } = this
    if (sight === undefined) return found
    const seen = new Bitset(found.size)
    found.forEach(dirId => {
      if (sight.mayList(dirId)) seen.add(dirId)
    })
    return seen
  }

  private addHolders(segment: SegmentState, name: ConstructorParameters<typeof NamesFilter>[1], found: Bitset): void {
    const { reader } = segment
    const { checkCancelled } = this.work
    let steps = 0
    const directories = new NamesFilter(new TableRows(this, segment, 'd'), name).all()
    directories.forEach(row => {
      if ((++steps & CHECK_MASK) === 0) checkCancelled()
      if (row > 0 && !segment.isHidden('d', row)) found.add(reader.dirIdOf(reader.parentOf(row)))
    })
    const files = new NamesFilter(new TableRows(this, segment, 'f'), name).all()
    const isSparse = files.count * SPARSE_SHARE < reader.dirCount
    let local = 0
    files.forEach(row => {
      if ((++steps & CHECK_MASK) === 0) checkCancelled()
      if (segment.isHidden('f', row)) return
      if (isSparse) local = reader.directoryOfFile(row)
      else while (reader.firstFile(local + 1) <= row) local++
      found.add(reader.dirIdOf(local))
    })
  }
}
