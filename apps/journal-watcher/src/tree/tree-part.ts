import type { NodeRef } from '@hotpath/model'
import type { StatColumns } from '@hotpath/platform'
import { joinPath } from './paths.js'
import type { ChildNode, OpenedDirectory, TreeRules } from './tree-rules.js'

const ROOT = new Uint8Array(0)

/** What other trees follow of the same root. Paths are relative to the root. */
export interface OtherParts {
  /** Whether a mounted directory is a top of another part. */
  beginAt(path: Uint8Array): boolean
  /** Whether a path lies in another part. */
  hold(path: Uint8Array): boolean
  /** As `Mechanism.elsewhere`, of a top of another part. */
  elsewhere(path: Uint8Array, ref: NodeRef): boolean
  /** A listing of everything has come to a top of another part: it is to go on there. `since` as in `requestListing`. */
  list(path: Uint8Array, ref: NodeRef, since: number): void
}

/** What one tree follows of a root: all of it, or the mounts that its mechanism is the best for. */
export class TreePart {
  /**
   * @param tops where it begins, relative to the root
   * @param others undefined: there are none
   */
  constructor(
    readonly rules: TreeRules,
    readonly tops: readonly Uint8Array[] = [ROOT],
    private readonly others?: OtherParts,
  ) {}

  /** Whether a path of the root lies in this part. */
  holds(path: Uint8Array): boolean {
    return this.others?.hold(path) !== true
  }

  /** What an entry is (as TreeRules says), and who follows what is in it. */
  child(
    directory: OpenedDirectory,
    name: Uint8Array,
    stats: StatColumns,
    row: number,
    elsewhere: (path: Uint8Array, ref: NodeRef) => boolean,
  ): ChildNode {
    const { others, rules } = this
    if (others === undefined) return rules.child(directory, name, stats, row, elsewhere)
    const child = rules.child(directory, name, stats, row, (path, ref) =>
      others.beginAt(path) ? others.elsewhere(path, ref) : elsewhere(path, ref),
    )
    const isMounted = stats.mountRoot[row] === 1 || child.device !== directory.device
    if (!child.entered || !isMounted || !others.beginAt(joinPath(directory.path, name))) return child
    return { ...child, entered: false, isBeyond: true }
  }

  /** Has other trees go on with a listing of everything. */
  listBeyond(path: Uint8Array, ref: NodeRef, since: number): void {
    this.others?.list(path, ref, since)
  }
}
