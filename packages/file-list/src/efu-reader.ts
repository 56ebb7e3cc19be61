import { BadRowReason, MAX_ROW_BYTES } from './bad-row.js'
import { readAttributes, readDate, readSize } from './efu-fields.js'
import type { ListColumns } from './entry-batch.js'
import type { ListReader, RowCollector } from './row-collector.js'
import { kindOfAttributes, LIST_TIMES, RowValues } from './row-values.js'

const LF = 0x0a
const CR = 0x0d
const QUOTE = 0x22
const COMMA = 0x2c

/** What a column holds; `null` columns are ignored. */
export type EfuColumn = 'path' | 'size' | 'attributes' | 'modified' | 'created' | 'accessed' | null

const COLUMN_NAMES: Readonly<Record<string, EfuColumn>> = {
  filename: 'path',
  size: 'size',
  'date modified': 'modified',
  'date created': 'created',
  'date accessed': 'accessed',
  attributes: 'attributes',
}
/** Columns that Everything writes, for lists whose header is damaged. */
const USUAL_COLUMNS: readonly EfuColumn[] = ['path', 'size', 'modified', 'created', 'attributes']

/**
 * Columns that a header line names, in any case; undefined if there is no `Filename` among them. Of a column that is named
 * twice the first counts.
 */
export function readEfuHeader(line: string): readonly EfuColumn[] | undefined {
  const seen = new Set<EfuColumn>()
  const columns = line.split(',').map(field => {
    const name = field
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .toLowerCase()
    const column = Object.hasOwn(COLUMN_NAMES, name) ? COLUMN_NAMES[name]! : null
    if (column === null || seen.has(column)) return null
    seen.add(column)
    return column
  })
  return seen.has('path') ? columns : undefined
}

/** Which optional columns the entries of a list with this header have. */
export function listColumnsOf(columns: readonly EfuColumn[]): ListColumns {
  return { times: LIST_TIMES.filter(time => columns.includes(time)), attributes: columns.includes('attributes') }
}

/** What a header gives: its columns, or the usual ones if it is no header. */
export function efuColumnsOf(header: string): { columns: readonly EfuColumn[]; isValid: boolean } {
  const columns = readEfuHeader(header)
  return { columns: columns ?? USUAL_COLUMNS, isValid: columns !== undefined }
}

/** The record does not end in the bytes at hand. */
const OPEN = -1
/** The quotes of the record make no sense. */
const MALFORMED = -2
/** A record with its line end. */
const MAX_RECORD_BYTES = MAX_ROW_BYTES + 2

/** The rows of an EFU list behind its header (docs/formats/efu.md). */
export class EfuReader implements ListReader {
  private readonly values = new RowValues()
  private readonly starts: Int32Array
  private readonly ends: Int32Array
  private readonly scratch = new Uint8Array(MAX_RECORD_BYTES)
  private readonly pathColumn: number
  /** Of the record read last: fields, line ends inside quotes, and whether its path has doubled quotes. */
  private fields = 0
  private innerLines = 0
  private pathHasQuotes = false
  /** Where reading a record that is open or malformed stopped. */
  private stopped = 0

  /**
   * @param line number of the line on which the bytes to come start
   * @param skipping the rest of that line is not a row
   */
  constructor(
    readonly collector: RowCollector,
    private readonly columns: readonly EfuColumn[],
    private line: number,
    private skipping: boolean,
  ) {
    // One more, to see that a row has more fields than the header.
    this.starts = new Int32Array(columns.length + 1)
    this.ends = new Int32Array(columns.length + 1)
    this.pathColumn = columns.indexOf('path')
  }

  consume(bytes: Uint8Array, from: number, to: number, base: number, final: boolean): number {
    let at = from
    while (at < to) {
      if (this.skipping) {
        const end = bytes.indexOf(LF, at)
        if (end < 0 || end >= to) return to
        this.skipping = false
        this.line++
        at = end + 1
        continue
      }
      const next = this.readRecord(bytes, at, to, final)
      if ((next >= 0 ? next : this.stopped) - at > MAX_RECORD_BYTES) {
        this.collector.report(this.line, base + at, BadRowReason.rowTooLong)
        this.skipping = true
      } else if (next === OPEN) {
        return at
      } else if (next === MALFORMED) {
        // Only the first line is lost: a stray quote must not swallow the rows behind it.
        this.collector.report(this.line, base + at, BadRowReason.quote)
        this.skipping = true
      } else {
        this.addRecord(bytes, base + at)
        this.line += 1 + this.innerLines
        at = next
      }
    }
    return to
  }

  /**
   * Finds the fields of the record at `from` and returns where the next record starts, or OPEN or MALFORMED with `stopped`
   * set.
   */
  private readRecord(bytes: Uint8Array, from: number, to: number, final: boolean): number {
    const { starts, ends, pathColumn } = this
    const last = starts.length - 1
    let field = 0
    let at = from
    this.innerLines = 0
    this.pathHasQuotes = false
    for (;;) {
      let start = at
      let end: number
      if (at < to && bytes[at] === QUOTE) {
        start = ++at
        for (;;) {
          while (at < to && bytes[at] !== QUOTE) {
            if (bytes[at] === LF) this.innerLines++
            at++
          }
          if (at >= to) return this.stop(to, final ? MALFORMED : OPEN)
          if (at + 1 >= to && !final) return this.stop(to, OPEN)
          if (at + 1 >= to || bytes[at + 1] !== QUOTE) break
          if (field === pathColumn) this.pathHasQuotes = true
          at += 2
        }
        end = at++
      } else {
        while (at < to && bytes[at] !== COMMA && bytes[at] !== LF) at++
        if (at >= to && !final) return this.stop(to, OPEN)
        end = at
        if ((at >= to || bytes[at] === LF) && end > start && bytes[end - 1] === CR) end--
      }
      if (field <= last) {
        starts[field] = start
        ends[field] = end
        // A separator behind the last column is no field.
        if (field < last || end > start) this.fields = field + 1
      }
      field++
      if (at >= to) return to
      const byte = bytes[at]!
      if (byte === COMMA) {
        at++
        continue
      }
      if (byte === LF) return at + 1
      if (byte !== CR) return this.stop(at, MALFORMED)
      if (at + 1 >= to) return final ? to : this.stop(to, OPEN)
      return bytes[at + 1] === LF ? at + 2 : this.stop(at, MALFORMED)
    }
  }

  private stop(at: number, why: number): number {
    this.stopped = at
    return why
  }

  private addRecord(bytes: Uint8Array, offset: number): void {
    const { collector, line, values, pathColumn } = this
    const isBlank = this.fields === 1 && this.starts[0] === this.ends[0]
    if (isBlank) return
    const wrong = this.readValues(bytes)
    if (wrong) {
      collector.report(line, offset, wrong)
      return
    }
    const start = this.starts[pathColumn]!
    const end = this.ends[pathColumn]!
    if (this.pathHasQuotes) {
      collector.add(this.scratch, 0, this.unquote(bytes, start, end), values, line, offset)
    } else {
      collector.add(bytes, start, end, values, line, offset)
    }
  }

  private readValues(bytes: Uint8Array): BadRowReason | undefined {
    const { fields, columns } = this
    if (fields > columns.length) return BadRowReason.tooManyFields
    if (fields <= this.pathColumn) return BadRowReason.emptyPath
    this.values.clear()
    for (let field = 0; field < fields; field++) {
      const wrong = this.readValue(bytes, columns[field]!, this.starts[field]!, this.ends[field]!)
      if (wrong) return wrong
    }
    return undefined
  }

  private readValue(bytes: Uint8Array, column: EfuColumn, start: number, end: number): BadRowReason | undefined {
    const { values } = this
    switch (column) {
      case 'path':
      case null:
        return undefined
      case 'size':
        values.size = readSize(bytes, start, end)
        return values.size < 0 ? BadRowReason.size : undefined
      case 'attributes': {
        if (start === end) return undefined
        const attributes = readAttributes(bytes, start, end)
        if (attributes < 0) return BadRowReason.attributes
        values.attributes = attributes
        values.kind = kindOfAttributes(attributes)
        return undefined
      }
      default:
        return readDate(bytes, start, end, values, LIST_TIMES.indexOf(column)) ? undefined : BadRowReason.date
    }
  }

  /** Copies the field with `""` as `"` and returns its length. */
  private unquote(bytes: Uint8Array, start: number, end: number): number {
    const { scratch } = this
    let length = 0
    for (let i = start; i < end; i++) {
      scratch[length++] = bytes[i]!
      if (bytes[i] === QUOTE) i++
    }
    return length
  }
}
