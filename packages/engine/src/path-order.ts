import { compareBytes } from '@hotpath/index-format'
import type { Bitset } from './bitset.js'
import type { SegmentState } from './segment-state.js'

/**
 * Walks the files of a segment in path order: depth-first, a directory's files and subdirectories merged by name, whole
 * subtrees without hits passed over. For segments that have every directory where it is now.
 */
export class PathOrder {
  constructor(private readonly segment: SegmentState) {}

  /** The first `limit` set rows of the files table. */
  files(hits: Bitset, descending: boolean, limit: number): number[] {
    const rows: number[] = []
    this.walk(0, hits, descending, limit, rows)
    return rows
  }

  /** Order of the paths of two files. Directories stand in path order; so do files, but where one's lies above the other's. */
  compareFiles(a: number, b: number): number {
    if (a === b) return 0
    const { reader } = this.segment
    const low = Math.min(a, b)
    const above = reader.directoryOfFile(low)
    const below = reader.directoryOfFile(Math.max(a, b))
    if (below === above || below >= reader.dirEnd(above)) return a - b
    let child = below
    while (reader.parentOf(child) !== above) child = reader.parentOf(child)
    return this.fileFirst(low, child, false) === a < b ? -1 : 1
  }

  private walk(local: number, hits: Bitset, descending: boolean, limit: number, rows: number[]): void {
    const { reader } = this.segment
    const ownFrom = reader.firstFile(local)
    const ownTo = reader.firstFile(local + 1)
    const children: number[] = []
    const end = reader.dirEnd(local)
    if (reader.firstFile(end) > ownTo && hits.next(ownTo) >= 0 && hits.next(ownTo) < reader.firstFile(end)) {
      for (let child = local + 1; child < end; child = reader.dirEnd(child)) {
        const first = hits.next(reader.firstFile(child))
        if (first >= 0 && first < reader.firstFile(reader.dirEnd(child))) children.push(child)
      }
    }
    const files: number[] = []
    for (let file = hits.next(ownFrom); file >= 0 && file < ownTo; file = hits.next(file + 1)) files.push(file)
    if (descending) {
      children.reverse()
      files.reverse()
    }
    let file = 0
    for (const child of children) {
      while (file < files.length && rows.length < limit && this.fileFirst(files[file], child, descending))
        rows.push(files[file++])
      if (rows.length >= limit) return
      this.walk(child, hits, descending, limit, rows)
      if (rows.length >= limit) return
    }
    while (file < files.length && rows.length < limit) rows.push(files[file++])
  }

  /** True if a file comes before a directory beside it and all that the directory holds. */
  private fileFirst(file: number, child: number, descending: boolean): boolean {
    const { files, dirs } = this.segment.reader
    const fileName = files.nameIdOf(file)
    const dirName = dirs.nameIdOf(child)
    const order =
      compareBytes(files.keyAt(fileName), dirs.keyAt(dirName)) ||
      compareBytes(files.nameAt(fileName), dirs.nameAt(dirName))
    return descending ? order > 0 : order < 0
  }
}
