import { PlacedTree } from '../placed/placed-tree.js'
import type { TreeRules } from '../tree/tree-rules.js'
import type { TreeListener } from '../tree/watched-tree.js'
import { InotifyWatches } from './inotify-watches.js'

export { limitReason } from './inotify-watches.js'

/** A root that is followed by a watch of inotify on each directory, for where file systems cannot be marked. */
export class InotifyTree extends PlacedTree<number> {
  /** Throws SystemCallError (ENOSPC, EMFILE: limits; see `limitReason`). */
  constructor(rules: TreeRules, listener: TreeListener) {
    super(
      rules,
      listener,
      (receiver, pump) => new InotifyWatches(rules.realRoot, listener.bounds.watches, pump, receiver),
    )
  }
}
