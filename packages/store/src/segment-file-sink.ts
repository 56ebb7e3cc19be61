import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { platform } from 'node:os'
import { dirname } from 'node:path'
import type { SegmentSink } from '@hotpath/index-format'
import { replaceFileSync } from '@hotpath/platform'

/** Small pieces are written together: a section is a few kilobytes up to many megabytes. */
const BUFFER_BYTES = 1 << 20

/**
 * Writes a segment with blocking calls (in the store's worker thread): temporary file, sync, rename, sync of the
 * directory. `publish` makes the file appear; `discard` leaves nothing.
 */
export class SegmentFileSink implements SegmentSink {
  private readonly temporary: string
  private fd: number
  private readonly buffer = new Uint8Array(BUFFER_BYTES)
  private buffered = 0
  private position: number

  /** @param headerBytes room that is left at the start for the header */
  constructor(
    private readonly file: string,
    private readonly headerBytes: number,
  ) {
    this.temporary = `${file}.tmp`
    this.fd = openSync(this.temporary, 'w', 0o600)
    this.position = headerBytes
  }

  append(bytes: Uint8Array): void {
    if (this.buffered + bytes.length > BUFFER_BYTES) this.drain()
    if (bytes.length > BUFFER_BYTES) {
      this.writeAll(bytes, this.position)
      this.position += bytes.length
    } else {
      this.buffer.set(bytes, this.buffered)
      this.buffered += bytes.length
    }
  }

  finish(header: Uint8Array): void {
    this.drain()
    if (header.length > this.headerBytes) throw new RangeError(`a header of ${header.length} bytes`)
    this.writeAll(header, 0)
  }

  publish(): void {
    fsyncSync(this.fd)
    closeSync(this.fd)
    this.fd = -1
    replaceFileSync(this.temporary, this.file)
    // Windows has no such call.
    if (platform() === 'win32') return
    const directory = openSync(dirname(this.file), 'r')
    try {
      fsyncSync(directory)
    } finally {
      closeSync(directory)
    }
  }

  discard(): void {
    if (this.fd < 0) return
    closeSync(this.fd)
    this.fd = -1
    unlinkSync(this.temporary)
  }

  private drain(): void {
    if (this.buffered === 0) return
    this.writeAll(this.buffer.subarray(0, this.buffered), this.position)
    this.position += this.buffered
    this.buffered = 0
  }

  private writeAll(bytes: Uint8Array, position: number): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at, bytes.length - at, position + at)
  }
}
