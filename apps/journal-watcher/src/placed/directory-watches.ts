import type { Hint } from '../observation/dirty-directories.js'

/** Takes what a kernel interface tells of directories, K being the key it knows one by. Keys that nobody has (any more) are ignored. */
export interface WatchReceiver<K> {
  /** @param name key of a name in the directory, or SELF for the directory itself */
  touched(key: K, name: string, hint: Hint): void
  /** Any of its names may have been touched. */
  contentsTouched(key: K): void
  /** The directory is not watched any more: it is gone. */
  ended(key: K): void
  /** Its file system was unmounted. */
  unmounted(key: K): void
  /**
   * The tree must be set up anew.
   *
   * @param wholeUntil seconds since 1970: nothing was lost before; left out where that is not known
   */
  lost(reason: string, wholeUntil?: number): void
}

/**
 * A kernel interface that tells of what happens in directories which were given to it one by one. It tells the receiver only while the
 * pump hands out what was read.
 */
export interface DirectoryWatches<K> {
  readonly mechanism: 'fanotify' | 'inotify'
  readonly limit: WatchLimit
  /**
   * As `add`, of the root or a mounted directory whose parent is not watched: that its own metadata changed is told, too, and it is
   * lost when it goes.
   */
  addTop(path: Uint8Array): K
  /**
   * Every change in the directory at this path from now on is told. The same node has the same key at every path.
   *
   * Throws SystemCallError (ENOSPC: too many directories) or the error of node:fs.
   *
   * @param path absolute, of any length
   */
  add(path: Uint8Array): K
  /** Nothing more needs to be told of a directory. */
  remove(key: K): void
  close(): void
}

export interface WatchLimit {
  readonly directories: number
  /** What a person can do where that is too few. */
  readonly reason: string
}
