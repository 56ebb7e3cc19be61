import { closeSync, openSync } from 'node:fs'
import { Errno, fileSystemInfo, handleOf, openByHandle, SystemCallError } from '@hotpath/platform'
import type { FanotifyGroup } from './fanotify-group.js'
import { OPEN_DIRECTORY } from './handle-paths.js'
import { MountedFileSystems, OPEN_MOUNT } from './mounted-file-systems.js'

/** The file systems of a root that are marked for one of its trees, and where they are mounted. */
export class MarkedMounts {
  readonly fileSystems = new MountedFileSystems()
  #wereMarked = true

  constructor(readonly group: FanotifyGroup) {}

  /** All of them were marked before, so that their events were collected all the time. */
  get wereMarked(): boolean {
    return this.#wereMarked
  }

  /**
   * Marks what is mounted at a path, where its handles can be opened. Returns why that cannot be; then nothing is left behind. Throws
   * the error of node:fs if the path cannot be opened.
   *
   * @param path absolute
   */
  mark(path: Uint8Array): string | undefined {
    return this.#take(path, OPEN_MOUNT, (fd, fsid, isKnown) => {
      // Both calls must be possible here: what cannot be resolved must not be marked.
      closeSync(openByHandle(fd, handleOf(fd, fsid)))
      if (!isKnown && !this.group.mark(fsid, path)) this.#wereMarked = false
    })
  }

  /**
   * The same where handles are only asked for. What somebody else has marked does, too.
   *
   * @param others of the same root, whose events could not be told from those of a copy of one of them
   */
  use(path: Uint8Array, others: MountedFileSystems): string | undefined {
    // Nothing is opened by handle here, so it need not be one that may be read.
    return this.#take(path, OPEN_DIRECTORY, (fd, fsid, isKnown) => {
      if (others.has(fsid)) throw new SystemCallError('statfs', Errno.EEXIST, 'another file system has this id')
      handleOf(fd, fsid)
      if (!isKnown) this.group.use(fsid, path)
    })
  }

  /** May be called twice: by a tree that could not be made, and by who wanted it. */
  release(): void {
    for (const fsid of this.fileSystems.fsids) this.group.unmark(fsid)
    this.fileSystems.clear()
  }

  #take(
    path: Uint8Array,
    flags: number,
    mark: (fd: number, fsid: string, isKnown: boolean) => void,
  ): string | undefined {
    const fd = openSync(Buffer.from(path), flags)
    try {
      const { fsid } = fileSystemInfo(fd)
      mark(fd, fsid, this.fileSystems.has(fsid))
      this.fileSystems.add(fsid, path)
      return undefined
    } catch (error) {
      // Who asks knows the path.
      if (error instanceof SystemCallError) return `${error.call} failed: ${error.errnoName}`
      throw error
    } finally {
      closeSync(fd)
    }
  }
}
