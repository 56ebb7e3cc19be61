import type { Kind, NodeRef } from '@hotpath/model'
import type { StatColumns } from '@hotpath/platform'

/** Takes what a walker finds, in its order. `parent` and `directory` are the walker's numbers of directories. */
export interface RowSink {
  /** Nothing is to be handed over. */
  readonly isEmpty: boolean
  /** Must be handed over before anything is added. */
  readonly isFull: boolean

  /** The listing of a directory begins. `node`: one row about the directory itself, where the walker was told to ask. */
  addListing(directory: number, observed: number, path: Uint8Array, node: StatColumns, salt: number): void

  /**
   * The listing that began last has ended, after all rows but those of mounts that are put off.
   *
   * @param isWhole false: the rest could not be read
   */
  endListing(isWhole: boolean): void

  /**
   * An entry with the metadata of a row of `stats`.
   *
   * @param names holds the name at [start, end)
   * @param ref instead of what the metadata says
   */
  add(
    parent: number,
    directory: number,
    kind: Kind,
    names: Uint8Array,
    start: number,
    end: number,
    stats: StatColumns,
    row: number,
    salt: number,
    ref?: NodeRef,
  ): void

  /** An entry of which only inode and kind are known. */
  addBare(
    parent: number,
    directory: number,
    kind: Kind,
    names: Uint8Array,
    start: number,
    end: number,
    inodeLow: number,
    inodeHigh: number,
    salt: number,
  ): void
}
