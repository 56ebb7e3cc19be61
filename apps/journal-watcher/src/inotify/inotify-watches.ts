import { closeSync } from 'node:fs'
import {
  Errno,
  type EventPump,
  type EventSlot,
  Inotify,
  type InotifyEvent,
  inotifyAdd,
  inotifyInit,
  inotifyRemove,
  type PumpedQueue,
  parseInotifyEvents,
  type QueueReader,
  SystemCallError,
} from '@hotpath/platform'
import { Hint, SELF } from '../observation/dirty-directories.js'
import type { DirectoryWatches, WatchLimit, WatchReceiver } from '../placed/directory-watches.js'
import { keyOf, withShortPath } from '../tree/paths.js'

const CAME = Inotify.create | Inotify.movedTo
const WENT = Inotify.delete | Inotify.movedFrom
const MASK =
  CAME |
  WENT |
  Inotify.modify |
  Inotify.attrib |
  Inotify.closeWrite |
  Inotify.onlyDirectory |
  Inotify.doNotFollow |
  Inotify.excludeUnlinked
const TOP_MASK = (MASK & ~Inotify.doNotFollow) | Inotify.deleteSelf | Inotify.moveSelf
const TOO_MANY = 'there are more directories than inotify may watch: raise the sysctl fs.inotify.max_user_watches'

/** The watches of one root in a queue of their own: about 400 bytes a directory with its place in the maps of the tree. */
export class InotifyWatches implements DirectoryWatches<number>, QueueReader {
  readonly mechanism = 'inotify'
  readonly limit: WatchLimit
  readonly #tops = new Set<number>()
  readonly #fd: number
  readonly #queue: PumpedQueue
  readonly #receiver: WatchReceiver<number>

  /**
   * Throws SystemCallError (ENOSPC, EMFILE: limits; see `limitReason`).
   *
   * @param directories may be watched
   */
  constructor(directories: number, pump: EventPump, receiver: WatchReceiver<number>) {
    this.#receiver = receiver
    this.limit = { directories, reason: TOO_MANY }
    this.#fd = inotifyInit()
    try {
      this.#queue = pump.add(this.#fd, { isResumable: false, isLimited: true }, this)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  addTop(path: Uint8Array): number {
    const watch = withShortPath(path, short => inotifyAdd(this.#fd, short, TOP_MASK))
    this.#tops.add(watch)
    return watch
  }

  add(path: Uint8Array): number {
    return withShortPath(path, short => inotifyAdd(this.#fd, short, MASK))
  }

  remove(watch: number): void {
    try {
      inotifyRemove(this.#fd, watch)
    } catch (error) {
      // It has ended with its directory.
      if (!(error instanceof SystemCallError)) throw error
    }
  }

  close(): void {
    this.#queue.close()
    closeSync(this.#fd)
  }

  // ---- Events

  take({ bytes, emptyAt }: EventSlot): number {
    const events = parseInotifyEvents(bytes)
    for (const event of events) this.#take(event, emptyAt)
    return events.length
  }

  touched(watches: readonly number[]): void {
    for (const watch of watches) this.#receiver.contentsTouched(watch)
  }

  lost(): void {
    this.#receiver.lost('more directories changed than could be looked at')
  }

  #take({ mask, watch, name }: InotifyEvent, emptyAt: number): void {
    const receiver = this.#receiver
    if ((mask & Inotify.overflow) !== 0)
      receiver.lost('the queue of inotify overflowed (fs.inotify.max_queued_events)', emptyAt)
    else if ((mask & Inotify.unmount) !== 0) receiver.unmounted(watch)
    else if ((mask & Inotify.ignored) !== 0) receiver.ended(watch)
    else if (name.length === 0) {
      // Of other directories their parents tell.
      if (this.#tops.has(watch)) this.#takeOfTop(watch, mask)
    } else {
      const structure = (mask & (CAME | WENT)) !== 0
      const came = (mask & CAME) !== 0 && (mask & Inotify.isDirectory) !== 0
      const hint = structure ? Hint.structure | (came ? Hint.directoryCame : 0) : Hint.metadata
      receiver.touched(watch, keyOf(name), hint)
    }
  }

  #takeOfTop(watch: number, mask: number): void {
    if ((mask & (Inotify.deleteSelf | Inotify.moveSelf)) !== 0)
      this.#receiver.lost('the root, or what is mounted in it, was moved or removed')
    else if ((mask & Inotify.attrib) !== 0) this.#receiver.touched(watch, SELF, Hint.metadata)
  }
}

/** What a person can do about a limit of inotify. */
export function limitReason(error: SystemCallError): string {
  if (error.errno === Errno.ENOSPC) return TOO_MANY
  if (error.errno === Errno.EMFILE)
    return 'there are too many users of inotify: raise the sysctl fs.inotify.max_user_instances'
  return error.message
}
