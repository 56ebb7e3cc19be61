import type { NodeRef } from '@hotpath/model'
import type { Hint } from '../observation/dirty-directories.js'
import type { ChildNode, OpenedDirectory } from './tree-rules.js'

/**
 * `gone`: not part of the tree (any more). `moved`: it is not where it was last; events that are on their way say more.
 * `failing`: the system cannot say now. `unreadable`: it is there and must not be read.
 */
export type Missing = 'gone' | 'moved' | 'failing' | 'unreadable'

/** How a kernel interface names directories: D is what it knows one by. Calls are synchronous. */
export interface Mechanism<D extends object> {
  /** Opens the directory in the reader of the rules. */
  locate(directory: D): OpenedDirectory | Missing
  /** Where it was last, relative to the root, if that is known without asking the system. */
  pathOf(directory: D): Uint8Array | undefined
  /**
   * A directory entry of the tree was seen.
   *
   * @param hint of the event, or 0 when the parent is being listed
   * @param recursive everything below is to be listed, whether it is known or not
   * @returns the directory if its contents must be listed
   */
  arrived(
    parent: D,
    opened: OpenedDirectory,
    name: Uint8Array,
    child: ChildNode,
    hint: Hint,
    recursive: boolean,
  ): D | undefined
  /** A name stands for no directory that belongs to the tree (any more). */
  departed(parent: D, name: string, hint: Hint): void
  /**
   * Looks at nodes that were written or changed under a name that does not stand for them (any more): they may have other
   * names, of which no event tells.
   *
   * @param inode of the node that the name stands for now
   * @param found called for each of them, with `node` of the reader filled
   * @returns whether `node` of the reader was filled
   */
  written(
    parent: D,
    name: Uint8Array,
    inode: { readonly low: number; readonly high: number } | undefined,
    found: () => void,
  ): boolean
  /** All directories that a listing has found. */
  holds(parent: D, directories: ReadonlySet<string>): void
  /** Whether a directory that is mounted at `path` is reached by another path of the tree. */
  elsewhere(path: Uint8Array, ref: NodeRef): boolean
  /** The directory that was located last is done with. */
  leave(): void
}
