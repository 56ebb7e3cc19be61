import { compareBytes, type SegmentReader } from '@hotpath/index-format'
import type { RowCursor } from './row-set.js'

/** A directory on the way to where the walk is. */
interface Level {
  readonly local: number
  readonly end: number
  /** Hits among its own files, in the order of the walk; those before `at` have been handed out. */
  readonly files: readonly number[]
  at: number
  /** End of the subdirectory up to which they have been handed out: rows [childStart, childEnd). */
  childStart: number
  childEnd: number
}

/**
 * Files of a segment in path order: depth-first, a directory's files and subdirectories merged by name. Follows the
 * cursor through the rows, so that subtrees without hits are never entered, and holds back the hits of a directory that
 * come after those of its subdirectories. For segments that have every directory where it is now.
 */
export class FilePathWalk {
  private readonly levels: Level[] = []
  private ready: number[] = []
  private readyAt = 0
  /** Where the cursor goes on; -1 when it is at its end. */
  private at: number

  constructor(
    private readonly reader: SegmentReader,
    private readonly rows: RowCursor,
    size: number,
    private readonly descending: boolean,
  ) {
    this.at = descending ? size - 1 : 0
  }

  /** The next file, or -1. */
  next(): number {
    while (this.readyAt === this.ready.length) {
      this.ready = []
      this.readyAt = 0
      if (this.at < 0 && this.levels.length === 0) return -1
      if (this.at < 0) this.leave()
      else if (this.descending) this.stepBack()
      else this.step()
    }
    return this.ready[this.readyAt++]
  }

  private step(): void {
    const { reader } = this
    const file = this.rows.next(this.at)
    if (file < 0) {
      this.at = -1
      return
    }
    const local = reader.directoryOfFile(file)
    this.leaveAllBut(local)
    const top = this.levels[this.levels.length - 1]
    if (top) this.handOutBefore(top, local)
    const end = reader.firstFile(local + 1)
    const files: number[] = []
    for (let next = file; next >= 0 && next < end; next = this.rows.next(next + 1)) files.push(next)
    this.at = end
    this.enter(local, files)
  }

  private stepBack(): void {
    const { reader } = this
    const file = this.rows.previous(this.at)
    if (file < 0) {
      this.at = -1
      return
    }
    const local = reader.directoryOfFile(file)
    this.leaveAllBut(local)
    // Files of a directory come before a subdirectory that they are greater than: all directories above are entered first.
    const top = this.levels[this.levels.length - 1]
    const way: number[] = []
    for (let at = local; at >= 0 && at !== top?.local; at = reader.parentOf(at)) way.push(at)
    for (let i = way.length - 1; i >= 0; i--) {
      const above = this.levels[this.levels.length - 1]
      if (above) this.handOutBefore(above, way[i])
      const start = reader.firstFile(way[i])
      const files: number[] = []
      const last = reader.firstFile(way[i] + 1) - 1
      for (let next = this.rows.previous(last); next >= start; next = this.rows.previous(next - 1)) files.push(next)
      this.enter(way[i], files)
    }
    this.at = reader.firstFile(local) - 1
  }

  private enter(local: number, files: readonly number[]): void {
    const end = this.reader.dirEnd(local)
    this.levels.push({ local, end, files, at: 0, childStart: 0, childEnd: 0 })
    if (end === local + 1) this.leave()
  }

  /** Leaves the directories that do not hold `local`. */
  private leaveAllBut(local: number): void {
    for (;;) {
      const top = this.levels[this.levels.length - 1]
      if (top === undefined || (top.local <= local && local < top.end)) return
      this.leave()
    }
  }

  private leave(): void {
    const level = this.levels.pop()
    if (level === undefined) return
    for (; level.at < level.files.length; level.at++) this.ready.push(level.files[level.at])
  }

  /** Hands out the files of a directory that come before its subdirectory that holds `below`. */
  private handOutBefore(level: Level, below: number): void {
    const { reader } = this
    if (below === level.local || (level.childStart <= below && below < level.childEnd)) return
    let child = below
    while (reader.parentOf(child) !== level.local) child = reader.parentOf(child)
    level.childStart = child
    level.childEnd = reader.dirEnd(child)
    if (level.at === level.files.length) return
    const name = reader.dirs.nameIdOf(child)
    const [childKey, childName] = [reader.dirs.keyAt(name), reader.dirs.nameAt(name)]
    // Files stand by name: the first that is not before the subdirectory is found by halving.
    let low = level.at
    let high = level.files.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const fileName = reader.files.nameIdOf(level.files[middle])
      const order =
        compareBytes(reader.files.keyAt(fileName), childKey) || compareBytes(reader.files.nameAt(fileName), childName)
      if (this.descending ? order > 0 : order < 0) low = middle + 1
      else high = middle
    }
    for (; level.at < low; level.at++) this.ready.push(level.files[level.at])
  }
}
