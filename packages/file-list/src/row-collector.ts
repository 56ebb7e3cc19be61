import { Kind } from '@hotpath/model'
import { type BadRow, BadRowReason } from './bad-row.js'
import type { ListColumns } from './entry-batch.js'
import { PathTree } from './path-tree.js'
import type { RowValues } from './row-values.js'
import { WrittenPath } from './written-path.js'

/** What both readers do with a row once they know where its path is. */
export class RowCollector {
  readonly tree: PathTree
  readonly bad: BadRow[] = []
  rows = 0
  badRows = 0
  private readonly path = new WrittenPath()

  constructor(
    columns: ListColumns,
    batchRows: number,
    private readonly maxReported: number,
  ) {
    this.tree = new PathTree(columns, batchRows)
  }

  /** Adds the row with the path bytes[from … to) as the list writes it, or reports it. */
  add(bytes: Uint8Array, from: number, to: number, values: RowValues, line: number, offset: number): void {
    const reason = this.tryAdd(bytes, from, to, values)
    if (reason) this.report(line, offset, reason)
    else this.rows++
  }

  report(line: number, offset: number, reason: BadRowReason): void {
    this.rows++
    this.badRows++
    if (this.bad.length < this.maxReported) this.bad.push({ line, offset, reason })
  }

  private tryAdd(bytes: Uint8Array, from: number, to: number, values: RowValues): BadRowReason | undefined {
    const { path } = this
    if (!path.take(bytes, from, to)) return BadRowReason.emptyPath
    if (path.directory) values.kind = Kind.directory
    const wrong = this.tree.add(path.bytes, path.from, path.to, values)
    if (wrong !== 'irregular') return wrong
    if (!path.simplify()) return BadRowReason.emptyPath
    if (path.directory) values.kind = Kind.directory
    const stillWrong = this.tree.add(path.bytes, path.from, path.to, values)
    return stillWrong === 'irregular' ? BadRowReason.emptyPath : stillWrong
  }
}

/** Reads rows from contiguous bytes. */
export interface ListReader {
  readonly collector: RowCollector
  /**
   * Reads the rows in bytes[from … to) that are complete (all, if `final`) and returns where the next one starts.
   *
   * @param base byte of the list at which bytes[0] stands
   */
  consume(bytes: Uint8Array, from: number, to: number, base: number, final: boolean): number
}
