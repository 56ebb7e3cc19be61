import { PlacedTree } from '../placed/placed-tree.js'
import type { TreePart } from '../tree/tree-part.js'
import type { TreeListener } from '../tree/watched-tree.js'
import { InotifyWatches } from './inotify-watches.js'

export { limitReason } from './inotify-watches.js'

/** What is followed of a root by a watch of inotify on each directory, for where file systems cannot be marked. */
export class InotifyTree extends PlacedTree<number> {
  /** Throws SystemCallError (ENOSPC, EMFILE: limits; see `limitReason`). */
  constructor(part: TreePart, listener: TreeListener) {
    super(part, listener, (receiver, pump) => new InotifyWatches(listener.bounds.watches, pump, receiver))
  }
}
