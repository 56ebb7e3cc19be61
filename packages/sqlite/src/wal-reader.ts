import { uint32At } from './big-endian.js'
import { FrameCollector, type FrameTable } from './frame-table.js'
import { addChecksum, type Checksum, sameChecksum } from './wal-checksum.js'
import { FRAME_HEADER_BYTES, frameOffset, type WalHeader } from './wal-header.js'

/** What is read at once: large enough that calls do not count, small beside a page cache. */
const READ_BYTES = 1024 * 1024

/** The bytes of a file, read when they are asked for. */
export interface ByteSource {
  readonly file: string
  /** Fills `target` from `offset`. @returns how many bytes there were; fewer than asked for only at the end of the file */
  read(offset: number, target: Uint8Array): number
}

/** Up to where a log was taken: after which frame, and what the checksum of the next goes on from. */
export interface WalPosition {
  /** 0 before the first frame. */
  readonly frame: number
  readonly checksum: Checksum
}

/** A transaction in the log. */
export interface WalCommit {
  readonly kind: 'commit'
  readonly firstFrame: number
  readonly lastFrame: number
  /** Pages of the database afterwards. */
  readonly pageCount: number
  /** The newest frame of each page that it wrote. */
  readonly frames: FrameTable
}

/** Why no further commit was taken. */
export interface WalEnd {
  readonly kind: 'end'
  /**
   * `limit`: up to `mxFrame` all is taken. `short`: the file ends before the frame does. `salt`: the frame is of an older or a newer log.
   * `checksum`: its bytes are not those that were committed. `page`: it has no page number.
   */
  readonly why: 'limit' | 'short' | 'salt' | 'checksum' | 'page'
  /** The frame that was not taken. */
  readonly frame: number
  /** Frames before it that belong to no commit yet, and will be read again. */
  readonly uncommitted: number
}

/** Reads commits from a log, each frame checked, one after the other. Holds eight bytes for each frame of one commit, and 1 MiB. */
export class WalReader {
  #position: WalPosition
  #buffer: Uint8Array
  /** Which frames the buffer has: from this one, so many. */
  #buffered = { first: 1, count: 0 }

  /** @param position where an earlier reader of the same log stopped */
  constructor(
    readonly source: ByteSource,
    readonly header: WalHeader,
    position?: WalPosition,
  ) {
    this.#position = position ?? { frame: 0, checksum: header.checksum }
    const frameBytes = FRAME_HEADER_BYTES + header.pageSize
    this.#buffer = new Uint8Array(Math.floor(READ_BYTES / frameBytes) * frameBytes)
  }

  /** After the last commit that was returned. */
  get position(): WalPosition {
    return this.#position
  }

  /**
   * The next commit of those that end at or before frame `mxFrame`. After `end` it can be asked again, when there may be more.
   *
   * @param mxFrame what the index of the log says is published: nothing behind it is believed
   */
  next(mxFrame: number): WalCommit | WalEnd {
    this.#buffered.count = 0
    const { header } = this
    const frames = new FrameCollector()
    let { frame, checksum } = this.#position
    const end = (why: WalEnd['why']): WalEnd => ({ kind: 'end', why, frame: frame + 1, uncommitted: frames.count })
    while (frame < mxFrame) {
      const at = this.#fill(frame + 1, mxFrame)
      if (at < 0) return end('short')
      const bytes = this.#buffer
      const page = uint32At(bytes, at)
      const pageCount = uint32At(bytes, at + 4)
      if (uint32At(bytes, at + 8) !== header.salt1 || uint32At(bytes, at + 12) !== header.salt2) return end('salt')
      if (page === 0) return end('page')
      checksum = addChecksum(checksum, bytes, at, at + 8, header.bigEndian)
      const start = at + FRAME_HEADER_BYTES
      checksum = addChecksum(checksum, bytes, start, start + header.pageSize, header.bigEndian)
      if (!sameChecksum(checksum, { first: uint32At(bytes, at + 16), second: uint32At(bytes, at + 20) }))
        return end('checksum')
      frames.add(page, ++frame)
      if (pageCount === 0) continue
      const firstFrame = this.#position.frame + 1
      this.#position = { frame, checksum }
      return { kind: 'commit', firstFrame, lastFrame: frame, pageCount, frames: frames.table() }
    }
    return end('limit')
  }

  /** All commits up to `mxFrame`, and then why there are no more. */
  *commits(mxFrame: number): Generator<WalCommit, WalEnd> {
    for (;;) {
      const found = this.next(mxFrame)
      if (found.kind === 'end') return found
      yield found
    }
  }

  /** Where in the buffer frame `no` is; -1 where the file does not have all of it. */
  #fill(no: number, mxFrame: number): number {
    const frameBytes = FRAME_HEADER_BYTES + this.header.pageSize
    const { first, count } = this.#buffered
    if (no >= first && no < first + count) return (no - first) * frameBytes
    const wanted = Math.min(this.#buffer.length, (mxFrame - no + 1) * frameBytes)
    const read = this.source.read(frameOffset(this.header, no), this.#buffer.subarray(0, wanted))
    this.#buffered = { first: no, count: Math.floor(read / frameBytes) }
    return this.#buffered.count > 0 ? 0 : -1
  }
}
