import type { ChangeColumns, NodeRef } from '@hotpath/model'
import type { EventPump } from '@hotpath/platform'
import type { WatchMechanism } from '@hotpath/protocol'
import type { FollowerStats } from '../observation/observation-batch.js'
import type { Waiting } from '../watch-reports.js'
import type { FollowerBounds } from './follower-options.js'
import type { TreeRules } from './tree-rules.js'

/** What a tree tells the one who watches it. */
export interface TreeListener {
  /** What the tree must keep to. */
  readonly bounds: FollowerBounds
  /** Reads the kernel queues. */
  readonly pump: EventPump
  emit(changes: ChangeColumns): void
  hasRoom(): boolean
  /** Work has come that the pump does not tell of: a directory is due. */
  woken(): void
  /**
   * Events were lost or will be: the tree must be set up anew and scanned.
   *
   * @param wholeUntil seconds since 1970: nothing was lost before; left out where that is not known
   */
  lost(reason: string, wholeUntil?: number): void
  /** The tree cannot be followed as long as a limit of the system stays as it is. */
  limited(reason: string): void
}

/** A root that is followed, by whatever tells of its changes. It is told to work by the scheduler of ChangeWatcher. */
export interface FollowedRoot {
  readonly mechanism: Exclude<WatchMechanism, 'none'>
  readonly stats: FollowerStats
  /** Directories that inotify watches for it. */
  readonly watchCount: number
  /** Every change from now on will be reported; by polling, late. */
  readonly isArmed: boolean
  /** Something waits for `work`. */
  readonly hasWork: boolean
  /** Something waits for events that explain it. */
  readonly waitsForEvents: boolean
  /** Repeated changes of metadata wait for their turn. */
  readonly holdsBack: boolean
  /** Looks at what is dirty; true if there was something. */
  observe(withHeld: boolean): boolean
  /** Lists directories until `untilMs` (performance.now). */
  listPending(untilMs: number): void
  /** Emits all that was observed. Call it when there are no more events. */
  flush(): void
  /** What was not looked at yet. */
  waiting(): Waiting
  nextGeneration(): number
  isDone(generation: number): boolean
  /**
   * Has a directory listed; false if it is not known.
   *
   * @param path relative to the root, empty if only the ref is known
   * @param since a listing that was made after this does, too
   * @param deep what is below it is listed, too; else its own row is told
   */
  requestListing(path: Uint8Array, ref: NodeRef, since: number, deep: boolean): boolean
  /** The store has batches up to this one durable. */
  durable?(sequence: number): void
  /** Whether what is followed is still where it was. */
  isThere(): boolean
  close(): void
}

/** A directory tree, or what one mechanism follows of it. It is told of events by the pump. */
export interface WatchedTree extends FollowedRoot {
  readonly rules: TreeRules
  /** As `Mechanism.elsewhere`. */
  elsewhere(path: Uint8Array, ref: NodeRef): boolean
}
