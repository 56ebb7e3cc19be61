import {
  type AccessColumn,
  type ChangeBatch,
  type ChangeColumns,
  CorruptFileError,
  type EntryColumns,
  InvalidInputError,
  Op,
  type RefColumn,
  TIME_COLUMNS,
  type TimeColumn,
  UnsupportedVersionError,
  unpairedBound,
} from '@hotpath/model'
import { crc32c } from './crc32c.js'
import { MAX_NAME_BYTES } from './names-block.js'

/** Layout: docs/formats/wal.md. All integers are little-endian. */
export const WAL_MAGIC = 'HPWAL\0\r\n'
/**
 * 1: first version.
 * 2: listings in parts (operations `listedFrom` and `listedBefore`). A reader of version 1 refuses the file.
 * 3: all names of a node (operation `named`). Readers of versions 1 and 2 refuse the file.
 * 4: who may list directories (bit 64 of the presence). Older readers refuse the file; readers of version 4 read all.
 */
export const WAL_VERSION = 4
const OLDEST_WAL_VERSION = 1
export const WAL_HEADER_SIZE = 48
export const WAL_RECORD_HEADER_SIZE = 12
/** What a record holds. On disk: never renumber. */
export const WalRecordType = { changes: 1 } as const
/** A directory of a million names listed in one batch takes about 100 MB; more is refused before anything is written. */
export const MAX_WAL_RECORD_BYTES = 256 * 1024 * 1024
/** Rows of one batch: the limit of the wire contract. */
export const MAX_BATCH_ROWS = 1_048_576
/** Bytes of a root id, source or boot id. */
export const MAX_ID_BYTES = 1024
/** Bytes looked at for a valid record after a bad one, so that a damaged file cannot cost minutes. */
const RESYNC_CRC_BYTES = 64 * 1024 * 1024

const FIELD = { magic: 0, version: 8, reserved: 12, number: 16, storeId: 24, reservedEnd: 40, crc: 44 } as const

export interface WalHeader {
  /** 1, 2, 3 … within the store. */
  readonly number: number
  /** 32 hexadecimal digits. */
  readonly storeId: string
}

export interface WalRecord {
  readonly type: number
  /** Offset of the content in the file. */
  readonly offset: number
  readonly content: Uint8Array
}

export interface WalContents {
  readonly header: WalHeader
  readonly records: WalRecord[]
  /** End of the last good record: what lies behind is cut or set aside. */
  readonly validEnd: number
  /** `torn`: nothing readable follows `validEnd` (an unfinished write); `damaged`: a good record does. */
  readonly ending: 'complete' | 'torn' | 'damaged'
}

/** Header of a WAL file, WAL_HEADER_SIZE bytes. */
export function encodeWalHeader(header: WalHeader): Uint8Array {
  const bytes = new Uint8Array(WAL_HEADER_SIZE)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < WAL_MAGIC.length; i++) bytes[i] = WAL_MAGIC.charCodeAt(i)
  view.setUint32(FIELD.version, WAL_VERSION, true)
  view.setBigUint64(FIELD.number, BigInt(header.number), true)
  for (let i = 0; i < 16; i++) bytes[FIELD.storeId + i] = Number.parseInt(header.storeId.slice(i * 2, i * 2 + 2), 16)
  view.setUint32(FIELD.crc, crc32c(bytes, 0, FIELD.crc), true)
  return bytes
}

/** @throws CorruptFileError, UnsupportedVersionError */
export function decodeWalHeader(bytes: Uint8Array, file: string): WalHeader {
  if (bytes.length < WAL_HEADER_SIZE) {
    throw new CorruptFileError(file, 0, `a header of ${WAL_HEADER_SIZE} bytes`, `${bytes.length} bytes`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let i = 0; i < WAL_MAGIC.length; i++) {
    if (bytes[i] !== WAL_MAGIC.charCodeAt(i))
      throw new CorruptFileError(file, i, 'the magic number of a log', `${bytes[i]}`)
  }
  const crc = crc32c(bytes, 0, FIELD.crc)
  if (view.getUint32(FIELD.crc, true) !== crc) {
    throw new CorruptFileError(file, FIELD.crc, `checksum ${crc}`, `${view.getUint32(FIELD.crc, true)}`)
  }
  const version = view.getUint32(FIELD.version, true)
  if (version < OLDEST_WAL_VERSION || version > WAL_VERSION) {
    const supported = `${OLDEST_WAL_VERSION} … ${WAL_VERSION}`
    throw new UnsupportedVersionError(`the log ${JSON.stringify(file)}`, version, supported)
  }
  let storeId = ''
  for (let i = 0; i < 16; i++) storeId += bytes[FIELD.storeId + i].toString(16).padStart(2, '0')
  return { number: Number(view.getBigUint64(FIELD.number, true)), storeId }
}

/** A whole record: header and content. @throws InvalidInputError above MAX_WAL_RECORD_BYTES */
export function encodeWalRecord(type: number, content: Uint8Array): Uint8Array {
  if (content.length > MAX_WAL_RECORD_BYTES) {
    throw new InvalidInputError('log record', `at most ${MAX_WAL_RECORD_BYTES} bytes`, `${content.length}`)
  }
  const bytes = new Uint8Array(WAL_RECORD_HEADER_SIZE + content.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, content.length, true)
  bytes[8] = type
  bytes.set(content, WAL_RECORD_HEADER_SIZE)
  view.setUint32(0, crc32c(bytes, 4), true)
  return bytes
}

/**
 * All good records of a WAL file up to the first bad one, and what the bad one is. Contents are views of `bytes`.
 * @throws CorruptFileError, UnsupportedVersionError if the header is bad
 */
export function readWal(bytes: Uint8Array, file: string): WalContents {
  const header = decodeWalHeader(bytes, file)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const records: WalRecord[] = []
  let at = WAL_HEADER_SIZE
  for (let end = recordEnd(bytes, view, at); end > 0; end = recordEnd(bytes, view, at)) {
    const offset = at + WAL_RECORD_HEADER_SIZE
    records.push({ type: bytes[at + 8], offset, content: bytes.subarray(offset, end) })
    at = end
  }
  const ending = at === bytes.length ? 'complete' : hasRecordAfter(bytes, view, at) ? 'damaged' : 'torn'
  return { header, records, validEnd: at, ending }
}

/** End of the good record at `at`, or 0. */
function recordEnd(bytes: Uint8Array, view: DataView, at: number): number {
  const end = recordFrameEnd(bytes, view, at)
  return end > 0 && crc32c(bytes, at + 4, end) === view.getUint32(at, true) ? end : 0
}

function recordFrameEnd(bytes: Uint8Array, view: DataView, at: number): number {
  if (at + WAL_RECORD_HEADER_SIZE > bytes.length) return 0
  if (bytes[at + 8] !== WalRecordType.changes || bytes[at + 9] + bytes[at + 10] + bytes[at + 11] !== 0) return 0
  const end = at + WAL_RECORD_HEADER_SIZE + view.getUint32(at + 4, true)
  return end <= bytes.length ? end : 0
}

function hasRecordAfter(bytes: Uint8Array, view: DataView, from: number): boolean {
  let budget = RESYNC_CRC_BYTES
  for (let at = from + 1; at + WAL_RECORD_HEADER_SIZE <= bytes.length && budget > 0; at++) {
    const end = recordFrameEnd(bytes, view, at)
    if (end === 0) continue
    if (recordEnd(bytes, view, at) > 0) return true
    budget -= end - at
  }
  // Out of budget: unknown counts as damage, which costs a scan but loses nothing.
  return budget <= 0
}

/** Bits of the presence word. */
const PRESENT = { modified: 1, changed: 2, created: 4, accessed: 8, attributes: 16, ref: 32, access: 64 } as const
const PRESENT_ALL = 127
/** How a column is written: one value for all rows, or every row's. */
const COLUMN_CONSTANT = 0
const COLUMN_PLAIN = 1

/** Checks what the type system cannot: lengths of columns, ranges of ops and kinds, names. @throws InvalidInputError */
export function checkChangeBatch(batch: ChangeBatch): void {
  const { changes } = batch
  const { entries } = changes
  const { count } = entries
  const need = (what: string, ok: boolean, expected: string, found: unknown): void => {
    if (!ok) throw new InvalidInputError(`change batch: ${what}`, expected, String(found))
  }
  need('count', Number.isInteger(count) && count >= 0 && count <= MAX_BATCH_ROWS, `0 … ${MAX_BATCH_ROWS}`, count)
  need('sequence', Number.isSafeInteger(batch.sequence) && batch.sequence > 0, 'a positive integer', batch.sequence)
  for (const field of ['root', 'source', 'bootId'] as const) {
    const length = new TextEncoder().encode(batch[field]).length
    need(field, length <= MAX_ID_BYTES, `at most ${MAX_ID_BYTES} bytes`, length)
  }
  const columns: [string, ArrayLike<number> | undefined][] = [
    ['op', changes.op],
    ['observed', changes.observed],
    ['kind', entries.kind],
    ['size', entries.size],
    ['attributes', entries.attributes],
    ...refColumns('parentRef', changes.parentRef),
    ['mode', entries.access?.mode],
    ['user', entries.access?.user],
    ['group', entries.access?.group],
    ...(entries.ref ? refColumns('ref', entries.ref) : []),
  ]
  for (const name of TIME_COLUMNS)
    columns.push([`${name} seconds`, entries[name]?.seconds], [`${name} ticks`, entries[name]?.ticks])
  for (const [name, column] of columns) {
    if (column) need(name, column.length === count, `${count} values`, column.length)
  }
  const { nameOffsets, names } = entries
  need(
    'name offsets',
    nameOffsets.length === count + 1 && nameOffsets[0] === 0,
    `${count + 1} offsets from 0`,
    nameOffsets.length,
  )
  for (let i = 0; i < count; i++) {
    need('op', changes.op[i] <= Op.named, `0 … ${Op.named}`, changes.op[i])
    need('kind', entries.kind[i] <= 3, '0 … 3', entries.kind[i])
    const length = nameOffsets[i + 1] - nameOffsets[i]
    need('name length', length >= 0 && length <= MAX_NAME_BYTES, `0 … ${MAX_NAME_BYTES}`, length)
    need('name', changes.op[i] >= Op.listed || length > 0 || isOfRoot(changes, i), 'a name', 'none')
    need('observed', changes.observed[i] >= 0, 'a time', changes.observed[i])
  }
  const unpaired = unpairedBound(changes)
  need('part of a listing', unpaired < 0, 'two bounds of one directory and time', `one in row ${unpaired}`)
  need('names', nameOffsets[count] === names.length, `${nameOffsets[count]} bytes`, names.length)
  for (let i = 0; i < names.length; i++) need('name', names[i] !== 0 && names[i] !== 47, 'no NUL and no /', names[i])
}

function refColumns(name: string, ref: RefColumn): [string, ArrayLike<number>][] {
  return [
    [`${name} low`, ref.low],
    [`${name} high`, ref.high],
    [`${name} birth`, ref.birth],
  ]
}

/** Content of a `changes` record. The batch must have passed checkChangeBatch. */
export function encodeChangeBatch(batch: ChangeBatch): Uint8Array {
  const { changes } = batch
  const { entries } = changes
  const { count } = entries
  const out = new ByteWriter(256 + count * 64 + entries.names.length)
  out.text(batch.root)
  out.text(batch.source)
  out.text(batch.bootId)
  out.u64(batch.sequence)
  out.u32(count)
  let present = 0
  for (const name of TIME_COLUMNS) if (entries[name]) present |= PRESENT[name]
  if (entries.attributes) present |= PRESENT.attributes
  if (entries.ref) present |= PRESENT.ref
  if (entries.access) present |= PRESENT.access
  out.u32(present)
  out.column(changes.op)
  out.column(changes.observed)
  writeRef(out, changes.parentRef)
  out.column(entries.kind)
  const lengths = new Uint16Array(count)
  for (let i = 0; i < count; i++) lengths[i] = entries.nameOffsets[i + 1] - entries.nameOffsets[i]
  out.column(lengths)
  out.bytes(entries.names)
  out.column(entries.size)
  for (const name of TIME_COLUMNS) {
    const time = entries[name]
    if (!time) continue
    out.column(time.seconds)
    out.column(time.ticks)
  }
  if (entries.attributes) out.column(entries.attributes)
  if (entries.ref) writeRef(out, entries.ref)
  if (entries.access) {
    out.column(entries.access.mode)
    out.column(entries.access.user)
    out.column(entries.access.group)
  }
  return out.finish()
}

function writeRef(out: ByteWriter, ref: RefColumn): void {
  out.column(ref.low)
  out.column(ref.high)
  out.column(ref.birth)
}

/**
 * The batch in a record's content; columns are copies.
 * @throws CorruptFileError with the offset in `file`, where the content begins at `offset`
 */
export function decodeChangeBatch(content: Uint8Array, file: string, offset: number): ChangeBatch {
  const input = new ByteReader(content, file, offset)
  const root = input.text('root')
  const source = input.text('source')
  const bootId = input.text('boot id')
  const sequence = input.u64('sequence')
  const count = input.u32('count')
  if (count > MAX_BATCH_ROWS) throw input.corrupt(`at most ${MAX_BATCH_ROWS} rows`, `${count}`)
  const present = input.u32('presence')
  if (present > PRESENT_ALL) throw input.corrupt('known columns', `${present}`)
  const op = input.column(count, n => new Uint8Array(n))
  const observed = input.column(count, n => new Float64Array(n))
  const parentRef = readRef(input, count)
  const kind = input.column(count, n => new Uint8Array(n))
  const lengths = input.column(count, n => new Uint16Array(n))
  const nameOffsets = new Uint32Array(count + 1)
  for (let i = 0; i < count; i++) nameOffsets[i + 1] = nameOffsets[i] + lengths[i]
  const names = input.bytes(nameOffsets[count])
  const size = input.column(count, n => new Float64Array(n))
  const times: Partial<Record<(typeof TIME_COLUMNS)[number], TimeColumn>> = {}
  for (const name of TIME_COLUMNS) {
    if ((present & PRESENT[name]) === 0) continue
    const seconds = input.column(count, n => new Float64Array(n))
    times[name] = { seconds, ticks: input.column(count, n => new Uint32Array(n)) }
  }
  const attributes = present & PRESENT.attributes ? input.column(count, n => new Uint32Array(n)) : undefined
  const ref = present & PRESENT.ref ? readRef(input, count) : undefined
  const access = present & PRESENT.access ? readAccess(input, count) : undefined
  input.end()
  const none = new Uint32Array(count)
  const entries: EntryColumns = {
    count,
    parent: none,
    directory: none,
    kind,
    nameOffsets,
    names,
    size,
    ...times,
    ...(attributes && { attributes }),
    ...(ref && { ref }),
    ...(access && { access }),
  }
  const batch: ChangeBatch = { root, source, sequence, bootId, changes: { op, parentRef, entries, observed } }
  requireWritable(batch, file, offset)
  return batch
}

/**
 * What was never let in must not come in from here either: a name that is too long, say, would go through the view and then
 * fail every flush.
 */
function requireWritable(batch: ChangeBatch, file: string, offset: number): void {
  try {
    checkChangeBatch(batch)
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    throw new CorruptFileError(file, offset, `${error.what}: ${error.expected}`, error.found, { cause: error })
  }
}

function readAccess(input: ByteReader, count: number): AccessColumn {
  const mode = input.column(count, n => new Uint32Array(n))
  const user = input.column(count, n => new Uint32Array(n))
  return { mode, user, group: input.column(count, n => new Uint32Array(n)) }
}

function readRef(input: ByteReader, count: number): RefColumn {
  const low = input.column(count, n => new Uint32Array(n))
  const high = input.column(count, n => new Uint32Array(n))
  return { low, high, birth: input.column(count, n => new Uint32Array(n)) }
}

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array

class ByteWriter {
  private buffer: Uint8Array
  private at = 0

  constructor(capacity: number) {
    this.buffer = new Uint8Array(capacity)
  }

  private room(bytes: number): number {
    const start = this.at
    this.at += bytes
    if (this.at > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.at, this.buffer.length * 2))
      larger.set(this.buffer.subarray(0, start))
      this.buffer = larger
    }
    return start
  }

  u32(value: number): void {
    const at = this.room(4)
    new DataView(this.buffer.buffer).setUint32(at, value, true)
  }

  u64(value: number): void {
    const at = this.room(8)
    new DataView(this.buffer.buffer).setBigUint64(at, BigInt(value), true)
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value)
    const at = this.room(2)
    new DataView(this.buffer.buffer).setUint16(at, encoded.length, true)
    this.bytes(encoded)
  }

  bytes(value: Uint8Array): void {
    const at = this.room(value.length)
    this.buffer.set(value, at)
  }

  column(values: Column): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    const width = values.BYTES_PER_ELEMENT
    const constant = values.length > 0 && isConstant(bytes, width)
    const at = this.room(1)
    this.buffer[at] = constant ? COLUMN_CONSTANT : COLUMN_PLAIN
    this.bytes(constant ? bytes.subarray(0, width) : bytes)
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.at)
  }
}

/** Compared as bytes: NaN equals itself, 0 differs from -0. */
function isConstant(bytes: Uint8Array, width: number): boolean {
  for (let i = width; i < bytes.length; i++) if (bytes[i] !== bytes[i - width]) return false
  return true
}

class ByteReader {
  private at = 0
  private readonly view: DataView

  constructor(
    private readonly content: Uint8Array,
    private readonly file: string,
    private readonly offset: number,
  ) {
    this.view = new DataView(content.buffer, content.byteOffset, content.length)
  }

  corrupt(expected: string, found: string): CorruptFileError {
    return new CorruptFileError(this.file, this.offset + this.at, expected, found)
  }

  private take(bytes: number, what: string): number {
    const start = this.at
    if (bytes > this.content.length - start)
      throw this.corrupt(`${bytes} bytes of ${what}`, `${this.content.length - start}`)
    this.at += bytes
    return start
  }

  u32(what: string): number {
    return this.view.getUint32(this.take(4, what), true)
  }

  u64(what: string): number {
    const value = Number(this.view.getBigUint64(this.take(8, what), true))
    if (!Number.isSafeInteger(value)) throw this.corrupt(`${what} below 2^53`, `${value}`)
    return value
  }

  text(what: string): string {
    const length = this.view.getUint16(this.take(2, what), true)
    const start = this.take(length, what)
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        this.content.subarray(start, start + length),
      )
    } catch {
      throw this.corrupt(`${what} in UTF-8`, 'other bytes')
    }
  }

  bytes(length: number): Uint8Array {
    const start = this.take(length, 'names')
    return new Uint8Array(this.content.subarray(start, start + length))
  }

  column<T extends Column>(count: number, create: (count: number) => T): T {
    const tag = this.content[this.take(1, 'a column')]
    if (tag !== COLUMN_CONSTANT && tag !== COLUMN_PLAIN) throw this.corrupt('a column encoding', `${tag}`)
    const width = create(0).BYTES_PER_ELEMENT
    const length = tag === COLUMN_CONSTANT ? width : count * width
    const start = this.take(length, 'a column')
    const values = create(count)
    const target = new Uint8Array(values.buffer)
    if (tag === COLUMN_PLAIN) target.set(this.content.subarray(start, start + length))
    else for (let i = 0; i < target.length; i++) target[i] = this.content[start + (i % width)]
    return values
  }

  end(): void {
    if (this.at !== this.content.length)
      throw this.corrupt('the end of the record', `${this.content.length - this.at} more bytes`)
  }
}

/** The root itself has no parent, and its name is not news. */
function isOfRoot({ op, parentRef }: ChangeColumns, i: number): boolean {
  return op[i] === Op.present && parentRef.low[i] === 0 && parentRef.high[i] === 0 && parentRef.birth[i] === 0
}
