import { NO_DIRECTORY } from '@hotpath/model'
import { nameKey, refKey } from './entry-row.js'
import type { Live } from './live-entries.js'
import type { View } from './view.js'

/** True if a `present` of this directory node follows later (in this batch, or in one that waits behind it). */
export type FollowedLater = (ref: string, row: number) => boolean

/** Takes away what a batch says is gone; directories that it finds elsewhere later only if they are not there in the end. */
export class Removals {
  /** Directories said to be gone from a place while the batch still says where they are: parent and name by id. */
  private readonly leaving = new Map<number, { parent: number; key: string }>()

  constructor(
    private readonly view: View,
    private readonly followed: FollowedLater,
  ) {}

  remove(live: Live): void {
    const dirId = this.view.directoryIdOf(live)
    if (dirId === NO_DIRECTORY) this.view.removeRow(live)
    else this.view.removeSubtree(dirId)
  }

  /** A directory that the batch finds elsewhere after row `i` is moved then, with its contents; only what is left is removed. */
  removeUnlessFollowed(live: Live, i: number): void {
    const { view } = this
    const dirId = view.directoryIdOf(live)
    const { ref } = view.rowOf(live)
    if (dirId !== NO_DIRECTORY && ref && this.followed(refKey(ref), i)) {
      this.leaving.set(dirId, { parent: view.holderOf(live), key: nameKey(view.nameOf(live)) })
    } else this.remove(live)
  }

  /** A directory was found. */
  keep(dirId: number): void {
    this.leaving.delete(dirId)
  }

  /** At the end of the batch: removes the directories that are still where they were said to be gone from. */
  finish(): void {
    const { view } = this
    for (const [dirId, place] of this.leaving) {
      const live = view.liveDirectory(dirId)
      if (!live || view.holderOf(live) !== place.parent || nameKey(view.nameOf(live)) !== place.key) continue
      view.removeSubtree(dirId)
    }
  }
}
