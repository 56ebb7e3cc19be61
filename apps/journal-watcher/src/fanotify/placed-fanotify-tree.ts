import { PlacedTree } from '../placed/placed-tree.js'
import type { TreePart } from '../tree/tree-part.js'
import type { TreeListener } from '../tree/watched-tree.js'
import { HandleWatches } from './handle-watches.js'
import type { MarkedMounts } from './marked-mounts.js'

/** What is followed of a root by marks of its file systems where handles cannot be opened: its directories are known by their places. */
export class PlacedFanotifyTree extends PlacedTree<string> {
  /** Takes marks over: they are released when it is closed. Throws SystemCallError (or the error of node:fs) if a top has no handle. */
  constructor(marks: MarkedMounts, part: TreePart, listener: TreeListener) {
    super(part, listener, receiver => new HandleWatches(marks, receiver))
  }
}
