import type { ChangeColumns } from '@hotpath/model'
import { MAX_DIRTY_NAMES } from '../observation/dirty-directories.js'
import { BATCH_ROWS } from '../observation/observation-batch.js'
import type { Mechanism } from './mechanism.js'
import type { TreePart } from './tree-part.js'

export interface FollowerBounds {
  /** Names that wait to be looked at; beyond, directories are listed. */
  readonly dirtyNames: number
  /** Names of a directory that is listed in one batch. A larger one is listed in parts of so many names, a batch each. */
  readonly partNames: number
  /** Names of a directory that is listed in parts. One that has more cannot be followed by its names: it must be scanned. */
  readonly listedNames: number
  /** Directories that are watched one by one; a root that has more is polled. */
  readonly watches: number
}

export const FOLLOWER_BOUNDS: FollowerBounds = {
  dirtyNames: MAX_DIRTY_NAMES,
  // The store applies a batch in one go, some 10 µs a row on a busy machine.
  partNames: BATCH_ROWS,
  // Estimated: 220 MB at 20 bytes a name.
  listedNames: 2_000_000,
  watches: Number.POSITIVE_INFINITY,
}

export interface FollowerOptions<D extends object> {
  readonly bounds: FollowerBounds
  readonly part: TreePart
  readonly mechanism: Mechanism<D>
  /** Takes a batch of observations. */
  emit(changes: ChangeColumns): void
  /** False: nothing may be emitted now. */
  hasRoom(): boolean
  /** Everything may have changed. */
  lost(reason: string): void
}
