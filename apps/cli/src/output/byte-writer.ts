import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Hits are gathered to pieces of this size: one system call for about a thousand paths. */
const PIECE_BYTES = 65_536

/** Gathers small writes and waits for a slow reader, so that any number of hits takes little memory. */
export class ByteWriter {
  private readonly buffer = Buffer.allocUnsafe(PIECE_BYTES)
  private used = 0
  private isClosed = false

  /** The reader may leave at any time (`| head`): then everything further is dropped. */
  constructor(private readonly stream: Writable) {
    stream.on('error', () => {
      this.isClosed = true
    })
  }

  /** Whether nobody reads any more. */
  get closed(): boolean {
    return this.isClosed
  }

  async write(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    if (this.used + bytes.length > PIECE_BYTES) await this.flush()
    if (bytes.length > PIECE_BYTES) await this.send(Buffer.from(bytes))
    else {
      this.buffer.set(bytes, this.used)
      this.used += bytes.length
    }
  }

  /** Returns when everything written is with the reader (or the system). */
  async flush(): Promise<void> {
    if (this.used === 0) return
    const piece = Buffer.from(this.buffer.subarray(0, this.used))
    this.used = 0
    await this.send(piece)
  }

  private async send(piece: Buffer): Promise<void> {
    if (this.isClosed || this.stream.write(piece)) return
    // 'error' comes instead of 'drain' if the reader leaves meanwhile.
    await Promise.race([once(this.stream, 'drain'), once(this.stream, 'close')]).catch(() => {})
  }
}
