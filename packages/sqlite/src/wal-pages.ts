import { HotpathError } from '@hotpath/model'
import { uint32At } from './big-endian.js'
import type { FrameTable } from './frame-table.js'
import type { PageSet } from './page-source.js'
import { FRAME_HEADER_BYTES, frameOffset, type WalHeader } from './wal-header.js'
import type { ByteSource } from './wal-reader.js'

/** A frame that was checked is another now: the log started again from its beginning. */
export class LogOverwrittenError extends HotpathError {
  readonly code = 'LOG_OVERWRITTEN'
  constructor(
    readonly file: string,
    readonly frame: number,
  ) {
    super(`frame ${frame} of ${JSON.stringify(file)} was overwritten since it was read`)
  }
}

/**
 * The pages of a commit, read from the log when they are asked for, as they are in the file: those of an encrypted database are encrypted.
 *
 * @throws LogOverwrittenError on reading a frame that has another page or other salts by now. A page that is being overwritten at that very moment can
 * be half of each: whoever uses it looks afterwards whether the index of the log still has the same salts.
 */
export class WalPages implements PageSet {
  constructor(
    readonly source: ByteSource,
    readonly header: WalHeader,
    readonly frames: FrameTable,
  ) {}

  has(no: number): boolean {
    return this.frames.frameOf(no) !== 0
  }

  get(no: number): Uint8Array | undefined {
    const frame = this.frames.frameOf(no)
    if (frame === 0) return undefined
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + this.header.pageSize)
    const read = this.source.read(frameOffset(this.header, frame), bytes)
    const same =
      read === bytes.length &&
      uint32At(bytes, 0) === no &&
      uint32At(bytes, 8) === this.header.salt1 &&
      uint32At(bytes, 12) === this.header.salt2
    if (!same) throw new LogOverwrittenError(this.source.file, frame)
    return bytes.subarray(FRAME_HEADER_BYTES)
  }
}
