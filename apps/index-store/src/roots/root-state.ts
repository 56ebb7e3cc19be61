import type { RootSpec } from '@hotpath/model'
import {
  type Fresh,
  type FreshState,
  MAX_DIRTY_SUBTREES,
  type ScanProgress,
  type WatchMechanism,
  type WatchState,
} from '@hotpath/protocol'

/** Why a root has to be scanned. */
export type ScanReason = 'first' | 'catch-up' | 'watch' | 'list-changed' | 'asked' | 'damaged' | 'retry'

/** What is known of one root beside its entries: how it is watched, whether it is being scanned, how true it is. */
export class RootState {
  /** Set while a scan must be started. */
  wanted: ScanReason | undefined
  /** The scan that runs. */
  scan: { epoch: number; scanner: string; reason: ScanReason; progress: ScanProgress | undefined } | undefined
  watch: WatchState | undefined
  /** Instance of the watcher that told `watch`. */
  watcher = ''
  /** A scan that began after the watch was armed has finished: what came later is known. */
  verified = false
  /** How often events were lost. */
  losses = 0
  /** Epoch of a scan that began before its root was watched: it must be repeated. */
  private startedUnwatched = false

  constructor(
    readonly spec: RootSpec,
    /** Changes are to be followed. */
    readonly watched: boolean,
  ) {}

  /** A scan may start now: what happens during it will be seen, or nobody is there to see it. */
  canStart(watcherExpected: boolean): boolean {
    return !this.watched || !watcherExpected || this.watch !== undefined
  }

  begin(epoch: number, scanner: string): void {
    this.scan = { epoch, scanner, reason: this.wanted ?? 'retry', progress: undefined }
    this.wanted = undefined
    this.startedUnwatched = this.watched && this.watch?.state !== 'armed'
  }

  /** The scan is over. @returns true if its root became watched meanwhile, so that it must be repeated */
  end(complete: boolean): boolean {
    const repeat = complete && this.startedUnwatched && this.watch?.state === 'armed'
    this.scan = undefined
    if (complete && !repeat) this.verified = true
    return repeat
  }

  /** @returns the reason for a new scan, if the news is one */
  watchChanged(watch: WatchState): ScanReason | undefined {
    const former = this.watch
    this.watch = watch
    if (watch.state === 'lost') {
      this.losses++
      this.verified = false
      return 'watch'
    }
    // Another watcher: what happened between the two was seen by nobody.
    if (
      watch.state === 'armed' &&
      former !== undefined &&
      (former.source !== watch.source || former.state !== 'armed')
    ) {
      this.verified = false
      return 'watch'
    }
    return undefined
  }

  /** The watcher is gone. */
  watcherLost(): void {
    if (this.watch === undefined) return
    this.watch = { ...this.watch, state: 'unwatched', mechanism: 'none', reason: 'the journal watcher is not there' }
    this.verified = false
  }

  /**
   * Every change that is older than a barrier which its watcher has answered is in the index, or on its way in order. Not
   * so while the catch-up after a time without a watcher is running, nor before the end of the first scan.
   */
  isCovered(hasIndex: boolean): boolean {
    return this.spec.kind === 'tree' && hasIndex && this.verified && this.watch?.state === 'armed'
  }

  get mechanism(): WatchMechanism {
    return this.watch?.state === 'armed' ? this.watch.mechanism : 'none'
  }

  fresh(hasIndex: boolean): Fresh {
    return { state: this.freshState(hasIndex), lagMs: 0, dirty: this.scan || this.wanted ? 1 : 0, dirtySubtrees: [] }
  }

  /** The same while the index cannot be written, since so many milliseconds. */
  freshWhileReading(hasIndex: boolean, sinceMs: number): Fresh {
    const fresh = this.fresh(hasIndex)
    return { ...fresh, state: fresh.state === 'live' ? 'catching-up' : fresh.state, lagMs: sinceMs }
  }

  private freshState(hasIndex: boolean): FreshState {
    if (!hasIndex || this.scan || this.wanted) return this.scan?.reason === 'damaged' ? 'repairing' : 'catching-up'
    if (this.spec.kind === 'list') return 'live'
    if (!this.watched || this.watch?.state !== 'armed') return 'unwatched'
    return this.verified ? 'live' : 'catching-up'
  }

  /** For people: why it is not live; empty if it is. */
  reason(hasIndex: boolean): string {
    const state = this.freshState(hasIndex)
    if (state === 'live') return ''
    if (this.scan) return 'being scanned'
    if (this.wanted) return 'waits for the scanner'
    if (!this.watched && this.spec.kind === 'tree') return 'changes are not followed'
    return this.watch?.reason ?? 'waits for the journal watcher'
  }
}

const ORDER: readonly FreshState[] = ['live', 'unwatched', 'catching-up', 'repairing']

/** The freshness of several roots together: the worst of them. */
export function worstFresh(parts: readonly Fresh[]): Fresh {
  let worst: FreshState = 'live'
  let lagMs = 0
  let dirty = 0
  const dirtySubtrees: Uint8Array[] = []
  for (const part of parts) {
    if (ORDER.indexOf(part.state) > ORDER.indexOf(worst)) worst = part.state
    lagMs = Math.max(lagMs, part.lagMs)
    dirty += part.dirty
    dirtySubtrees.push(...part.dirtySubtrees.slice(0, MAX_DIRTY_SUBTREES - dirtySubtrees.length))
  }
  return { state: worst, lagMs, dirty, dirtySubtrees }
}
