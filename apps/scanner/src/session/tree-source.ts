import type { RootSpec } from '@hotpath/model'
import type { ScanProblem } from '@hotpath/protocol'
import { joinPath } from '../walk/pending-directories.js'
import { type TreeWalk, walkTree } from '../walk/walk-tree.js'
import type { ScanSource, SourceBatch, SourceOptions, SourceProgress } from './scan-source.js'

/** A directory tree as a source of a scan. */
export class TreeSource implements ScanSource {
  readonly #walk: TreeWalk
  #currentDirectory: Uint8Array

  /** Throws SystemCallError if the root is no directory that can be opened. */
  constructor(root: RootSpec, options: SourceOptions) {
    this.#walk = walkTree({ ...options, root: root.path })
    this.#currentDirectory = new Uint8Array(Buffer.from(this.#walk.path))
  }

  get volume(): string {
    return this.#walk.volume
  }

  get prefix(): Uint8Array {
    return this.#walk.prefix
  }

  async *batches(): AsyncGenerator<SourceBatch, void, undefined> {
    for await (const batch of this.#walk) {
      this.#currentDirectory = batch.currentDirectory
      yield batch
    }
  }

  progress(): SourceProgress {
    return { ...this.#walk.counters(), currentDirectory: this.#currentDirectory, knownTotal: Number.NaN }
  }

  problems(): readonly ScanProblem[] {
    const root = new Uint8Array(Buffer.from(this.#walk.path === '/' ? '' : this.#walk.path))
    return this.#walk.problems().map(({ path, message }) => ({
      line: 0,
      path: path.length === 0 ? new Uint8Array(Buffer.from(this.#walk.path)) : joinPath(root, path),
      message,
    }))
  }
}
