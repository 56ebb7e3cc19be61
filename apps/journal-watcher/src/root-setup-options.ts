import type { ChangeColumns } from '@hotpath/model'
import type { JournalReached, WatchState } from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import type { MechanismChoice } from './follow-root.js'
import type { PollingPace } from './polling/polling-pace.js'
import type { FollowerBounds } from './tree/follower-options.js'
import type { FollowedRoot } from './tree/watched-tree.js'
import type { JournalPace } from './volume/journal-pace.js'

/** Where the batches and states of roots go. */
export interface RootSink {
  readonly hasRoom: boolean
  changes(root: string, source: string, changes: ChangeColumns): void
  readonly lastSequence?: (source: string) => number
  state(state: WatchState): void
  /** Changes of a volume up to a position of its journal are durable. Left out: nobody keeps that. */
  readonly journalReached?: (reached: JournalReached) => void
}

/** How roots are followed, whoever is told of them: what flags and the configuration say. */
export interface FollowingOptions {
  /** Left out of every tree. */
  readonly dataDir: string
  /** Besides those of the command. */
  readonly excludes: readonly string[]
  readonly crossDevices: boolean
  /** Descriptor of a fanotify group that was inherited. */
  readonly fanotifyFd?: number | undefined
  /** Descriptor of an event journal that was inherited with it: a watcher that finds one goes on where the one before it ended. */
  readonly journalFd?: number | undefined
  /** Descriptor of a socket to who marks file systems in that group. */
  readonly marksFd?: number | undefined
  /** `auto`: for each mount fanotify where it is possible, else inotify; polling where neither tells of all changes. */
  readonly mechanism?: MechanismChoice
  readonly log: Logger
}

export interface RootSetupOptions extends FollowingOptions {
  readonly sink: RootSink
  /** Who observes: fresh for each start; each root has a source of its own below it. */
  readonly source: string
  /** Bounds other than those that suit a machine of today. */
  readonly bounds?: Partial<FollowerBounds>
  readonly pace?: Partial<PollingPace>
  readonly journalPace?: Partial<JournalPace>
  /** Default: by the type of the file system. */
  readonly sharedFileSystem?: (path: Uint8Array) => string | undefined
}

/** The one that schedules the work of trees. */
export interface RootSetupHost {
  /** Events were read. */
  woken(): void
  /** There is work that does not come from events. */
  workWaits(): void
  /** Nobody needs to wait for this tree any more. */
  closed(tree: FollowedRoot): void
}
