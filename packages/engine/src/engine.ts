import { DEFAULT_SCORING, type Scoring } from '@hotpath/hot-score'
import { CorruptFileError, type EngineOp, InvalidInputError, NO_DIRECTORY } from '@hotpath/model'
import { hitRanker, type Predicate, type QueryError } from '@hotpath/query'
import { type Asked, askedOf, comparesEntries } from './asked-query.js'
import { type CacheCounts, MAX_AGE_MS, sumOf } from './cache-counts.js'
import { deadRangesOf, hideRanges } from './dead-ranges.js'
import { type DiskDirectories, realDisk } from './disk-directories.js'
import type { FolderSizes } from './folder-sizes.js'
import { explainedHit, fuzzyHit, type Hit } from './hit.js'
import { asksForOpens, HotNodes } from './hot-nodes.js'
import { IndexFacts } from './index-facts.js'
import { IndexStatistics, type TypeSums } from './index-statistics.js'
import { type AddSegment, type MissingSegment, MissingSegments } from './missing-segments.js'
import { KeptOrder, OrderMemory } from './order-memory.js'
import { PathCache } from './path-cache.js'
import { WINDOWS } from './rank-window.js'
import { type KeptResult, ResultCache } from './result-cache.js'
import { MAX_WINDOW, type SearchOptions, type SearchResult } from './search-request.js'
import type { SearchWork } from './search-work.js'
import type { OpenSegment, SegmentOpener } from './segment-opener.js'
import { SegmentState } from './segment-state.js'
import { sortOf } from './sort-order.js'
import { StepClock } from './step-clock.js'
import { VerdictMemory } from './verdict-memory.js'
import { type CrewTask, joinTask } from './verify-crew.js'
import { ViewSearch } from './view-search.js'
import { isSameStanding, type Standing, ViewState } from './view-state.js'
import { type Sight, Sights } from './viewer-sight.js'

/** What the caches of an engine did and hold, by their names. */
export interface EngineCacheCounts {
  /** Pages and totals of one table of a segment, and orders of pages far down: looked up; entries are queries and orders. */
  readonly results: CacheCounts
  /** Decoded paths of directories. */
  readonly paths: CacheCounts
}

/** How often a search for another user runs until what it found is what the disk says: then the rest is left out. */
const VIEWER_ROUNDS = 3

/**
 * The replica of one query worker: applies the store's operations in order and answers searches on the state that they
 * make. Single-threaded; a search sees whole operation lists only.
 */
export class Engine {
  private readonly views = new Map<number, ViewState>()
  private readonly open = new Map<SegmentState, OpenSegment>()
  private readonly hot: HotNodes
  private readonly statistics = new IndexStatistics()
  /** When somebody asked for statistics last. */
  private statisticsMs = Number.NEGATIVE_INFINITY
  private readonly results: ResultCache
  private readonly sights: Sights
  private readonly paths: PathCache
  private readonly orders: OrderMemory
  private readonly activeViews = new Map<string, { view: number; partial: boolean }>()
  private sortsByExtension = false

  /**
   * @param onDropped a segment's file is not mapped any more
   * @param onMissing a segment could not be opened, or turned out to be damaged: answers lack it until it can be opened
   * @param scoring how opens make a node hot
   * @param nowMs what tells the age of what is kept: a clock that only goes forward
   * @param disk is asked about directories above roots, of access lists, and about those of each page for another user
   */
  constructor(
    private readonly opener: SegmentOpener,
    private readonly onDropped: (segment: number) => void,
    private readonly onMissing: (view: number, segment: number, error: Error) => void,
    scoring: Scoring = DEFAULT_SCORING,
    nowMs: () => number = () => performance.now(),
    disk: DiskDirectories = realDisk,
  ) {
    this.results = new ResultCache(nowMs)
    this.orders = new OrderMemory(nowMs)
    this.sights = new Sights(disk)
    this.paths = new PathCache(nowMs)
    this.hot = new HotNodes(scoring, error => this.setAside(error))
  }

  /** Applies one list. */
  apply(ops: readonly EngineOp[]): void {
    this.orders.clear()
    const changed = new Map<ViewState, Set<number>>()
    const standings = this.standingsBefore(ops)
    const added: { view: ViewState; segment: SegmentState }[] = []
    const note = (view: ViewState, dirIds: Iterable<number>): void => {
      const set = changed.get(view) ?? new Set<number>()
      for (const dirId of dirIds) set.add(dirId)
      changed.set(view, set)
    }
    for (const op of ops) {
      switch (op.op) {
        case 'createView':
          this.views.set(
            op.view,
            new ViewState(op.view, op.root, op.volume, op.prefix, op.virtualRoot, this.hot.table, this.paths),
          )
          break
        case 'activateView': {
          const former = this.activeViews.get(op.root)
          this.activeViews.set(op.root, { view: op.view, partial: op.partial })
          if (former !== undefined && former.view !== op.view) this.dropView(former.view)
          break
        }
        case 'dropView':
          this.dropView(op.view)
          for (const [root, active] of this.activeViews) if (active.view === op.view) this.activeViews.delete(root)
          break
        case 'addSegment': {
          const view = this.view(op.view)
          const segment = this.openSegment(view, { op, kills: [] })
          if (segment === undefined) break
          added.push({ view, segment })
          this.hot.segmentAdded(view, segment)
          break
        }
        case 'dropSegment':
          this.dropSegment(this.view(op.view), op.segment)
          note(this.view(op.view), [])
          break
        case 'kill': {
          const view = this.view(op.view)
          const segment = view.segments.find(candidate => candidate.id === op.segment)
          if (segment === undefined) this.missing.kill(op)
          else hideRanges(segment, op.ranges)
          break
        }
        case 'put': {
          const view = this.view(op.view)
          const directories = view.delta.put(op.slots, op.rows)
          // Where only files change, all directories are where they were.
          if (directories.length > 0) note(view, directories)
          break
        }
        case 'remove': {
          const view = this.view(op.view)
          const directories = view.delta.remove(op.slots)
          if (directories.length > 0) note(view, directories)
          break
        }
        case 'hot':
          this.hot.apply(op.records, [...this.views.values()])
          break
        case 'markPartial': {
          const active = this.activeViews.get(op.root)
          if (active) this.activeViews.set(op.root, { ...active, partial: op.partial })
          break
        }
      }
    }
    // Compared with what is left: a merge shares all its directories with its inputs, and they go in the same list.
    for (const { view, segment } of added) {
      if (view.segments.includes(segment)) note(view, view.directoriesToCompare(segment))
    }
    for (const [view, dirIds] of changed) if (this.views.has(view.id)) view.directoriesChanged([...dirIds])
    for (const { view, dirId, standing } of standings) {
      if (!isSameStanding(view.standingOf(dirId), standing)) view.accessVersion++
    }
  }

  /** Directories that get a row, as they are now. Nothing while nobody is answered for whom that counts. */
  private standingsBefore(ops: readonly EngineOp[]): { view: ViewState; dirId: number; standing: Standing }[] {
    const found: { view: ViewState; dirId: number; standing: Standing }[] = []
    if (this.sights.isEmpty) return found
    for (const op of ops) {
      const view = op.op === 'put' ? this.views.get(op.view) : undefined
      if (op.op !== 'put' || view === undefined) continue
      for (const dirId of op.rows.directory) {
        const standing = dirId === NO_DIRECTORY ? undefined : view.standingOf(dirId)
        // A new one shows nothing that was not there.
        if (standing !== undefined) found.push({ view, dirId, standing })
      }
    }
    return found
  }

  /**
   * Goes on with what is done while nobody searches, for about so long: finds out which entries of lists were opened
   * (until that is done, some of them may stand among those that were not), and what searches had use for: the short names
   * of segments and the extensions of their names. @returns true if nothing is left to do
   */
  settle(budgetMs: number): boolean {
    const untilMs = performance.now() + budgetMs
    return this.settleOpens(budgetMs) && [...this.open.keys()].every(segment => this.settleSegment(segment, untilMs))
  }

  private settleOpens(budgetMs: number): boolean {
    if (!this.hot.isSettled) this.orders.clear()
    return this.hot.settle(budgetMs)
  }

  private settleSegment(segment: SegmentState, untilMs: number): boolean {
    try {
      return segment.settle(untilMs) && (!this.sortsByExtension || segment.extensions.run(untilMs))
    } catch (error) {
      if (!(error instanceof CorruptFileError) || !this.setAside(error)) throw error
      return true
    }
  }

  /** Entries in all active views. */
  entryCount(): number {
    let count = 0
    for (const { view } of this.activeViews.values()) count += this.views.get(view)?.entryCount ?? 0
    return count
  }

  /**
   * Answers a query: exact total and one page.
   * @returns QueryError (a value) if the text is not a query
   * @throws CancelledError from `checkCancelled`, InvalidInputError for a window out of bounds
   */
  search(options: SearchOptions): SearchResult | QueryError {
    const { limit, offset } = options
    if (!(limit >= 0 && offset >= 0 && limit + offset <= MAX_WINDOW)) {
      throw new InvalidInputError('window', `offset + limit of at most ${MAX_WINDOW}`, `${offset} + ${limit}`)
    }
    const clock = new StepClock(options.explain === true)
    const query = askedOf(options)
    if (query.kind !== 'asked') return query
    clock.step('parse')
    for (;;) {
      try {
        this.openMissing()
        return options.viewer === undefined
          ? this.run(query, options, clock)
          : this.runFor(this.sights.of(options.viewer), query, options, clock)
      } catch (error) {
        // A damaged page shows when it is first touched: the segment is set aside and the search starts again.
        if (!(error instanceof CorruptFileError) || !this.setAside(error)) throw error
      } finally {
        this.memory.release()
      }
    }
  }

  /** Takes part in verifying names for another thread's search, in segments that are open here. */
  help(task: CrewTask): void {
    joinTask(task, ({ file, table, expression }) => {
      for (const segment of this.open.keys()) {
        if (segment.reader.file === file) return segment.matchers[table].decider(expression)
      }
      return undefined
    })
  }

  /**
   * For another user. What is shown is first looked at on the disk: where that knows better than the index, the search runs
   * again without it.
   */
  private runFor(sight: Sight, asked: Asked, options: SearchOptions, clock: StepClock): SearchResult {
    if (options.explain) throw new InvalidInputError('search for another user', 'no explanation', 'explain')
    if ([asked.exact, asked.tolerant].some(predicate => predicate !== undefined && comparesEntries(predicate))) {
      throw new InvalidInputError('search for another user', 'conditions on single entries', 'dupe: or sizedupe:')
    }
    const { collector, ...plain } = options
    for (let round = 1; ; round++) {
      const result = this.run(asked, plain, clock, sight)
      const refused = sight.refused(result.hits)
      if (refused.size > 0 && round < VIEWER_ROUNDS) continue
      const hits = result.hits.filter(hit => !refused.has(hit))
      const refusedFuzzy = [...refused].filter(hit => hit.fuzzy).length
      const total = result.total - (refused.size - refusedFuzzy)
      const fuzzyTotal = result.fuzzyTotal === undefined ? undefined : result.fuzzyTotal - refusedFuzzy
      collector?.clear()
      for (const hit of hits) collector?.add(hit)
      return { ...result, total, fuzzyTotal, hits: collector ? [] : hits }
    }
  }

  private run(asked: Asked, options: SearchOptions, clock: StepClock, sight?: Sight): SearchResult {
    const startedMs = performance.now()
    if (options.sort.column === 'ext') this.sortsByExtension = true
    // What is counted must be complete; an order need not be.
    if (sight === undefined && asksForOpens(asked.exact)) this.settleOpens(Number.POSITIVE_INFINITY)
    const work: SearchWork = {
      nowSeconds: options.nowMs / 1000,
      sight,
      blocksVerified: 0,
      namesMatched: 0,
      memory: this.memory,
      checkCancelled: options.checkCancelled ?? (() => {}),
    }
    const views: ViewState[] = []
    let partial = this.missing.size > 0
    for (const active of this.activeViews.values()) {
      const view = this.views.get(active.view)
      if (view === undefined) continue
      views.push(view)
      if (active.partial) partial = true
    }
    sight?.refresh(views)
    const { offset, countOnly } = options
    const { exact, tolerant, maxCount } = asked
    const limit = countOnly ? 0 : Math.max(0, Math.min(options.limit, maxCount - offset))
    const keptBefore = this.results.counts
    const keptOf = (predicate: Predicate): KeptResult | undefined =>
      // What is kept was found for whoever may see all.
      options.noCache || sight !== undefined ? undefined : this.results.of(predicate)
    const kept = keptOf(exact)
    const search = this.viewSearch(options, exact, { offset, limit }, work, kept)
    search.add(views, exact)
    const hits: Hit[] = []
    let shown = 0
    options.collector?.clear()
    const show = (hit: Hit): void => {
      shown++
      if (options.collector) options.collector.add(hit)
      else hits.push(hit)
    }
    const explaining = (predicate: Predicate): typeof show => {
      const rankHit = hitRanker(predicate)
      return hit => show(explainedHit(hit, rankHit))
    }
    search.page(options.explain ? explaining(exact) : show)
    clock.step('page')
    const pageMs = performance.now() - startedMs
    const total = Math.min(search.total(), maxCount)
    if (kept) this.keep(kept, search)
    clock.step('total')
    const more: { fuzzyTotal?: number } = {}
    if (tolerant && (countOnly || shown < limit)) {
      const keptOthers = keptOf(tolerant)
      const page = { offset: Math.max(0, offset - total), limit: limit - shown }
      const others = this.viewSearch(options, tolerant, page, work, keptOthers)
      others.add(views, tolerant)
      const showOther = options.explain ? explaining(tolerant) : show
      others.page(hit => showOther(fuzzyHit(hit)))
      clock.step('fuzzy page')
      more.fuzzyTotal = Math.min(others.total(), maxCount - total)
      if (keptOthers) this.keep(keptOthers, others)
      clock.step('fuzzy total')
    }
    const explanation = options.explain && {
      query: asked.text,
      predicate: exact,
      views: views.length,
      segments: views.reduce((sum, view) => sum + view.segments.length, 0),
      deltaRows: views.reduce((sum, view) => sum + view.delta.entryCount, 0),
      blocksVerified: work.blocksVerified,
      namesMatched: work.namesMatched,
      kept: {
        hits: this.results.counts.hits - keptBefore.hits,
        misses: this.results.counts.misses - keptBefore.misses,
      },
      steps: clock.steps,
    }
    return { pageMs, total, ...more, hits, partial, explanation: explanation || undefined }
  }

  private viewSearch(
    options: SearchOptions,
    predicate: Predicate,
    page: { readonly offset: number; readonly limit: number },
    work: SearchWork,
    kept: KeptResult | undefined,
  ): ViewSearch {
    const { windows = WINDOWS } = options
    const sort = sortOf(options.sort, predicate)
    const isDeep = page.limit > 0 && page.offset >= windows.from
    const deep = isDeep ? (kept === undefined ? new KeptOrder() : this.orders.of(kept, sort)) : undefined
    return new ViewSearch(sort, page.offset, page.limit, this.facts, work, kept, deep, windows)
  }

  /** The search is over: what it found out is for later ones. */
  private keep(kept: KeptResult, { sort, deep }: ViewSearch): void {
    this.results.keep(kept)
    if (deep !== undefined) this.orders.keep(kept, sort, deep)
  }

  /**
   * Gathers what `typeSums` and `folderSizes` need, until about then (performance.now()).
   * @returns true when these may be called, until operations are applied
   */
  gatherStatistics(untilMs: number): boolean {
    this.statisticsMs = performance.now()
    return this.readingAll(() => this.statistics.run(this.activeList(), untilMs))
  }

  /** Entries by type. */
  typeSums(): TypeSums[] {
    return this.readingAll(() => this.statistics.types(this.activeList()))
  }

  /**
   * What the children of a directory take, the largest ones up to `limit`.
   * @param path of the directory, as in hits; undefined: the roots
   * @returns undefined if there is no such directory
   */
  folderSizes(path: Uint8Array | undefined, limit: number): FolderSizes | undefined {
    return this.readingAll(() => this.statistics.folder(this.activeList(), path, limit))
  }

  private activeList(): ViewState[] {
    return [...this.activeViews.values()].flatMap(({ view }) => this.views.get(view) ?? [])
  }

  /** Does something that reads all segments; without one that turns out to be damaged it begins again. */
  private readingAll<T>(work: () => T): T {
    for (;;) {
      try {
        return work()
      } catch (error) {
        if (!(error instanceof CorruptFileError) || !this.setAside(error)) throw error
      }
    }
  }

  /** What the caches did and hold. */
  cacheCounts(): EngineCacheCounts {
    return { results: sumOf(this.results.counts, this.orders.counts), paths: this.paths.counts }
  }

  /** Lets go of what is kept of searches and is too old. @returns true if something is still kept */
  expire(): boolean {
    if (performance.now() - this.statisticsMs >= MAX_AGE_MS) this.statistics.clear()
    this.results.expire()
    this.orders.expire()
    this.paths.expire()
    const { results, paths } = this.cacheCounts()
    return results.entries + paths.entries > 0 || !this.statistics.isEmpty
  }

  private readonly missing = new MissingSegments()
  private readonly memory = new VerdictMemory()
  private readonly facts = new IndexFacts()

  /** Leaves a damaged segment out of answers. @returns false if no segment has that file */
  private setAside(error: CorruptFileError): boolean {
    for (const view of this.views.values()) {
      const segment = view.segments.find(candidate => candidate.reader.file === error.file)
      if (segment === undefined) continue
      const { id, origin } = segment
      const op: AddSegment = {
        op: 'addSegment',
        view: view.id,
        segment: id,
        file: error.file,
        dead: new Uint8Array(0),
        origin,
      }
      const missing = { op, kills: deadRangesOf(segment) }
      this.orders.clear()
      this.dropSegment(view, id)
      view.directoriesChanged([])
      this.miss(missing, error)
      return true
    }
    return false
  }

  private miss(missing: MissingSegment, error: Error): void {
    this.missing.add(missing)
    this.onMissing(missing.op.view, missing.op.segment, error)
  }

  /** Now and then tries to open what is missing. */
  private openMissing(): void {
    for (const missing of this.missing.due()) {
      const view = this.view(missing.op.view)
      const segment = this.openSegment(view, missing)
      if (segment === undefined) continue
      this.missing.drop(view.id, segment.id)
      this.orders.clear()
      this.hot.segmentAdded(view, segment)
      if (view.segments.includes(segment)) view.directoriesChanged([...view.directoriesToCompare(segment)])
    }
  }

  private openSegment(view: ViewState, missing: MissingSegment): SegmentState | undefined {
    const { op, kills } = missing
    try {
      const opened = this.opener.open(op.file)
      try {
        const segment = new SegmentState(op.segment, opened.reader, op.origin, opened.matchers, op.dead)
        for (const ranges of kills) hideRanges(segment, ranges)
        this.open.set(segment, opened)
        // Numbers rise in the order in which segments join a view: later ones know better where directories are.
        const later = view.segments.findIndex(other => other.id > op.segment)
        view.segments.splice(later < 0 ? view.segments.length : later, 0, segment)
        return segment
      } catch (error) {
        opened.close()
        throw error
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.miss(missing, error)
      return undefined
    }
  }

  private dropSegment(view: ViewState, id: number): void {
    view.accessVersion++
    const index = view.segments.findIndex(candidate => candidate.id === id)
    if (index >= 0) {
      const [segment] = view.segments.splice(index, 1)
      this.hot.segmentDropped(segment)
      this.results.drop(segment)
      this.sights.forget(view, segment)
      this.open.get(segment)?.close()
      this.open.delete(segment)
    }
    this.missing.drop(view.id, id)
    this.onDropped(id)
  }

  private dropView(id: number): void {
    const view = this.views.get(id)
    if (view === undefined) return
    for (const segment of [...view.segments]) this.dropSegment(view, segment.id)
    for (const { op } of this.missing.dropView(id)) this.onDropped(op.segment)
    this.views.delete(id)
    this.sights.forgetView(view)
  }

  private view(id: number): ViewState {
    const view = this.views.get(id)
    if (view === undefined) throw new InvalidInputError('operation', 'a view that exists', `${id}`)
    return view
  }

  /** Unmaps everything. */
  close(): void {
    for (const id of [...this.views.keys()]) this.dropView(id)
    this.activeViews.clear()
  }
}
