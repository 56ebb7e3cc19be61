import type { JournalPosition } from '@hotpath/model'
import { bootId } from '@hotpath/platform'
import {
  type JournalReached,
  type Peer,
  type ScanOptions,
  WATCHER_LOST_MS,
  type WatchReport,
  type WatchState,
} from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { continuityOf, journalContinuity } from './continuity.js'
import type { LifeEvent } from './root-life.js'
import type { RootState } from './root-state.js'
import type { Sources } from './sources.js'

/** How long a first scan waits for the journal watcher, so that nothing is missed between the two. */
const START_MS = 5_000
/** How long a watcher that is gone is waited for: until its session must be over, and for another one to start. */
const ABSENCE_MS = WATCHER_LOST_MS + START_MS

export interface WatchDeskOptions {
  readonly sources: Sources
  readonly log: Logger
  readonly scanOptions: ScanOptions
  /** Default: ABSENCE_MS. */
  readonly absenceMs?: number | undefined
  roots(): Iterable<RootState>
  /** Something happened to a root, of which changes are missing since then (milliseconds since 1970; default: now). */
  happen(state: RootState, event: LifeEvent, sinceMs?: number): void
  /** Notes how a root is followed. Resolves when that outlives the process. */
  record(state: RootState): Promise<void>
  readonly journals: JournalNotes
}

/** Up to where the change journals of volumes are known. */
export interface JournalNotes {
  of(root: string): JournalPosition | null
  /** Notes that all from `from` on is known. */
  reached(root: string, from: number, position: JournalPosition): void
  /** Something is missing: it can be continued only after the next scan. */
  forget(root: string): void
}

/** What watchers say of themselves and of the roots that they follow. */
export class WatchDesk {
  private readonly bootId = bootId()
  private patience: NodeJS.Timeout | undefined

  constructor(private readonly options: WatchDeskOptions) {}

  start(): void {
    this.waitFor(START_MS)
  }

  stop(): void {
    clearTimeout(this.patience)
  }

  private waitFor(delayMs: number): void {
    clearTimeout(this.patience)
    // Without a watcher the scans begin all the same, and their roots stay unwatched until one comes.
    this.patience = setTimeout(() => {
      this.patience = undefined
      for (const state of this.options.roots()) this.options.happen(state, { type: 'patienceOver' })
    }, delayMs)
  }

  /** A watcher is still waited for. */
  get isPatient(): boolean {
    return this.patience !== undefined
  }

  came(peer: Peer): void {
    for (const state of this.options.roots()) if (state.life.followed) this.command(peer, state)
  }

  /** Has a watcher follow a root. */
  command(peer: Peer, state: RootState): void {
    const { happen, sources, scanOptions, journals } = this.options
    happen(state, { type: 'watcherCame' })
    state.commanded = journals.of(state.spec.id)
    sources.commandWatch(peer, state.spec, scanOptions, state.commanded ?? undefined)
  }

  /** Has the watcher of a volume go on from where the index knows its journal now. */
  followAgain(state: RootState): void {
    const peer = this.of(state)
    if (peer !== undefined) this.command(peer, state)
  }

  lost({ identity }: Peer): void {
    const { sources, roots, happen, record, absenceMs } = this.options
    const isLast = sources.watchers().length === 0
    for (const state of roots()) {
      if (state.watcher !== identity.instance && !(isLast && state.watcher === '')) continue
      state.watcher = ''
      state.report = undefined
      happen(state, { type: 'watcherGone' })
      void record(state)
    }
    if (isLast) this.waitFor(absenceMs ?? ABSENCE_MS)
  }

  /** The watcher that follows a root, if it is there. */
  of({ watcher }: RootState): Peer | undefined {
    return this.connected(watcher)
  }

  private connected(instance: string): Peer | undefined {
    return this.options.sources.watchers().find(({ identity }) => identity.instance === instance)
  }

  /** @param watcher instance of the stage that tells it */
  state(state: RootState, watcher: string, news: WatchState): void {
    const { log, happen, record } = this.options
    // What is heard late, of one that is gone or replaced, holds no more.
    if (state.isReplaced(news.source) || !this.connected(watcher)) return
    const { state: kind, mechanism, reason, source, term } = news
    log.info('watch', { root: state.spec.path, state: kind, mechanism, reason, source, term })
    state.watcher = watcher
    const continuity = kind === 'armed' ? this.continuity(state, news) : undefined
    if (kind === 'armed' && continuity !== 'continuous' && this.knowsMore(state, news)) {
      this.followAgain(state)
      return
    }
    if (kind === 'lost' || continuity === 'loss') noteLoss(state, news)
    if (kind === 'lost') this.options.journals.forget(state.spec.id)
    if (kind === 'armed') state.follow({ source, term, bootId: this.bootId })
    else state.followed = null
    state.watch = news
    if (kind === 'armed') {
      const cause = continuity === 'loss' ? 'loss' : 'downtime'
      const polled = mechanism === 'polling'
      happen(state, { type: kind, continuous: continuity === 'continuous', polled, cause }, state.wholeUntilMs)
    } else happen(state, { type: kind }, state.wholeUntilMs)
    void record(state)
  }

  private continuity(state: RootState, news: WatchState): ReturnType<typeof continuityOf> {
    if (state.spec.kind !== 'volume') return continuityOf(state.followed, news, this.bootId)
    return state.isIncomplete(news) ? 'loss' : journalContinuity(this.options.journals.of(state.spec.id), news)
  }

  /** A scan has ended since the watcher of a volume was commanded: it can begin where that did. */
  private knowsMore(state: RootState, news: WatchState): boolean {
    const known = this.options.journals.of(state.spec.id)
    if (state.spec.kind !== 'volume' || known === null || state.isIncomplete(news)) return false
    return known.id !== state.commanded?.id || known.next !== state.commanded.next
  }

  /** Changes of a volume up to a position of its journal are durable. */
  journalReached(state: RootState, watcher: string, { from, journal }: JournalReached): void {
    const { watch } = state
    if (state.watcher !== watcher || watch?.state !== 'armed' || state.isIncomplete(watch)) return
    this.options.journals.reached(state.spec.id, from, journal)
  }

  report(state: RootState, report: WatchReport): void {
    state.report = report.waiting === 0 ? undefined : report
  }

  /** Changes were lost on their way from the watcher. Resolves when that outlives the process. */
  async gap(state: RootState): Promise<void> {
    if (state.life.hasIndex) state.losses++
    state.loseChanges()
    this.options.journals.forget(state.spec.id)
    this.options.happen(state, { type: 'gap' })
    await this.options.record(state)
  }
}

function noteLoss(state: RootState, { wholeUntil }: WatchState): void {
  if (state.life.watch !== 'lost') state.losses++
  if (Number.isNaN(wholeUntil)) return
  state.wholeUntilMs = Math.min(state.wholeUntilMs ?? Number.POSITIVE_INFINITY, wholeUntil * 1_000)
}
