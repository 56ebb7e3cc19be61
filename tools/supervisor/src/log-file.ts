import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** With four stages and the supervisor: at most 5 × 4 × 4 MiB = 80 MiB of logs. */
export const LOG_FILE_BYTES = 4 * 1024 * 1024
export const LOG_FILES_KEPT = 4

/**
 * Appends lines to `NAME.log`. Before a line that would make it longer than `maxBytes`, the file becomes `NAME.1.log`,
 * that becomes `NAME.2.log` and so on; the oldest is dropped. Nothing here throws: a full disk must not stop the
 * system, and the lines that could not be written are counted.
 */
export class LogFile {
  private fd: number | undefined
  private sizeBytes = 0
  /** Lines that could not be written. */
  lost = 0

  constructor(
    private readonly directory: string,
    private readonly name: string,
    private readonly maxBytes = LOG_FILE_BYTES,
    private readonly kept = LOG_FILES_KEPT,
  ) {}

  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`)
    try {
      this.open()
      if (this.sizeBytes > 0 && this.sizeBytes + bytes.length > this.maxBytes) this.rotate()
      writeSync(this.fd!, bytes)
      this.sizeBytes += bytes.length
    } catch {
      this.lost++
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd)
    this.fd = undefined
  }

  private path(generation: number): string {
    return join(this.directory, generation === 0 ? `${this.name}.log` : `${this.name}.${generation}.log`)
  }

  private open(): void {
    if (this.fd !== undefined) return
    this.fd = openSync(this.path(0), 'a', 0o600)
    this.sizeBytes = fstatSync(this.fd).size
  }

  private rotate(): void {
    this.close()
    for (let generation = this.kept - 2; generation >= 0; generation--) {
      try {
        renameSync(this.path(generation), this.path(generation + 1))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      }
    }
    this.open()
  }
}
