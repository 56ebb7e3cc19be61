import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { readWhole } from './page-overlay.js'

/** A file of another program, open for reading: it stays what it is when its name goes to another one. */
export class OpenFile {
  readonly device: bigint
  readonly inode: bigint

  private constructor(
    readonly path: string,
    readonly fd: number,
  ) {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    this.device = dev
    this.inode = ino
  }

  /** Undefined where there is none. Throws what the system says otherwise, such as EACCES. Nothing is ever made. */
  static open(path: string): OpenFile | undefined {
    try {
      return new OpenFile(path, openSync(path, 'r'))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  get sizeBytes(): number {
    return fstatSync(this.fd).size
  }

  /** Whether the name still leads here. */
  get isCurrent(): boolean {
    const found = statSync(this.path, { bigint: true, throwIfNoEntry: false })
    return found !== undefined && found.ino === this.inode && found.dev === this.device
  }

  /** What is behind the end reads as zeros. */
  read(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    readWhole(this.fd, bytes, position)
    return bytes
  }

  /** Fills `bytes` as far as the file goes; returns how far. */
  readInto(bytes: Uint8Array, position: number): number {
    return readWhole(this.fd, bytes, position)
  }

  close(): void {
    closeSync(this.fd)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
