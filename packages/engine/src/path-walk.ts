import { FilePathWalk } from './file-path-walk.js'
import type { RowCursor } from './row-set.js'
import type { TableRows } from './table-rows.js'

/** Rows of a table in path order, one after the other. */
export interface PathWalk {
  /** The next row, or -1. */
  next(): number
}

/** A walk where the tree of the segment is as things are now. */
export function walkOf(table: TableRows, rows: RowCursor, descending: boolean): PathWalk {
  return table.table === 'f'
    ? new FilePathWalk(table.reader, rows, table.rowCount, descending)
    : new DirectoryPathWalk(rows, table.rowCount, descending)
}

/** Preorder is path order for directories. */
class DirectoryPathWalk implements PathWalk {
  private at: number

  constructor(
    private readonly rows: RowCursor,
    size: number,
    private readonly descending: boolean,
  ) {
    this.at = descending ? size - 1 : 0
  }

  next(): number {
    if (this.at < 0) return -1
    const row = this.descending ? this.rows.previous(this.at) : this.rows.next(this.at)
    this.at = row < 0 ? -1 : this.descending ? row - 1 : row + 1
    return row
  }
}
