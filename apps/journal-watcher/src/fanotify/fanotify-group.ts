import { closeSync } from 'node:fs'
import {
  Errno,
  type EventPump,
  type EventSlot,
  Fanotify,
  type FanotifyEvent,
  fanotifyFollowFileSystem,
  fanotifyInit,
  fanotifyUnmarkFileSystem,
  fileSystemInfo,
  isFanotifyFollowed,
  isFanotifyMarked,
  type PumpedQueue,
  parseFanotifyEvents,
  SystemCallError,
} from '@hotpath/platform'

/** A tree that gets the events of marked file systems. */
export interface FanotifyListener {
  /** File systems (as in FileSystemInfo) whose events it wants. */
  readonly fileSystems: Pick<ReadonlySet<string>, 'has'>
  take(event: FanotifyEvent): void
  /** @param wholeUntil seconds since 1970: nothing was lost before */
  overflowed(wholeUntil: number): void
}

/**
 * The notification group of this process, shared by all roots. Where the supervisor has opened it, its queue outlives
 * this process: what happened between two runs comes first.
 */
export class FanotifyGroup {
  readonly #queue: PumpedQueue
  readonly #listeners = new Set<FanotifyListener>()
  /** Marked file systems: a path in each, its mask, and how many trees want it. */
  readonly #marks = new Map<string, { path: Uint8Array; mask: number; users: number }>()

  /**
   * @param fd of a group; it is closed with this object only if `isOwn`
   * @param onUnmarked a file system is not marked, and we may not
   */
  constructor(
    private readonly fd: number,
    private readonly isOwn: boolean,
    pump: EventPump,
    private readonly onUnmarked: () => void = () => {},
  ) {
    this.#queue = pump.add(fd, { isResumable: true, isLimited: false }, { take: slot => this.#take(slot) })
  }

  /** A group of our own. Throws SystemCallError (EPERM without privilege). */
  static open(pump: EventPump): FanotifyGroup {
    return new FanotifyGroup(fanotifyInit({ unlimited: true }), true, pump)
  }

  add(listener: FanotifyListener): void {
    this.#listeners.add(listener)
  }

  remove(listener: FanotifyListener): void {
    this.#listeners.delete(listener)
  }

  /**
   * Marks the file system that `path` lies in; returns whether it was marked already. Throws SystemCallError where that is not
   * possible.
   */
  mark(fsid: string, path: Uint8Array): boolean {
    const known = this.#marks.get(fsid)
    const wasMarked = isFanotifyMarked(this.fd, path)
    // Marked again even if it is: an unmounted and mounted file system has lost its mark.
    const mask = fanotifyFollowFileSystem(this.fd, path)
    this.#marks.set(fsid, { path, mask, users: (known?.users ?? 0) + 1 })
    return wasMarked
  }

  /**
   * Marks the file system that `path` lies in, or uses the mark that somebody else has made. Throws SystemCallError (EPERM: there is
   * none, and no privilege to make one).
   */
  use(fsid: string, path: Uint8Array): void {
    try {
      this.mark(fsid, path)
    } catch (error) {
      if (!(error instanceof SystemCallError && error.errno === Errno.EPERM)) throw error
      if (isFanotifyFollowed(this.fd, path)) return
      this.onUnmarked()
      throw error
    }
  }

  /** Marks that others have made stay. */
  unmark(fsid: string): void {
    const mark = this.#marks.get(fsid)
    if (mark === undefined || --mark.users > 0) return
    this.#marks.delete(fsid)
    this.#removeMark(fsid, mark)
  }

  /** Gives events that were read before to one listener. */
  replay(listener: FanotifyListener, slots: Iterable<EventSlot>): void {
    for (const slot of slots)
      for (const event of parseFanotifyEvents(slot.bytes)) dispatch(event, slot.emptyAt, [listener])
  }

  #take(slot: EventSlot): number {
    const events = parseFanotifyEvents(slot.bytes)
    for (const event of events) dispatch(event, slot.emptyAt, this.#listeners)
    return events.length
  }

  /** Call before the trees are closed: an inherited group keeps its marks, so that its queue collects for the next watcher. */
  close(): void {
    this.#queue.close()
    if (this.isOwn) {
      for (const [fsid, mark] of this.#marks) this.#removeMark(fsid, mark)
      closeSync(this.fd)
    }
    this.#marks.clear()
  }

  #removeMark(fsid: string, { path, mask }: { path: Uint8Array; mask: number }): void {
    try {
      // After an unmount the path lies in another file system, whose mark others may need.
      if (fileSystemInfo(Buffer.from(path)).fsid === fsid) fanotifyUnmarkFileSystem(this.fd, path, mask)
    } catch {
      // The mark went with its file system; events that nobody wants are dropped anyway.
    }
  }
}

function dispatch(event: FanotifyEvent, emptyAt: number, listeners: Iterable<FanotifyListener>): void {
  const { mask, entry, from, to } = event
  for (const listener of [...listeners]) {
    const { fileSystems } = listener
    if ((mask & Fanotify.overflow) !== 0) listener.overflowed(emptyAt)
    else if (
      (entry !== undefined && fileSystems.has(entry.directory.fsid)) ||
      (from !== undefined && fileSystems.has(from.directory.fsid)) ||
      (to !== undefined && fileSystems.has(to.directory.fsid))
    )
      listener.take(event)
  }
}
