import { basename, dirname } from 'node:path'
import { Inotify, type InputWait, inotifyAdd, inotifyRemove, SystemCallError } from '@hotpath/platform'

/** What is not in it: opening and reading. So nothing that this process does causes an event. */
const MASK =
  Inotify.modify |
  Inotify.attrib |
  Inotify.closeWrite |
  Inotify.movedFrom |
  Inotify.movedTo |
  Inotify.create |
  Inotify.delete |
  Inotify.deleteSelf |
  Inotify.moveSelf |
  Inotify.onlyDirectory
/** Without what writing and closing a file raises: each such event takes the writer some microseconds, for allocating it and for whoever it wakes. */
const QUIET_MASK = MASK & ~(Inotify.modify | Inotify.attrib | Inotify.closeWrite)
const APPEARS = Inotify.create | Inotify.movedTo
const GOES = Inotify.delete | Inotify.movedFrom
const DIRECTORY_GONE = Inotify.deleteSelf | Inotify.moveSelf | Inotify.unmount | Inotify.ignored

/**
 * What the directory of a database tells: the log is deleted and made again, so its own watch would end. Events come in order and none is
 * left out (or `lost` says so), which tells whether a log is the one after the log before.
 */
export class DatabaseEvents {
  /** Logs that were made since this began. */
  logsMade = 0
  /** Numbers of logs, as `logsMade` counts them, under which the database was written, since the last `forget`. */
  readonly #writtenUnder = new Set<number>()
  /** The database was written while it had no log, since the last `forget`. */
  writtenWithoutLog = false
  /**
   * The index of the log was written by other means than memory: somebody opened it first, and may have recovered the log, or it grew. Its transactions
   * may be counted anew. For its reader to take back.
   */
  indexWritten = false
  /** The database may be another file. */
  replaced = false
  /** Events are missing, since the last `forget`. */
  lost = false
  /** There may be something to be seen. */
  happened = false
  #hasLog = false
  #isQuiet = false
  #watch: number | undefined
  /** Files with a watch of their own, until the last of its events was taken. */
  readonly #ownWatches = new Map<number, string>()
  readonly #database: string
  readonly #log: string
  readonly #journal: string

  constructor(
    private readonly input: InputWait,
    private readonly path: string,
  ) {
    this.#database = basename(path)
    this.#log = `${this.#database}-wal`
    this.#journal = `${this.#database}-journal`
  }

  /**
   * Whether a log came and went behind log number `seen`, and what was in it went to the database.
   *
   * @param isOpened the newest log is open
   */
  hasPassed(seen: number, isOpened: boolean): boolean {
    const current = isOpened || this.#hasLog ? this.logsMade : undefined
    return [...this.#writtenUnder].some(number => number > seen && number !== current)
  }

  /** Watches the directory if it is there and is not watched. Throws SystemCallError (ENOSPC: too many watches of this user). */
  watch(): boolean {
    if (this.#watch !== undefined) return true
    try {
      this.#watch = inotifyAdd(this.input.inotify, dirname(this.path), MASK)
    } catch (error) {
      if (error instanceof SystemCallError && (error.errnoName === 'ENOENT' || error.errnoName === 'ENOTDIR'))
        return false
      throw error
    }
    // What happened before nobody knows.
    this.lost = true
    this.happened = true
    return true
  }

  /** Whether nothing is told of what is written to the log. */
  get isQuiet(): boolean {
    return this.#isQuiet
  }

  /**
   * From here on nothing is told of what is written to the log, so that it costs its writer nothing: whoever wants to know looks at the index. All else is told as before. Ends by `listen`, and by itself when
   * a file comes or goes. False: the system refuses it, and nothing has changed.
   */
  beQuiet(): boolean {
    if (this.#watch === undefined) return false
    try {
      // Before the directory is watched for less: nothing is left out in between.
      for (const path of [this.path, `${this.path}-shm`])
        this.#ownWatches.set(inotifyAdd(this.input.inotify, path, Inotify.modify), basename(path))
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
      this.#endOwnWatches()
      return false
    }
    this.#isQuiet = true
    this.#watchFor(QUIET_MASK)
    return this.#isQuiet
  }

  /** Everything is told again. What was written to the log until now has to be looked for. */
  listen(): void {
    if (!this.#isQuiet) return
    this.#isQuiet = false
    this.#watchFor(MASK)
    this.#endOwnWatches()
    this.happened = true
  }

  /** Takes in what has happened. */
  take(): void {
    for (const { watch, mask, name } of this.input.events()) {
      const file = this.#ownWatches.get(watch)
      if ((mask & Inotify.overflow) !== 0) this.#lose()
      else if (file !== undefined) {
        if ((mask & Inotify.ignored) !== 0) this.#ownWatches.delete(watch)
        else this.#note(file, mask)
      } else if (watch !== this.#watch) continue
      else if ((mask & DIRECTORY_GONE) !== 0) this.#directoryGone(mask)
      else this.#note(Buffer.from(name).toString(), mask)
    }
  }

  /** From here on, with this log or without one. */
  forget(hasLog: boolean): void {
    this.#hasLog = hasLog
    this.#writtenUnder.clear()
    this.writtenWithoutLog = false
    this.replaced = false
    this.indexWritten = false
    this.lost = false
  }

  #note(name: string, mask: number): void {
    if (name === this.#log) {
      if ((mask & APPEARS) !== 0) {
        this.logsMade++
        this.#hasLog = true
      } else if ((mask & GOES) !== 0) this.#hasLog = false
    } else if (name === this.#database) {
      if ((mask & (APPEARS | GOES)) !== 0) this.replaced = true
      if ((mask & Inotify.modify) !== 0) {
        if (this.#hasLog) this.#writtenUnder.add(this.logsMade)
        else this.writtenWithoutLog = true
      }
    } else if (name === `${this.#database}-shm`) {
      if ((mask & (Inotify.modify | APPEARS)) !== 0) this.indexWritten = true
    } else if (name !== this.#journal) return
    this.happened = true
    // A file that is new has no watch of its own.
    if ((mask & (APPEARS | GOES)) !== 0) this.listen()
  }

  #lose(): void {
    this.lost = true
    this.happened = true
  }

  #directoryGone(mask: number): void {
    // A directory that was moved keeps its watch, with another path.
    if ((mask & Inotify.moveSelf) !== 0) this.#endWatch(this.#watch!)
    this.#watch = undefined
    this.#isQuiet = false
    this.#endOwnWatches()
    this.#lose()
  }

  /** What is told of the directory. */
  #watchFor(mask: number): void {
    try {
      const watch = inotifyAdd(this.input.inotify, dirname(this.path), mask)
      if (watch === this.#watch) return
      this.#endWatch(watch)
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error
    }
    // Another directory has its name now, or none: as if it had been moved.
    this.#directoryGone(Inotify.moveSelf)
  }

  #endOwnWatches(): void {
    for (const watch of this.#ownWatches.keys()) this.#endWatch(watch)
  }

  #endWatch(watch: number): void {
    try {
      inotifyRemove(this.input.inotify, watch)
    } catch (error) {
      // It ended with its file.
      if (!(error instanceof SystemCallError)) throw error
    }
  }
}
