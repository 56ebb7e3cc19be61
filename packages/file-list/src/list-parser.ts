import type { EntryColumns } from '@hotpath/model'
import { type BadRow, BadRowReason, MAX_ROW_BYTES } from './bad-row.js'
import { EfuReader, efuColumnsOf, listColumnsOf } from './efu-reader.js'
import { type ListReader, RowCollector } from './row-collector.js'
import { TextReader } from './text-reader.js'

const LF = 0x0a

export interface ListOptions {
  /** `auto`: EFU if the first line has a field `Filename`, else plain text. */
  readonly format: 'auto' | 'efu' | 'text'
  /** Rows in a batch; the last one is smaller, and one may be larger by the directories above its last row. */
  readonly batchRows?: number
  /** Bad rows that are kept for a report; all are counted. */
  readonly maxReported?: number
}

export interface ListSummary {
  /** What the list is; undefined as long as `auto` has not seen the first line. */
  readonly format: 'efu' | 'text' | undefined
  readonly bytes: number
  /** Rows with a path, bad ones included. */
  readonly rows: number
  /** Entries in the batches. The store may count fewer: files that the list repeats are all among them. */
  readonly entries: number
  /** Rows left out because they name an entry that an earlier row has. */
  readonly repeated: number
  /** Directories, listed or not, with the virtual root. */
  readonly directories: number
  readonly badRows: number
  readonly bad: readonly BadRow[]
}

/** About 1 MB of columns: what fits in one message, and large enough that the cost for each batch vanishes. */
const BATCH_ROWS = 16_384
const MAX_REPORTED = 100

/**
 * Parses a list of files from chunks of bytes, however they are cut, into batches of rows with directory numbers of their own.
 * Number 1 is the virtual root, a stub with an empty name in the first batch. The path `/a/b` lies in the directory with the
 * empty name, `C:\a` in `C:`, `\\srv\share` in `\\srv`, and `a/b` in `a`, all directly below it. Directories that the list
 * only implies are stubs; where the list names one later, it comes again as an entry with the same number. A directory (stub
 * or entry) comes before what lies in it.
 *
 * Bad rows are reported and left out; nothing in a list throws. Memory: the directories of the list, one batch, one row.
 */
export class ListParser {
  private buffer = new Uint8Array(65_536)
  private filled = 0
  /** Bytes of the list before buffer[0]. */
  private base = 0
  private reader: ListReader | undefined
  private ended = false

  constructor(private readonly options: ListOptions) {}

  /** Takes the next bytes (which stay the caller's) and returns the batches that became full. */
  push(chunk: Uint8Array): EntryColumns[] {
    if (this.ended) throw new Error('push after end')
    this.append(chunk)
    // A row can only have been completed by a line end, or become too long.
    if (!chunk.includes(LF) && this.filled <= MAX_ROW_BYTES + 2) return []
    this.consume(false)
    return this.reader?.collector.tree.takeFull() ?? []
  }

  /** The remaining batches; at least one over all, since there is always the virtual root. */
  end(): EntryColumns[] {
    if (this.ended) throw new Error('end after end')
    this.ended = true
    this.consume(true)
    const { tree } = this.reader!.collector
    return [...tree.takeFull(), tree.takeRest()].filter(batch => batch.count > 0)
  }

  get summary(): ListSummary {
    const collector = this.reader?.collector
    return {
      format: this.reader && (this.reader instanceof EfuReader ? 'efu' : 'text'),
      bytes: this.base + this.filled,
      rows: collector?.rows ?? 0,
      entries: collector?.tree.entries ?? 0,
      repeated: collector?.tree.repeated ?? 0,
      directories: collector?.tree.directories ?? 1,
      badRows: collector?.badRows ?? 0,
      bad: collector?.bad ?? [],
    }
  }

  private append(chunk: Uint8Array): void {
    const needed = this.filled + chunk.length
    if (needed > this.buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2))
      larger.set(this.buffer.subarray(0, this.filled))
      this.buffer = larger
    }
    this.buffer.set(chunk, this.filled)
    this.filled = needed
  }

  private consume(final: boolean): void {
    let at = 0
    if (!this.reader) {
      const opened = this.open(final)
      if (!opened) return
      this.reader = opened.reader
      at = opened.at
    }
    at = this.reader.consume(this.buffer, at, this.filled, this.base, final)
    this.buffer.copyWithin(0, at, this.filled)
    this.base += at
    this.filled -= at
  }

  /** Chooses the reader by the first line and returns where its rows start; undefined if the line is not complete. */
  private open(final: boolean): { reader: ListReader; at: number } | undefined {
    const { format, batchRows = BATCH_ROWS, maxReported = MAX_REPORTED } = this.options
    const { buffer, filled } = this
    const hasMark = filled >= 3 && buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf
    const start = hasMark ? 3 : 0
    const lineEnd = buffer.subarray(0, filled).indexOf(LF)
    if (lineEnd < 0 && !final && filled <= MAX_ROW_BYTES) return undefined
    const end = lineEnd < 0 ? filled : lineEnd
    const line = new TextDecoder().decode(buffer.subarray(start, Math.min(end, start + MAX_ROW_BYTES)))
    const { columns, isValid } = efuColumnsOf(line)
    const isEfu = format === 'efu' || (format === 'auto' && /(?:^|,)\s*"?Filename"?\s*(?:,|\r?$)/.test(line))
    if (!isEfu) {
      const collector = new RowCollector({ times: [], attributes: false }, batchRows, maxReported)
      return { reader: new TextReader(collector), at: start }
    }
    const collector = new RowCollector(listColumnsOf(columns), batchRows, maxReported)
    if (!isValid && end > start) collector.report(1, start, BadRowReason.header)
    const isOpen = lineEnd < 0 && !final
    return { reader: new EfuReader(collector, columns, isOpen ? 1 : 2, isOpen), at: Math.min(end + 1, filled) }
  }
}
