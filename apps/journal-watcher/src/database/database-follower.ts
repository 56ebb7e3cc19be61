import { CorruptFileError, type DatabaseState } from '@hotpath/model'
import type { InputWait } from '@hotpath/platform'
import { followedTable, type PageSet, type PageSource, type TableShape, type TextEncoding } from '@hotpath/sqlite'
import { DatabaseEvents } from './database-events.js'
import { type DatabaseKey, openCodec, WrongKeyError } from './database-key.js'
import { compareWithShadow, fillShadow } from './file-comparison.js'
import { FollowedState, type StateChange } from './followed-state.js'
import type { FollowerHost } from './follower-host.js'
import { type Advance, type LoggedCommit, LogTracker } from './log-tracker.js'
import { OpenFile } from './open-file.js'
import type { PageCodec } from './page-codec.js'
import { MEMORY_BYTES, type PageOverlay } from './page-overlay.js'
import { PollPace } from './poll-pace.js'
import type { Shadow } from './shadow.js'
import type { SavedState } from './shadow-slot.js'
import { isBeingWritten } from './sqlite-locks.js'
import { type Step, StepTeller } from './step-teller.js'
import type { SqliteInMemory } from './table-shapes.js'
import { tableWish } from './table-wish.js'

export interface DatabaseFollowerOptions {
  readonly path: string
  /** Names and globs of tables; none: all. */
  readonly tables: readonly string[]
  /** Steps that triggers of the owner keep are told, where they do. */
  readonly audit?: boolean
  /** Columns whose text is searched by others, as `table.column`: which of them are not there is said. */
  readonly text: readonly string[]
  readonly key: DatabaseKey
  readonly shadow: Shadow
  /** Where pages go for which there is no memory; nothing else is there. */
  readonly spillFile: string
  /** Of the pages of one transaction or comparison. */
  readonly memoryBytes?: number
  readonly sqlite: SqliteInMemory
  readonly input: InputWait
  readonly host: FollowerHost
}

/** What can be read of a database as consumers know it. */
export interface KnownRows {
  readonly shapes: readonly TableShape[]
  readonly encoding: TextEncoding
  /** Its pages in clear. @param stored gives them as they are stored */
  sourceOf(stored: (no: number) => Uint8Array): PageSource
}

/** Times that a file is compared while somebody writes it, before other things are looked at. */
const COMPARE_ATTEMPTS = 5
/** What is damaged is looked at again after this, and when it changes; each time twice as long. */
const DAMAGE_WAITS_MS = [250, 1_000, 5_000, 30_000, 300_000]

/**
 * Follows one database: `step` looks at it and tells what is new. Everything is synchronous, in a thread of its own. Whatever it throws is a
 * failure of this process or its disk: a new follower goes on from the shadow.
 */
export class DatabaseFollower {
  readonly #options: DatabaseFollowerOptions
  readonly #events: DatabaseEvents
  readonly #tracker: LogTracker
  readonly #state: FollowedState
  readonly #pace = new PollPace()
  readonly #teller: StepTeller
  #file: OpenFile | undefined
  #codec: PageCodec | undefined
  /** Pages of the state that is known; undefined: nothing is known. */
  #pageCount: number | undefined
  /** Only a comparison tells what changed. */
  #mustCompare = true
  /** Of a database without a log, as it is known. */
  #firstPage: Uint8Array | undefined
  #commits = 0
  #damages = 0
  #retryAt = 0
  #condition = ''
  /** Why nothing is known, for people. */
  #unknown = 'it is followed for the first time'

  constructor(options: DatabaseFollowerOptions) {
    this.#options = options
    this.#events = new DatabaseEvents(options.input, options.path)
    const { memoryBytes = MEMORY_BYTES } = options
    this.#tracker = new LogTracker(options.path, this.#events, options.spillFile, memoryBytes)
    this.#teller = new StepTeller(options.host, options.shadow, options.spillFile)
    const audits = options.audit ? { isStopped: () => options.host.isStopping } : undefined
    this.#state = new FollowedState(options.sqlite, options.path, tableWish(options.tables), options.text, audits)
  }

  /** What consumers know, for reading all rows; undefined while nothing is. */
  get known(): KnownRows | undefined {
    const codec = this.#codec
    const pageCount = this.#pageCount
    if (codec === undefined || pageCount === undefined) return undefined
    const { shapes, encoding } = this.#state
    return { shapes, encoding, sourceOf: stored => this.#state.sourceOf(codec, pageCount, stored) }
  }

  /** Returns after how many milliseconds it should be called again if nothing happens. */
  async step(): Promise<number> {
    const events = this.#events
    events.watch()
    events.take()
    if (events.isQuiet && !events.happened && !this.#tracker.hasNews && this.#pace.isBusy) return this.#pace.lookMs
    if (events.happened) {
      events.happened = false
      this.#pace.event()
      this.#retryAt = Math.min(this.#retryAt, Date.now() + DAMAGE_WAITS_MS[0]!)
    }
    const restMs = this.#retryAt - Date.now()
    if (restMs > 0) return restMs
    try {
      if (await this.#open()) this.#follow()
      this.#damages = 0
    } catch (error) {
      if (!this.#tell(error)) throw error
      this.#mustCompare = true
      this.#retryAt = Date.now() + DAMAGE_WAITS_MS[Math.min(this.#damages++, DAMAGE_WAITS_MS.length - 1)]!
    }
    // What was taken in meanwhile wakes nobody any more: it is an event of the next step.
    return this.#listenOrLook() ?? (events.happened ? 0 : this.#pace.waitMs())
  }

  /** Whether the next step has to come in time, and no event calls for it. */
  get looks(): boolean {
    return this.#events.isQuiet
  }

  /** Changes to how a busy database is followed, or back. Returns when it is to be looked at. */
  #listenOrLook(): number | undefined {
    const events = this.#events
    const isBusy = this.#pace.isBusy && !this.#mustCompare && this.#retryAt <= Date.now() && this.#tracker.hasIndex
    if (isBusy && !events.isQuiet && !events.beQuiet()) this.#pace.notBusy()
    // What came before it was listened to again raised no event.
    if (!isBusy && events.isQuiet) {
      events.listen()
      return 0
    }
    return events.isQuiet ? this.#pace.lookMs : undefined
  }

  close(): void {
    this.#tracker.close()
    this.#file?.close()
    this.#options.shadow.close()
  }

  /** Whether there is a database that can be read. */
  async #open(): Promise<boolean> {
    const { path, key, host, shadow } = this.#options
    if (this.#file !== undefined && !this.#file.isCurrent) {
      this.#file.close()
      this.#file = undefined
      this.#mustCompare = true
    }
    this.#file ??= OpenFile.open(path)
    if (this.#file === undefined) {
      this.#nothing('missing', 'there is no such file')
      return false
    }
    if (this.#codec !== undefined) return true
    if (this.#file.sizeBytes === 0) {
      this.#nothing('live', 'the database is empty')
      return false
    }
    const codec = await openCodec(this.#file, key)
    const isFirst = this.#teller.told === undefined
    this.#teller.told ??= host.openLog(codec.logKey)
    this.#codec = codec
    if (isFirst) this.#recover(shadow.recover(this.#teller.told))
    if (isFirst && this.#pageCount === 0) {
      // It appeared under our eyes, and what was told before is of another one.
      if (this.#teller.told.sequence > 0) this.#teller.told = host.resetLog([], 'another one was followed before')
      shadow.pageSize = codec.pageSize
      shadow.prepare({ ...this.#teller.told, ...this.#saved(0) }, undefined)
    }
    if (shadow.pageSize !== codec.pageSize || (!isFirst && this.#pageCount !== 0)) {
      // Its pages cannot be compared with those that we have: they are of another size, or another key.
      if (this.#pageCount !== undefined) this.#unknown = 'it has other pages, or another key'
      this.#pageCount = undefined
      shadow.clear()
      shadow.pageSize = codec.pageSize
    }
    return true
  }

  /** Goes on from what an earlier process knew. */
  #recover(saved: SavedState | undefined): void {
    const { shadow, tables } = this.#options
    if (saved === undefined) {
      if (!shadow.isEmpty) this.#unknown = 'what was kept of it does not fit the log of changes'
      return
    }
    if (saved.tables !== JSON.stringify(tables)) {
      this.#unknown = 'other tables are followed'
      return
    }
    if (shadow.pageSize !== this.#codec!.pageSize) {
      this.#unknown = 'it has other pages'
      return
    }
    try {
      if (saved.pageCount > 0) this.#state.load(this.#base(saved.pageCount))
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      this.#unknown = `what was kept of it cannot be read: ${error.message}`
      return
    }
    this.#pageCount = saved.pageCount
    this.#mustCompare = saved.log === null || saved.file !== identityOf(this.#file!) || !this.#tracker.resume(saved.log)
  }

  /** There is nothing to be read; what appears later was not there before. */
  #nothing(state: DatabaseState, reason: string): void {
    this.#mustCompare = true
    if (this.#teller.told === undefined && this.#pageCount === undefined && this.#isUnknown()) this.#pageCount = 0
    this.#say(state, reason)
  }

  #isUnknown(): boolean {
    return this.#options.shadow.isEmpty
  }

  #follow(): void {
    if (this.#mustCompare) this.#compare()
    else {
      let isUnknown = false
      let result: Advance
      try {
        result = this.#tracker.advance(commit => {
          if (isUnknown) return
          isUnknown = !this.#commit(commit)
        })
      } finally {
        // Also what came before a commit that cannot be understood.
        this.#teller.tellTaken()
      }
      this.#progress(0)
      if (result === 'missed' || isUnknown) this.#mustCompare = true
      else if (!this.#tracker.hasLog && this.#isWritten()) this.#mustCompare = true
      if (this.#mustCompare) this.#compare()
    }
    if (!this.#mustCompare) {
      if (this.#tracker.hasUnpublished) this.#pace.pending()
      this.#live()
    }
  }

  /** Whether a database without a log was changed. */
  #isWritten(): boolean {
    const file = this.#file!
    if (this.#firstPage !== undefined && Buffer.compare(this.#firstPage, file.read(0, this.#firstPage.length)) === 0) {
      if (isBeingWritten(file.fd)) this.#pace.pending()
      return false
    }
    return true
  }

  /** Takes a transaction of the log, which is told with the batch or at once; false if only a comparison can tell it. */
  #commit({ pages, pageCount, position }: LoggedCommit): boolean {
    const committed = Date.now()
    this.#commits++
    this.#pace.commit()
    this.#progress(committed)
    const change = this.#state.change(
      this.#base(this.#pageCount!),
      this.#plain(pages),
      pages.numbers(),
      pageCount,
      false,
    )
    if ('unknown' in change) return false
    const step = stepOf({ committed, method: 'pages', merged: false }, change)
    this.#teller.take(step, pages, this.#saved(pageCount, position))
    this.#pageCount = pageCount
    return true
  }

  /** Finds what changed by comparing all pages, or takes everything as known the first time. */
  #compare(): void {
    const { host, shadow, spillFile, memoryBytes = MEMORY_BYTES } = this.#options
    if (!this.#codec!.fits(this.#file!.read(0, this.#codec!.pageSize))) {
      // Another database, or another key: what is known of it stays until it was looked at.
      this.#codec = undefined
      this.#pace.pending()
      return
    }
    this.#say('catching-up', this.#pageCount === undefined ? 'read for the first time' : 'compared as a whole')
    for (let attempt = 0; attempt < COMPARE_ATTEMPTS; attempt++) {
      if (host.isStopping) return
      const committed = Date.now()
      const reading = {
        file: this.#file!,
        codec: this.#codec!,
        tracker: this.#tracker,
        state: this.#state,
        shadow,
        spillFile,
        memoryBytes,
        isStopped: () => host.isStopping,
      }
      if (this.#pageCount === undefined) {
        const filled = fillShadow(reading)
        if (filled === undefined) continue
        this.#state.load(this.#base(filled))
        this.#teller.told = host.resetLog(this.#state.shapes.map(followedTable), this.#unknown)
        shadow.prepare({ ...this.#teller.told, ...this.#saved(filled) }, undefined)
        this.#settled(filled)
        return
      }
      const compared = compareWithShadow(reading)
      if (compared === undefined) continue
      const { pages, pageCount } = compared
      try {
        const change = this.#state.change(
          this.#base(this.#pageCount),
          this.#plain(pages),
          pages.numbers(),
          pageCount,
          true,
        )
        if ('unknown' in change) continue
        const step = stepOf({ committed, method: 'comparison', merged: true }, change)
        this.#teller.tell(step, pages, this.#saved(pageCount))
        this.#settled(pageCount)
        return
      } finally {
        pages.close()
      }
    }
    this.#pace.pending()
  }

  #settled(pageCount: number): void {
    this.#pageCount = pageCount
    this.#mustCompare = false
    this.#firstPage = this.#tracker.hasLog ? undefined : this.#file!.read(0, this.#codec!.pageSize)
  }

  #saved(pageCount: number, log = this.#tracker.position ?? null): Omit<SavedState, 'epoch' | 'sequence'> {
    return { file: identityOf(this.#file!), tables: JSON.stringify(this.#options.tables), pageCount, log }
  }

  /** The pages that consumers know of. */
  #base(pageCount: number): PageSource {
    return this.#state.sourceOf(this.#codec!, pageCount, no => this.#teller.page(no))
  }

  #plain(pages: PageOverlay): PageSet {
    const codec = this.#codec!
    return {
      has: no => pages.has(no),
      get: no => {
        const stored = pages.get(no)
        return stored === undefined ? undefined : codec.plain(no, stored)
      },
    }
  }

  #live(): void {
    const { problems, missing, audit } = this.#state
    const parts = [
      ...reasons('not followed', problems),
      ...reasons('not searched', missing),
      ...reasons('followed by pages, not by an audit', audit.problems),
    ]
    this.#say('live', parts.join('; '))
  }

  /** Whether an error is one of the database, and not ours. */
  #tell(error: unknown): boolean {
    if (error instanceof WrongKeyError) this.#say('locked', error.message)
    else if (error instanceof CorruptFileError && error.file.startsWith(this.#options.path))
      this.#say('damaged', error.message)
    else if (isRefused(error, this.#options.path)) this.#say('unavailable', 'it may not be read by this user')
    else return false
    this.#progress(0)
    return true
  }

  #progress(waitingSince: number): void {
    this.#options.host.progress(this.#commits, waitingSince, this.#tracker.position?.frame ?? 0)
  }

  #say(state: DatabaseState, reason: string): void {
    const { methods } = this.#teller
    const isAudited = methods.size === 0 && this.#state.audit.tables.size > 0
    const condition = { state, reason, method: isAudited ? 'audit' : [...methods].join(', ') }
    const text = JSON.stringify(condition)
    if (text === this.#condition) return
    this.#condition = text
    this.#options.host.condition(condition)
  }
}

function stepOf(how: Pick<Step, 'committed' | 'method' | 'merged'>, change: StateChange): Step {
  return {
    ...how,
    tables: change.tables,
    changes: () => change.changes(),
    isAudited: () => change.isAudited,
    accept: () => change.accept(),
  }
}

function reasons(what: string, errors: readonly Error[]): string[] {
  return errors.length === 0 ? [] : [`${what}: ${errors.map(({ message }) => message).join('; ')}`]
}

function identityOf({ device, inode }: OpenFile): string {
  return `${device}:${inode}`
}

function isRefused(error: unknown, path: string): boolean {
  if (!(error instanceof Error) || !('code' in error) || !('path' in error)) return false
  return (error.code === 'EACCES' || error.code === 'EPERM') && String(error.path).startsWith(path)
}
