import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, rmSync, writevSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFileSync } from '@hotpath/platform'
import {
  ChangeLogLayout,
  contentLength,
  decodeLogHeader,
  decodeLogRecord,
  encodeLogHeader,
  encodeLogRecord,
  FileCipher,
  type LogFileHeader,
  type LogRecord,
  RecordFlag,
} from './log-file-format.js'

const { headerBytes, recordHeaderBytes } = ChangeLogLayout
/** One read takes so much at least where there is so much: small transactions are read many at a time. */
const WINDOW_BYTES = 65_536

export function logFileName(number: number): string {
  return `changes-${String(number).padStart(12, '0')}.log`
}

/**
 * One file of a log of changes. Whole transactions stand before `committed`; what is behind it is of one that is being written. It holds a descriptor
 * while it is written alone: a log may have hundreds of files, and few are read.
 */
export class LogFile {
  /** Bytes of whole transactions, the header included. */
  committed: number = headerBytes
  /** The last whole transaction in it, or the one before its first. */
  lastSequence: number
  /** When the last one was committed, milliseconds since 1970; of an empty file, when it was made. */
  lastAt: number
  #written: number = headerBytes
  #nextNumber = 1
  #synced = false
  #fd: number | undefined

  private constructor(
    readonly path: string,
    fd: number | undefined,
    readonly header: LogFileHeader,
    readonly cipher: FileCipher | undefined,
  ) {
    this.#fd = fd
    this.lastSequence = header.firstSequence - 1
    this.lastAt = header.created
  }

  /** A new file with its catalogue, whole or not there at all. Throws what the system says. */
  static create(
    directory: string,
    header: Pick<LogFileHeader, 'epoch' | 'number' | 'firstSequence' | 'created'>,
    catalogue: Uint8Array,
    key: Uint8Array | undefined,
  ): LogFile {
    const path = join(directory, logFileName(header.number))
    const salt = key && new Uint8Array(randomBytes(16))
    const cipher = key && salt && new FileCipher(key, salt)
    const whole = { ...header, ...(salt && cipher && { salt, keyCheck: cipher.keyCheck }) }
    const fd = openSync(`${path}.new`, 'w+', 0o600)
    const file = new LogFile(path, fd, whole, cipher)
    try {
      writeAll(fd, [encodeLogHeader(whole)], 0)
      file.write(RecordFlag.catalogue, header.firstSequence - 1, catalogue)
      file.commit(header.firstSequence - 1, header.created)
      replaceFileSync(`${path}.new`, path)
    } catch (error) {
      file.close()
      rmSync(`${path}.new`, { force: true })
      throw error
    }
    return file
  }

  /** A file that an earlier process wrote, to be read. Undefined where it is no such file, of another version, or of another key. */
  static open(directory: string, number: number, key: Uint8Array | undefined): LogFile | undefined {
    const path = join(directory, logFileName(number))
    const bytes = Buffer.alloc(headerBytes)
    const read = withDescriptor(path, 'r', fd => readAll(fd, bytes, 0))
    const header = read === headerBytes ? decodeLogHeader(bytes) : undefined
    const cipher = key && header?.salt && new FileCipher(key, header.salt)
    const fits =
      header !== undefined &&
      header.number === number &&
      (header.salt === undefined) === (key === undefined) &&
      (cipher === undefined || Buffer.compare(cipher.keyCheck, header.keyCheck ?? new Uint8Array()) === 0)
    return fits ? new LogFile(path, undefined, header, cipher) : undefined
  }

  get writtenBytes(): number {
    return this.#written
  }

  get isEmpty(): boolean {
    return this.lastSequence < this.header.firstSequence
  }

  /** Appends a record; it is not part of the file before `commit`. Throws what the system says, with the file as it was. */
  write(flags: number, sequence: number, content: Uint8Array): void {
    const record = { flags, number: this.#nextNumber++, sequence, content }
    this.#synced = false
    const at = this.#written
    this.#use('r+', fd => writeAll(fd, encodeLogRecord(record, this.cipher), at))
    this.#written += recordHeaderBytes + content.byteLength + (this.cipher ? 16 : 0)
  }

  /**
   * Appends records of which a reader after a kill finds all or none: the header of the first is written last, and without it the file ends before.
   * As `write`, but what was written stays behind the end if it throws, until `rollBack`.
   */
  writeTogether(records: readonly Pick<LogRecord, 'flags' | 'sequence' | 'content'>[]): void {
    this.#synced = false
    const encoded = records.map(record => encodeLogRecord({ ...record, number: this.#nextNumber++ }, this.cipher))
    const [first, ...rest] = encoded.flat()
    if (first === undefined) return
    const at = this.#written
    this.#use('r+', fd => {
      writeAll(fd, rest, at + first.byteLength)
      writeAll(fd, [first], at)
    })
    this.#written = rest.reduce((end, { byteLength }) => end + byteLength, at + first.byteLength)
  }

  /** What was written is whole now. */
  commit(sequence: number, at: number): void {
    this.committed = this.#written
    this.lastSequence = sequence
    this.lastAt = at
  }

  /** Takes back what was written since the last commit. */
  rollBack(): void {
    this.#written = this.committed
    this.#use('r+', fd => ftruncateSync(fd, this.committed))
  }

  /** Of a file that was opened: its whole transactions end here, and so does the file. */
  endsAt(offset: number, lastSequence: number, lastAt: number): void {
    this.commitTo(offset, lastSequence, lastAt)
    this.rollBack()
  }

  /** Of a file that was opened, and is whole up to here. */
  commitTo(offset: number, lastSequence: number, lastAt: number): void {
    this.committed = offset
    this.#written = offset
    this.lastSequence = lastSequence
    this.lastAt = lastAt
  }

  /** Everything committed outlives a loss of power afterwards. */
  sync(): void {
    if (this.#synced) return
    this.#use('r+', fsyncSync)
    this.#synced = true
  }

  /** Fills `target` with what stands at `position`, as far as there is something; how much that is. */
  read(target: Uint8Array, position: number): number {
    return this.#use('r', fd => readAll(fd, target, position))
  }

  /** It is not written any more, for now. */
  close(): void {
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== undefined) closeSync(fd)
  }

  remove(): void {
    this.close()
    rmSync(this.path, { force: true })
  }

  #use<T>(flags: 'r' | 'r+', work: (fd: number) => T): T {
    return this.#fd === undefined ? withDescriptor(this.path, flags, work) : work(this.#fd)
  }
}

function withDescriptor<T>(path: string, flags: 'r' | 'r+', work: (fd: number) => T): T {
  const fd = openSync(path, flags)
  try {
    return work(fd)
  } finally {
    closeSync(fd)
  }
}

/** Reads the records of a file one after the other. */
export class RecordReader {
  #window = Buffer.alloc(0)
  #windowAt = 0

  constructor(
    readonly file: LogFile,
    public offset: number = headerBytes,
  ) {}

  /**
   * The next record that ends at or before `end`; undefined if there is none that is whole and undamaged. `offset` is then where it stood before.
   * The content is the caller's.
   */
  next(end: number): LogRecord | undefined {
    const header = this.#bytes(recordHeaderBytes, end)
    const length = header && contentLength(header)
    if (header === undefined || length === undefined) return undefined
    const whole = this.#bytes(recordHeaderBytes + length, end)
    if (whole === undefined) return undefined
    const record = decodeLogRecord(whole, whole.subarray(recordHeaderBytes), this.file.cipher)
    if (record === undefined) return undefined
    this.offset += recordHeaderBytes + length
    return this.file.cipher ? record : { ...record, content: new Uint8Array(record.content) }
  }

  /** A view of the bytes at the offset; valid until the next call. */
  #bytes(count: number, end: number): Buffer | undefined {
    if (this.offset + count > end) return undefined
    const at = this.offset - this.#windowAt
    if (at >= 0 && at + count <= this.#window.length) return this.#window.subarray(at, at + count)
    const wanted = Math.max(count, Math.min(WINDOW_BYTES, end - this.offset))
    const window = Buffer.allocUnsafe(wanted)
    const read = this.file.read(window, this.offset)
    this.#window = window.subarray(0, read)
    this.#windowAt = this.offset
    return read < count ? undefined : this.#window.subarray(0, count)
  }
}

function writeAll(fd: number, buffers: readonly Uint8Array[], position: number): void {
  let rest = buffers.filter(buffer => buffer.byteLength > 0)
  let at = position
  while (rest.length > 0) {
    let written = writevSync(fd, rest, at)
    at += written
    const left: Uint8Array[] = []
    for (const buffer of rest) {
      if (written >= buffer.byteLength) written -= buffer.byteLength
      else {
        left.push(buffer.subarray(written))
        written = 0
      }
    }
    rest = left
  }
}

function readAll(fd: number, target: Uint8Array, position: number): number {
  let filled = 0
  while (filled < target.byteLength) {
    const read = readSync(fd, target, filled, target.byteLength - filled, position + filled)
    if (read === 0) break
    filled += read
  }
  return filled
}
