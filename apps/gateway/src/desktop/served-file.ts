import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { NotFoundError } from '../http/failure-reply.js'

/** Bytes from `start` to before `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A regular file, opened for reading. To be closed, or read to its end. */
export class ServedFile {
  private constructor(
    private readonly handle: FileHandle,
    readonly sizeBytes: number,
    readonly modifiedMs: number,
  ) {}

  /**
   * Opens a file without following a link in its last component, and without waiting for a pipe or a device.
   * @throws NotFoundError for what is not there, no regular file, or may not be read
   */
  static async open(path: Uint8Array): Promise<ServedFile> {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants
    let handle: FileHandle
    try {
      handle = await open(Buffer.from(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    } catch (cause) {
      throw new NotFoundError('no file of that name can be read on this machine', { cause })
    }
    const stat = await handle.stat()
    if (!stat.isFile()) {
      await handle.close()
      throw new NotFoundError('that is no regular file')
    }
    return new ServedFile(handle, stat.size, stat.mtimeMs)
  }

  /** Closes the file when the stream ends, or nobody wants it. */
  read({ start, end }: ByteRange): ReadableStream<Uint8Array> {
    if (start === end) {
      void this.close()
      return new Blob([]).stream()
    }
    const stream = this.handle.createReadStream({ start, end: end - 1, autoClose: true })
    return Readable.toWeb(stream) as ReadableStream<Uint8Array>
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

/**
 * The range of a `Range` header (RFC 9110, 14): `undefined` for none, for another unit, and for several ranges, which a server may
 * answer with all; `unsatisfiable` where it begins behind the end.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes)
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes }
  }
  const start = Number(first)
  const end = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes)
  if (last !== '' && Number(last) < start) return undefined
  return start >= sizeBytes ? 'unsatisfiable' : { start, end }
}
