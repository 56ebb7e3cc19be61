import { FILETIME_EPOCH_SECONDS, Kind } from '@hotpath/model'
import { ATTRIBUTE_LETTERS } from './efu-fields.js'
import { attributesOfKind, LIST_TIMES, type ListTime } from './row-values.js'

const SLASH = 0x2f
const BACKSLASH = 0x5c
const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d

/** A time as the columns of the model have it. */
export interface RowTime {
  /** Seconds since 1970, NaN where unknown. */
  readonly seconds: number
  /** 100 ns ticks within the second. */
  readonly ticks: number
}

/** A row to be written. */
export interface ListRow extends Partial<Readonly<Record<ListTime, RowTime>>> {
  /**
   * Path with `/` between components (`/a/b`, `C:/a`, `\\srv/share`), or with `\` as Windows has them; `/` or nothing is the
   * directory `/`.
   */
  readonly path: Uint8Array
  readonly kind: Kind
  /** Bytes, NaN where unknown. */
  readonly size: number
  /** Attribute bits of Windows, if known; the bits of the kind are corrected. */
  readonly attributes?: number
}

export interface ListWriterOptions {
  /**
   * `efu`: what Everything writes. `csv`: the same columns with ISO 8601 dates (UTC) and attribute letters, which `ListParser` reads
   * as well. `text`: a path on each line, directories with a separator at the end.
   */
  readonly format: 'efu' | 'csv' | 'text'
  /** Time columns of `efu` and `csv`; default modified and created. */
  readonly times?: readonly ListTime[]
}

const HEADINGS: Readonly<Record<ListTime, string>> = {
  modified: 'Date Modified',
  created: 'Date Created',
  accessed: 'Date Accessed',
}

/**
 * Writes rows as a list. What `ListParser` reads back is the same paths, kinds and values, but for times before 1601 or
 * after year 9999 (csv) or 30828 (efu), which are written as unknown, and empty attributes of files, which become "normal".
 * Paths that begin with a drive or a UNC server are written with backslashes. Every line ends in CR LF, of text in LF.
 */
export class ListWriter {
  private bytes = new Uint8Array(65_536)
  private length = 0
  private readonly times: readonly ListTime[]

  constructor(private readonly options: ListWriterOptions) {
    this.times =
      options.format === 'text' ? [] : LIST_TIMES.filter(t => (options.times ?? LIST_TIMES.slice(0, 2)).includes(t))
    if (options.format !== 'text') {
      this.putText(`${['Filename', 'Size', ...this.times.map(time => HEADINGS[time]), 'Attributes'].join(',')}\r\n`)
    }
  }

  /**
   * Adds a row. False, and nothing is written, if the format cannot hold its path: plain text has no way to write a line feed, or a
   * carriage return at the end.
   */
  add(row: ListRow): boolean {
    const { format } = this.options
    if (format === 'text') return this.addLine(row)
    this.putByte(QUOTE)
    this.putPath(row.path, true)
    this.putByte(QUOTE)
    const size = Number.isNaN(row.size) ? '' : String(row.size)
    const times = this.times.map(time => (format === 'efu' ? fileTime(row[time]) : isoTime(row[time])))
    const bits = attributesOfKind(row.kind, row.attributes ?? 0)
    this.putText(`,${[size, ...times, format === 'efu' ? String(bits) : attributeLetters(bits)].join(',')}\r\n`)
    return true
  }

  /** Bytes since the last call, as an array of the caller's own. */
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.length)
    this.length = 0
    return taken
  }

  /** Bytes that `take` would return now. */
  get pendingBytes(): number {
    return this.length
  }

  private addLine({ path, kind }: ListRow): boolean {
    const isDirectory = kind === Kind.directory
    if (path.includes(LF) || (!isDirectory && path.at(-1) === CR)) return false
    // A byte order mark at the start of a list would be taken for one.
    if (path[0] === 0xef) this.putText('./')
    this.putPath(path, false)
    const isRoot = path.length === 1 && path[0] === SLASH
    if (isDirectory && !isRoot) this.putByte(isWindowsPath(path) ? BACKSLASH : SLASH)
    this.putByte(LF)
    return true
  }

  private putPath(path: Uint8Array, quoted: boolean): void {
    const windows = isWindowsPath(path)
    // The directory of absolute paths has an empty name.
    if (path.length === 0 && quoted) this.putByte(SLASH)
    this.reserve(2 * path.length)
    for (const byte of path) {
      this.bytes[this.length++] = windows && byte === SLASH ? BACKSLASH : byte
      if (quoted && byte === QUOTE) this.bytes[this.length++] = QUOTE
    }
  }

  private putText(text: string): void {
    this.reserve(text.length)
    for (let i = 0; i < text.length; i++) this.bytes[this.length++] = text.charCodeAt(i)
  }

  private putByte(byte: number): void {
    this.reserve(1)
    this.bytes[this.length++] = byte
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.length + count, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}

function isWindowsPath(path: Uint8Array): boolean {
  if (path[0] === BACKSLASH && path[1] === BACKSLASH) return true
  const letter = (path[0] ?? 0) | 0x20
  return (
    letter >= 0x61 &&
    letter <= 0x7a &&
    path[1] === 0x3a &&
    (path.length === 2 || path[2] === SLASH || path[2] === BACKSLASH)
  )
}

function fileTime(time: RowTime | undefined): string {
  if (!time || Number.isNaN(time.seconds)) return ''
  const seconds = time.seconds + FILETIME_EPOCH_SECONDS
  // 0 would be read as unknown, and a FILETIME ends at 2^63.
  if (seconds < 0 || seconds >= 922_337_203_685 || (seconds === 0 && time.ticks === 0)) return ''
  return String(seconds) + String(time.ticks).padStart(7, '0')
}

function isoTime(time: RowTime | undefined): string {
  if (!time || Number.isNaN(time.seconds)) return ''
  // From the year 1601, as in EFU, to the end of year 9999.
  if (time.seconds < -FILETIME_EPOCH_SECONDS || time.seconds >= 253_402_300_800) return ''
  const whole = new Date(time.seconds * 1000).toISOString().slice(0, 19)
  return time.ticks === 0 ? `${whole}Z` : `${whole}.${String(time.ticks).padStart(7, '0')}Z`
}

/** Bits as letters; those that have none are lost. */
function attributeLetters(bits: number): string {
  // A device has no letter; without one the row would say nothing about its kind.
  const letters = Object.keys(ATTRIBUTE_LETTERS).filter(letter => bits & ATTRIBUTE_LETTERS[letter]!)
  return letters.length > 0 && !(bits & 0x40) ? letters.join('') : `0x${bits.toString(16)}`
}
