import { CorruptFileError } from '@hotpath/model'
import { type ReadRequest, SPARSE, type Stream } from '@hotpath/ntfs'
import type { RawVolume } from './raw-file.js'

/** An image, a device or a volume of Windows that is read. */
export class VolumeFile {
  readonly #raw: RawVolume

  /**
   * @param path for messages
   * @param raw what is read; closed with this
   */
  constructor(
    readonly path: string,
    raw: RawVolume,
  ) {
    this.#raw = raw
  }

  /** Reads a range whole. Throws CorruptFileError where the file ends before it does. */
  read(request: ReadRequest): Uint8Array {
    const bytes = new Uint8Array(request.length)
    this.#fill(bytes, request.offset)
    return bytes
  }

  /** Reads a part of a stream to the beginning of `into`; zeros where nothing is stored. Returns the bytes that are filled. */
  readStream(stream: Stream, from: number, length: number, into: Uint8Array): number {
    let at = 0
    for (const range of stream.ranges(from, length)) {
      const part = into.subarray(at, at + range.length)
      if (range.offset === SPARSE) part.fill(0)
      else this.#fill(part, range.offset)
      at += range.length
    }
    return at
  }

  close(): void {
    this.#raw.close()
  }

  #fill(bytes: Uint8Array, offset: number): void {
    for (let at = 0; at < bytes.length; ) {
      const count = this.#raw.read(offset + at, bytes.subarray(at))
      if (count === 0) {
        const expected = `${bytes.length} bytes from ${offset} on`
        throw new CorruptFileError(this.path, offset + at, expected, 'the end of the file')
      }
      at += count
    }
  }
}
