import { basename, resolve, sep } from 'node:path'
import { Kind } from '@hotpath/model'
import { BatchBuilder } from './batch-builder.js'
import { type PackedBatch, type ScanBatch, unpackBatch } from './packed-batch.js'
import type { DonatedGroup } from './pending-directories.js'
import type { WalkProblem } from './walk-host.js'
import type { WalkSettings } from './walk-messages.js'
import { WalkPool } from './walk-pool.js'
import { openRoot, pseudoFileSystemOf, ROOT_NUMBER, type WalkRoot } from './walk-root.js'
import { WalkThreads } from './walk-threads.js'

export interface WalkOptions {
  /** Path of the directory, absolute or relative to the current one. Symlinks in it are followed, and stay in its name. */
  readonly root: string
  /** See ExclusionOptions. */
  readonly excludes?: readonly string[]
  /** Absolute paths of directories that are left out (the data directory). */
  readonly excludedDirectories?: readonly string[]
  /** Enter other file systems that are mounted below the root. Default: no. */
  readonly crossDevices?: boolean
  /** Default: 2; more helps where the disk answers slowly. */
  readonly threads?: number
  /** No sizes and times. Default: no. */
  readonly namesOnly?: boolean
  /** Who may list each directory, too. Default: no. */
  readonly access?: boolean
  /** See DirectoryReaderOptions. */
  readonly readerMode?: 'auto' | 'native' | 'fs'
  /** Threads to use, which last longer than the walk. Default: threads of its own. */
  readonly pool?: WalkPool
  /** Ends the walk with CancelledError. */
  readonly signal?: AbortSignal
}

export interface WalkCounters {
  readonly entries: number
  /** Directories whose listing began. */
  readonly directories: number
  /** Directories and entries that could not be read. */
  readonly errors: number
}

/**
 * One walk. Iterate over it once: batches come as fast as they are taken and no faster. The walk ends when all is read,
 * or with CancelledError, or with the failure of a thread; leaving the loop early stops it. Nothing is left running.
 */
export interface TreeWalk extends AsyncIterable<ScanBatch> {
  /** Absolute path of the root as it was given. */
  readonly path: string
  /** What stands before the root's own name in every path (`/home/`); empty for `/`. */
  readonly prefix: Uint8Array
  /** Id of the root's file system, stable over restarts. */
  readonly volume: string
  counters(): WalkCounters
  /** The first 100 problems. */
  problems(): readonly WalkProblem[]
}

const MAX_PROBLEMS = 100
const DEFAULT_THREADS = 2
const EMPTY = new Uint8Array(0)

/** Opens the root; throws SystemCallError if it is no directory that can be read. */
export function walkTree(options: WalkOptions): TreeWalk {
  return new Walk(options)
}

class Walk implements TreeWalk {
  readonly path: string
  readonly prefix: Uint8Array
  readonly volume: string
  readonly #options: WalkOptions
  readonly #rootBatch: PackedBatch
  readonly #rootGroup: DonatedGroup
  readonly #root: WalkRoot
  readonly #problems: WalkProblem[] = []
  #entries = 0
  #directories = 0
  #errors = 0

  constructor(options: WalkOptions) {
    this.#options = options
    this.path = resolve(options.root).replaceAll(sep, '/')
    const last = basename(this.path)
    // A drive has a name of its own, the root of Linux has none.
    const name = new Uint8Array(Buffer.from(last === '' ? this.path.slice(0, -1) : last))
    this.prefix = new Uint8Array(Buffer.from(this.path).subarray(0, Buffer.byteLength(this.path) - name.length))
    if (last === '') this.prefix = EMPTY
    this.#root = openRoot(this.path, options.readerMode ?? 'auto', options.access)
    this.volume = this.#root.volume
    const { node, salt, group } = this.#root
    const builder = new BatchBuilder(options.namesOnly ?? false, options.access)
    builder.add(0, ROOT_NUMBER, Kind.directory, name, 0, name.length, node, 0, salt)
    this.#rootBatch = builder.take()
    const { scope: _, ...pending } = group
    this.#rootGroup = { ...pending, rules: [] }
  }

  counters(): WalkCounters {
    return { entries: this.#entries, directories: this.#directories, errors: this.#errors }
  }

  problems(): readonly WalkProblem[] {
    return this.#problems
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ScanBatch, void, undefined> {
    yield this.#count(this.#rootBatch)
    const pseudo = pseudoFileSystemOf(this.#root.realRoot)
    if (pseudo !== undefined) {
      this.#addProblem({ path: EMPTY, message: `a file system of type ${pseudo} is not indexed`, isDirectory: true })
      return
    }
    const { signal, threads: count = DEFAULT_THREADS, pool = new WalkPool() } = this.#options
    const onProblem = (problem: WalkProblem) => this.#addProblem(problem)
    const threads = new WalkThreads({ pool, threads: count, data: this.#settings(), signal, onProblem })
    try {
      threads.start(this.#rootGroup)
      for (let batch = await threads.next(); batch !== null; batch = await threads.next()) yield this.#count(batch)
    } finally {
      await threads.stop()
      if (pool !== this.#options.pool) await pool.close()
    }
  }

  #settings(): WalkSettings {
    const {
      excludes = [],
      excludedDirectories = [],
      crossDevices = false,
      namesOnly = false,
      access = false,
    } = this.#options
    return {
      root: new Uint8Array(Buffer.from(this.path)),
      realRoot: this.#root.realRoot,
      rootDevice: this.#root.device,
      rootVolume: this.volume,
      excludes,
      excludedDirectories,
      crossDevices,
      namesOnly,
      access,
      readerMode: this.#options.readerMode ?? 'auto',
    }
  }

  #count(packed: PackedBatch): ScanBatch {
    this.#entries += packed.rows
    this.#directories += packed.listed
    const inside = Buffer.from(packed.currentDirectory)
    const current =
      inside.length === 0 ? this.path : Buffer.concat([Buffer.from(this.path === '/' ? '/' : `${this.path}/`), inside])
    return { ...unpackBatch(packed), currentDirectory: new Uint8Array(Buffer.from(current)) }
  }

  #addProblem(problem: WalkProblem): void {
    this.#errors++
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem)
  }
}
