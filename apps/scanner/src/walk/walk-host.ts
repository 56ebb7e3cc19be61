import type { DirectoryReader } from '@hotpath/platform'
import type { ExclusionRules } from '../exclusion/exclusion-rules.js'
import type { IgnoreRules } from '../exclusion/ignore-scope.js'
import type { MountPolicy } from './mount-policy.js'
import type { PendingGroup } from './pending-directories.js'
import type { RowSink } from './row-sink.js'
import type { WalkOrder } from './walk-order.js'

/** A directory or entry that could not be read. */
export interface WalkProblem {
  /** Relative to the root. */
  readonly path: Uint8Array
  readonly message: string
  /** A directory, of which nothing or not all is known. */
  readonly isDirectory: boolean
}

/** A mount point whose fate is known when all else was read. */
export interface DeferredMount {
  readonly parent: number
  readonly parentPath: Uint8Array
  readonly name: Uint8Array
  /** What holds in its directory. */
  readonly rules: readonly IgnoreRules[]
}

/** What a walker needs of its surroundings. All calls are synchronous and may block. */
export interface WalkHost {
  /** A directory number that no walker of this scan has used. */
  nextNumber(): number
  /** Takes over what the sink has; blocks while too much is on its way. */
  handOver(): void
  problem(problem: WalkProblem): void
  /** Somebody has nothing to do. */
  wantsDonation(): boolean
  /** Hands pending directories over. All rows that name them were emitted before. */
  donate(group: PendingGroup): void
  defer(mount: DeferredMount): void
  /** A directory was read, and is closed: `entries` were in it, also such as are left out. */
  directoryDone(entries: number): void
  isStopped(): boolean
}

export interface WalkerOptions {
  readonly reader: DirectoryReader
  readonly rules: ExclusionRules
  readonly mounts: MountPolicy
  readonly namesOnly: boolean
  readonly sink: RowSink
  /** Ask for the metadata of each directory before its entries are read, for `RowSink.addListing`. */
  readonly asksDirectories?: boolean
  /** Default: any order, and all of it. */
  readonly order?: WalkOrder
}
