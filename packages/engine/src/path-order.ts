import { compareBytes } from '@hotpath/index-format'
import { MergedPathWalk } from './merged-path-walk.js'
import { walkOf } from './path-walk.js'
import type { RowCursor } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { TableRows } from './table-rows.js'

/** The first `limit` rows of a cursor in path order. Cost: what the cursor takes to find them, and little more. */
export function firstByPath(table: TableRows, rows: RowCursor, descending: boolean, limit: number): number[] {
  const walk =
    table.segment.displaced.size > 0 ? new MergedPathWalk(table, rows, descending) : walkOf(table, rows, descending)
  const found: number[] = []
  while (found.length < limit) {
    if ((found.length & CHECK_MASK) === CHECK_MASK) table.work.checkCancelled()
    const row = walk.next()
    if (row < 0) break
    found.push(row)
  }
  return found
}

/** Path order of two rows. Cost: for files, a climb from one to the other's directory at most. */
export function compareByPath(table: TableRows, a: number, b: number): number {
  if (a === b) return 0
  if (table.segment.displaced.size > 0) return table.compareComponents(a, b)
  if (table.table === 'd') return a - b
  // Directories stand in path order; so do files, but where one's directory lies above the other's.
  const { reader } = table
  const low = Math.min(a, b)
  const above = reader.directoryOfFile(low)
  const below = reader.directoryOfFile(Math.max(a, b))
  if (below === above || below >= reader.dirEnd(above)) return a - b
  let child = below
  while (reader.parentOf(child) !== above) child = reader.parentOf(child)
  const { files, dirs } = reader
  const [fileName, dirName] = [files.nameIdOf(low), dirs.nameIdOf(child)]
  const order =
    compareBytes(files.keyAt(fileName), dirs.keyAt(dirName)) ||
    compareBytes(files.nameAt(fileName), dirs.nameAt(dirName))
  return order < 0 === (low === a) ? -1 : 1
}
