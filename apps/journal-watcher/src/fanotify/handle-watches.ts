import { closeSync, openSync } from 'node:fs'
import { Fanotify, type FanotifyEvent, type FileHandle, handleOf, type NamedHandle } from '@hotpath/platform'
import { Hint, SELF } from '../observation/dirty-directories.js'
import type { DirectoryWatches, WatchLimit, WatchReceiver } from '../placed/directory-watches.js'
import { keyOf, withShortPath } from '../tree/paths.js'
import type { FanotifyListener } from './fanotify-group.js'
import { OPEN_DIRECTORY } from './handle-paths.js'
import type { MarkedMounts } from './marked-mounts.js'

const CAME = Fanotify.create | Fanotify.movedTo
const WENT = Fanotify.delete | Fanotify.movedFrom

/**
 * Directories by their file handles, in events of marked file systems. Needs no privilege where somebody else has marked them: a handle
 * can be asked for by everybody, only to open one is not allowed.
 */
export class HandleWatches implements DirectoryWatches<string>, FanotifyListener {
  readonly mechanism = 'fanotify'
  /** The kernel keeps nothing of single directories. */
  readonly limit: WatchLimit = { directories: Number.POSITIVE_INFINITY, reason: '' }
  /** A small number for each file system: of ids that are the same for all directories there would be a copy in each key. */
  readonly #numbers = new Map<string, number>()

  /** Takes marks over: they are released when it is closed. */
  constructor(
    private readonly marks: MarkedMounts,
    private readonly receiver: WatchReceiver<string>,
  ) {
    marks.group.add(this)
  }

  get fileSystems(): Pick<ReadonlySet<string>, 'has'> {
    return this.marks.fileSystems
  }

  addTop(path: Uint8Array): string {
    // Every directory tells of itself.
    return this.add(path)
  }

  add(path: Uint8Array): string {
    const fd = withShortPath(path, short => openSync(Buffer.from(short), OPEN_DIRECTORY))
    try {
      return this.#keyOf(handleOf(fd, this.marks.fileSystems.fsidAt(path, fd)))
    } finally {
      closeSync(fd)
    }
  }

  remove(): void {
    // Marks are of file systems: there is nothing to take away.
  }

  close(): void {
    this.marks.group.remove(this)
    this.marks.release()
  }

  // ---- Events

  take({ mask, entry, from, to }: FanotifyEvent): void {
    const cameHint = Hint.structure | ((mask & Fanotify.onDirectory) === 0 ? 0 : Hint.directoryCame)
    if (from !== undefined) this.#touch(from, Hint.structure)
    if (to !== undefined) this.#touch(to, cameHint)
    if (entry === undefined) return
    if (entry.name.length === 1 && entry.name[0] === 0x2e) {
      if ((mask & Fanotify.attrib) !== 0) this.receiver.touched(this.#keyOf(entry.directory), SELF, Hint.metadata)
    } else if ((mask & CAME) !== 0) this.#touch(entry, cameHint)
    else this.#touch(entry, (mask & WENT) === 0 ? Hint.metadata : Hint.structure)
  }

  overflowed(wholeUntil: number): void {
    this.receiver.lost('the queue of fanotify overflowed', wholeUntil)
  }

  #touch({ directory, name }: NamedHandle, hint: Hint): void {
    this.receiver.touched(this.#keyOf(directory), keyOf(name), hint)
  }

  /** One character for each byte: 160 bytes less for a directory than with the key of a handle. */
  #keyOf({ fsid, type, bytes }: FileHandle): string {
    let number = this.#numbers.get(fsid)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(fsid, number)
    }
    const key = Buffer.allocUnsafe(6 + bytes.length)
    key.writeUInt16LE(number)
    key.writeInt32LE(type, 2)
    key.set(bytes, 6)
    return keyOf(key)
  }
}
