import type { DirectoryEntryColumns } from './directory-entries.js'
import { FsDirectoryReader } from './fs-directory-reader.js'
import { nativeProblem } from './libc.js'
import { NativeDirectoryReader } from './native-directory-reader.js'
import type { StatColumns } from './stat-columns.js'

/**
 * Reads directories below one root, one at a time. The columns belong to the reader and are overwritten by the next
 * `next` or `stat…` call. Not for several threads: make one in each.
 *
 * Paths are bytes relative to the root, without `/` at the ends; empty for the root itself.
 */
export interface DirectoryReader {
  /** Of the last `next`. */
  readonly entries: DirectoryEntryColumns
  /** Rows as in `entries`. */
  readonly stats: StatColumns
  /** One row: what `statSelf`, `statName` or `statDescriptor` was asked for. */
  readonly node: StatColumns

  /**
   * Opens a directory, closing the former one. No symlink on the way is followed.
   * Throws SystemCallError: ENOENT, ENOTDIR or ELOOP if it is not there (any more), EACCES if it must not be read.
   */
  open(path: Uint8Array): void

  /**
   * Reads the next entries of the open directory (some 10,000 at most) in the order of the file system, without `.`
   * and `..`, and returns their number: 0 at the end. An entry that is there all the time is returned once; one that
   * comes, goes or is renamed meanwhile may be returned or not. Throws SystemCallError.
   */
  next(): number

  /** Fills `stats` for the entries of the last `next`; rows with a 1 in `skip` are left NOT_ASKED. A failed row has its errno. */
  stat(skip?: Uint8Array): void

  /** Fills `node` for the open directory; returns 0 or the errno. */
  statSelf(): number

  /** Fills `node` for a name in the open directory, without following a symlink; returns 0 or the errno. */
  statName(name: Uint8Array): number

  /** Fills `node` for what a descriptor is open on; returns 0 or the errno. */
  statDescriptor(fd: number): number

  /**
   * Content of a regular file in the open directory, at most `limitBytes` of it, or null if there is none (a symlink
   * is none). Throws SystemCallError if it cannot be read.
   */
  readFile(name: string, limitBytes: number): Uint8Array | null

  /** Closes the open directory, if there is one. */
  closeDirectory(): void
  /**
   * Closes everything, so that the file system of the root can be unmounted. Safe to call again; the next `open` opens
   * what the path of the root leads to then.
   */
  close(): void
}

export interface DirectoryReaderOptions {
  /** `auto` (the default): native where it can be. `fs`: node:fs, about three times slower, and no path longer than 4,095 bytes. */
  readonly mode?: 'auto' | 'native' | 'fs'
  /** Access lists of directories are asked for, too (`acl` of the columns): a call more for each. Default: not. */
  readonly accessLists?: boolean
}

/** Reader for the tree at an absolute path; symlinks in that path are followed. Throws if it is no directory that can be opened. */
export function createDirectoryReader(
  root: Uint8Array | string,
  options: DirectoryReaderOptions = {},
): DirectoryReader {
  const path = typeof root === 'string' ? Buffer.from(root, 'utf8') : root
  const mode = options.mode ?? 'auto'
  if (mode === 'fs' || (mode === 'auto' && nativeProblem() !== null)) return new FsDirectoryReader(path)
  return new NativeDirectoryReader(path, options.accessLists ?? false)
}
