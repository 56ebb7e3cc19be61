import { comparePaths } from '@hotpath/query'
import { type PathWalk, walkOf } from './path-walk.js'
import type { RowCursor } from './row-set.js'
import type { TableRows } from './table-rows.js'

/** Rows [starts[i], ends[i]), ascending. */
export interface Ranges {
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

interface Piece {
  readonly walk: PathWalk
  row: number
  components: readonly Uint8Array[]
}

/**
 * Rows in path order where some directories are not where the segment says. What lies in a displaced directory keeps its
 * order, and so does all that lies in none: one walk for each, merged by comparing paths. Cost: a comparison of paths for
 * each piece at the start, then a few for each row.
 */
export class MergedPathWalk implements PathWalk {
  /** A heap, the piece with the first row on top. */
  private readonly pieces: Piece[] = []

  constructor(
    private readonly table: TableRows,
    rows: RowCursor,
    private readonly descending: boolean,
  ) {
    for (const ranges of piecesOf(table)) {
      const piece: Piece = { walk: walkOf(table, new RangedRows(rows, ranges), descending), row: -1, components: [] }
      if (!this.advance(piece)) continue
      this.pieces.push(piece)
      this.rise(this.pieces.length - 1)
    }
  }

  next(): number {
    const first = this.pieces[0]
    if (first === undefined) return -1
    const { row } = first
    if (!this.advance(first)) {
      const last = this.pieces.pop()
      if (last !== undefined && last !== first) this.pieces[0] = last
    }
    this.sink()
    return row
  }

  private advance(piece: Piece): boolean {
    piece.row = piece.walk.next()
    if (piece.row < 0) return false
    piece.components = this.table.componentsOf(piece.row)
    return true
  }

  private isBefore(a: number, b: number): boolean {
    const order = comparePaths(this.pieces[a].components, this.pieces[b].components)
    return this.descending ? order > 0 : order < 0
  }

  private rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >>> 1
      if (!this.isBefore(at, parent)) return
      this.swap(at, parent)
      at = parent
    }
  }

  private sink(): void {
    for (let at = 0; ; ) {
      let child = at * 2 + 1
      if (child >= this.pieces.length) return
      if (child + 1 < this.pieces.length && this.isBefore(child + 1, child)) child++
      if (!this.isBefore(child, at)) return
      this.swap(at, child)
      at = child
    }
  }

  private swap(a: number, b: number): void {
    const piece = this.pieces[a]
    this.pieces[a] = this.pieces[b]
    this.pieces[b] = piece
  }
}

/** The rows of each displaced directory without those of displaced ones in it, and all the others. */
export function piecesOf(table: TableRows): Ranges[] {
  const { segment, reader } = table
  const islands = [...segment.displaced].sort((a, b) => a - b)
  const rowOf = (local: number): number => (table.table === 'd' ? local : reader.firstFile(local))
  const pieces: { starts: number[]; ends: number[]; end: number }[] = []
  const open: { starts: number[]; ends: number[]; end: number }[] = []
  const begin = (start: number, end: number): void => {
    const piece = { starts: [rowOf(start)], ends: [], end }
    pieces.push(piece)
    open.push(piece)
  }
  const close = (): void => {
    const piece = open.pop()
    if (piece === undefined) return
    piece.ends.push(rowOf(piece.end))
    open[open.length - 1]?.starts.push(rowOf(piece.end))
  }
  begin(0, reader.dirCount)
  for (const island of islands) {
    while (open[open.length - 1].end <= island) close()
    open[open.length - 1].ends.push(rowOf(island))
    begin(island, reader.dirEnd(island))
  }
  while (open.length > 0) close()
  return pieces
}

/** The rows of a cursor that lie in ranges. */
class RangedRows implements RowCursor {
  constructor(
    private readonly rows: RowCursor,
    private readonly ranges: Ranges,
  ) {}

  next(from: number): number {
    const { starts, ends } = this.ranges
    let row = from
    for (let i = this.rangeOf(from); i < starts.length; i++) {
      row = this.rows.next(Math.max(row, starts[i]))
      if (row < 0) return -1
      if (row < ends[i]) return row
    }
    return -1
  }

  previous(from: number): number {
    const { starts, ends } = this.ranges
    let row = from
    for (let i = Math.min(this.rangeOf(from), starts.length - 1); i >= 0; i--) {
      if (starts[i] > row) continue
      row = this.rows.previous(Math.min(row, ends[i] - 1))
      if (row < 0) return -1
      if (row >= starts[i]) return row
    }
    return -1
  }

  /** The first range that ends after `row`. */
  private rangeOf(row: number): number {
    const { ends } = this.ranges
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ends[middle] <= row) low = middle + 1
      else high = middle
    }
    return low
  }
}
