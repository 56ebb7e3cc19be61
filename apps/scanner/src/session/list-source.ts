import { closeSync, fstatSync, openSync, read } from 'node:fs'
import { promisify } from 'node:util'
import { ListParser } from '@hotpath/file-list'
import { CancelledError, type RootSpec } from '@hotpath/model'
import type { ScanProblem } from '@hotpath/protocol'
import type { ScanSource, SourceBatch, SourceOptions, SourceProgress } from './scan-source.js'

/** Bytes read at a time: the parser needs 2 ms for them, so progress and cancelling are prompt. */
const READ_BYTES = 256 * 1024
const readFile = promisify(read)
const NOTHING = { listedDirectory: new Uint32Array(0), listedObserved: new Float64Array(0) }

/** A file list as a source of a scan. Lists have no listing times, and their volume is the list itself. */
export class ListSource implements ScanSource {
  readonly volume: string
  readonly prefix = new Uint8Array(0)
  readonly #parser = new ListParser({ format: 'auto' })
  readonly #signal: AbortSignal
  readonly #fd: number
  readonly #sizeBytes: number
  readonly #path: Uint8Array

  /** Throws the error of node:fs if the file cannot be opened. */
  constructor(root: RootSpec, { signal }: Pick<SourceOptions, 'signal'>) {
    this.volume = root.id
    this.#path = new Uint8Array(Buffer.from(root.path))
    this.#signal = signal
    this.#fd = openSync(root.path, 'r')
    const stats = fstatSync(this.#fd)
    this.#sizeBytes = stats.isFile() ? stats.size : 0
  }

  async *batches(): AsyncGenerator<SourceBatch, void, undefined> {
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    try {
      for (;;) {
        const { bytesRead } = await readFile(this.#fd, buffer, 0, READ_BYTES, null)
        if (bytesRead === 0) break
        if (this.#signal.aborted) throw new CancelledError('the scan was cancelled')
        for (const entries of this.#parser.push(buffer.subarray(0, bytesRead))) yield { entries, ...NOTHING }
      }
      for (const entries of this.#parser.end()) yield { entries, ...NOTHING }
    } finally {
      closeSync(this.#fd)
    }
  }

  progress(): SourceProgress {
    const { entries, directories, badRows, bytes } = this.#parser.summary
    // Rows are much alike, so what was read says how many there will be.
    const knownTotal =
      bytes > 0 && this.#sizeBytes > 0 ? Math.round((entries * Math.max(this.#sizeBytes, bytes)) / bytes) : Number.NaN
    return { entries, directories, errors: badRows, currentDirectory: this.#path, knownTotal }
  }

  problems(): readonly ScanProblem[] {
    return this.#parser.summary.bad.map(({ line, reason }) => ({ line, path: this.#path, message: reason }))
  }
}
