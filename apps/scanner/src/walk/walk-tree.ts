import { realpathSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { MessageChannel, Worker } from 'node:worker_threads'
import { CancelledError, Kind } from '@hotpath/model'
import { createDirectoryReader, isPseudoFileSystem, mountOf, readMounts, SystemCallError } from '@hotpath/platform'
import { volumeOf } from '../node-ref.js'
import { BatchBuilder } from './batch-builder.js'
import { type DeferredMount, groupOfOne, type WalkProblem } from './directory-walker.js'
import { type PackedBatch, type ScanBatch, unpackBatch } from './packed-batch.js'
import type { DonatedGroup } from './pending-directories.js'
import { CELLS_PER_THREAD, Cell, type FromWorker, type ToWorker, type WalkWorkerData } from './walk-messages.js'

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
  /** See DirectoryReaderOptions. */
  readonly readerMode?: 'auto' | 'native' | 'fs'
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
const MAX_THREADS = 64
const ROOT_NUMBER = 1
const EMPTY = new Uint8Array(0)

/** Tests run from the sources, but a thread needs a compiled file. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/walk/walk-worker.js' : './walk-worker.js',
  import.meta.url,
)

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
  readonly #realRoot: Uint8Array
  readonly #problems: WalkProblem[] = []
  #entries = 0
  #directories = 0
  #errors = 0

  constructor(options: WalkOptions) {
    this.#options = options
    this.path = resolve(options.root)
    const name = new Uint8Array(Buffer.from(basename(this.path)))
    this.prefix = new Uint8Array(Buffer.from(this.path).subarray(0, Buffer.byteLength(this.path) - name.length))
    if (name.length === 0) this.prefix = EMPTY
    const reader = createDirectoryReader(this.path, { mode: options.readerMode ?? 'auto' })
    try {
      this.#realRoot = new Uint8Array(realpathSync(this.path, { encoding: 'buffer' }))
      reader.open(EMPTY)
      const error = reader.statSelf()
      if (error !== 0) throw new SystemCallError('statx', error, this.path)
      const { node } = reader
      const device = node.device[0]!
      this.volume = volumeOf(this.#realRoot, device)
      const builder = new BatchBuilder(options.namesOnly ?? false)
      builder.add(0, ROOT_NUMBER, Kind.directory, name, 0, name.length, node, 0, 0)
      this.#rootBatch = builder.take()
      const { scope: _, ...group } = groupOfOne(
        EMPTY,
        EMPTY,
        ROOT_NUMBER,
        node.inodeLow[0]!,
        node.inodeHigh[0]!,
        device,
        0,
        null,
      )
      this.#rootGroup = { ...group, rules: [] }
    } finally {
      reader.close()
    }
  }

  counters(): WalkCounters {
    return { entries: this.#entries, directories: this.#directories, errors: this.#errors }
  }

  problems(): readonly WalkProblem[] {
    return this.#problems
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ScanBatch, void, undefined> {
    yield this.#count(this.#rootBatch)
    const mount = mountOf(readMounts(), this.#realRoot)
    if (mount !== undefined && isPseudoFileSystem(mount.fileSystem)) {
      this.#addProblem({ path: EMPTY, message: `a file system of type ${mount.fileSystem} is not indexed` })
      return
    }
    const threads = new WalkThreads(this.#options, this.#workerData(), problem => this.#addProblem(problem))
    try {
      threads.start(this.#rootGroup)
      for (let batch = await threads.next(); batch !== null; batch = await threads.next()) yield this.#count(batch)
    } finally {
      await threads.stop()
    }
  }

  #workerData(): Omit<WalkWorkerData, 'shared' | 'thread' | 'port'> {
    const { excludes = [], excludedDirectories = [], crossDevices = false, namesOnly = false } = this.#options
    return {
      root: new Uint8Array(Buffer.from(this.path)),
      realRoot: this.#realRoot,
      rootDevice: this.#rootGroup.device,
      rootVolume: this.volume,
      excludes,
      excludedDirectories,
      crossDevices,
      namesOnly,
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

interface Thread {
  readonly worker: Worker
  readonly port: MessageChannel['port1']
  readonly exited: Promise<void>
  busy: boolean
}

/**
 * The threads of a walk and what is on its way between them. All messages of a thread come in their order, and what a
 * thread gives away goes through here after the batches that hold its rows: so parents always come before children.
 */
class WalkThreads {
  readonly #cells: Int32Array
  readonly #threads: Thread[] = []
  readonly #batches: { batch: PackedBatch; thread: number }[] = []
  readonly #donations: DonatedGroup[] = []
  readonly #mounts: DeferredMount[] = []
  readonly #visited: Uint32Array[] = []
  #phase: 'tree' | 'collect' | 'mounts' | 'done' = 'tree'
  #failure: unknown
  #wake: (() => void) | undefined

  constructor(
    private readonly options: WalkOptions,
    private readonly data: Omit<WalkWorkerData, 'shared' | 'thread' | 'port'>,
    private readonly onProblem: (problem: WalkProblem) => void,
  ) {
    this.#cells = new Int32Array(new SharedArrayBuffer(4 * (Cell.perThread + MAX_THREADS * CELLS_PER_THREAD)))
    this.#cells[Cell.nextNumber] = ROOT_NUMBER + 1
  }

  start(root: DonatedGroup): void {
    const { signal, threads = DEFAULT_THREADS } = this.options
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted) this.#onAbort()
    const count = Math.max(1, Math.min(MAX_THREADS, Math.floor(threads)))
    for (let thread = 0; thread < count; thread++) this.#threads.push(this.#startThread(thread))
    this.#donations.push(root)
    this.#feed()
  }

  /** The next batch, or null when all is done. */
  async next(): Promise<PackedBatch | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const first = this.#batches.shift()
      if (first !== undefined) {
        const cell = Cell.perThread + first.thread * CELLS_PER_THREAD
        Atomics.sub(this.#cells, cell, 1)
        Atomics.notify(this.#cells, cell)
        return first.batch
      }
      if (this.#phase === 'done') return null
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async stop(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.#onAbort)
    Atomics.store(this.#cells, Cell.stop, 1)
    for (let i = Cell.perThread; i < this.#cells.length; i++) {
      // A thread that is just about to wait finds another value; one that waits is woken.
      Atomics.add(this.#cells, i, 1)
      Atomics.notify(this.#cells, i)
    }
    await Promise.all(this.#threads.map(({ exited }) => exited))
    for (const { port } of this.#threads) port.close()
  }

  readonly #onAbort = () => this.#fail(new CancelledError('the scan was cancelled'))

  #startThread(thread: number): Thread {
    const { port1, port2 } = new MessageChannel()
    const shared = this.#cells.buffer as SharedArrayBuffer
    const worker = new Worker(WORKER, {
      workerData: { ...this.data, shared, thread, port: port2 },
      transferList: [port2],
    })
    const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()))
    worker.once('error', error => this.#fail(error))
    port1.on('message', (message: FromWorker) => this.#receive(thread, message))
    return { worker, port: port1, exited, busy: false }
  }

  #receive(thread: number, message: FromWorker): void {
    switch (message.type) {
      case 'batch':
        this.#batches.push({ batch: message.batch, thread })
        break
      case 'problem':
        this.onProblem(message.problem)
        break
      case 'donation':
        this.#donations.push(message.group)
        break
      case 'mount':
        this.#mounts.push(message.mount)
        break
      case 'visited':
        this.#visited.push(message.triples)
        break
      case 'idle':
        this.#threads[thread]!.busy = false
        break
    }
    this.#feed()
    this.#wakeUp()
  }

  /** Gives work to who has none, and goes on to the next phase when all have none. */
  #feed(): void {
    for (const [thread, state] of this.#threads.entries()) {
      if (state.busy || this.#donations.length === 0) continue
      state.busy = true
      this.#send(thread, { type: 'groups', groups: [this.#donations.shift()!] })
    }
    const idle = this.#threads.filter(({ busy }) => !busy).length
    Atomics.store(this.#cells, Cell.hungry, this.#phase === 'tree' && idle < this.#threads.length ? idle : 0)
    if (idle === this.#threads.length) this.#nextPhase()
  }

  #nextPhase(): void {
    if (this.#phase === 'tree' && this.#mounts.length > 0) {
      this.#phase = 'collect'
      for (const thread of this.#threads.keys()) this.#send(thread, { type: 'visited?' })
    } else if (this.#phase === 'collect') {
      if (this.#visited.length < this.#threads.length) return
      this.#phase = 'mounts'
      this.#threads[0]!.busy = true
      // In the order of their paths, so that of two ways to a directory every scan takes the same one.
      const order = (mount: DeferredMount) => Buffer.concat([mount.parentPath, Buffer.from('/'), mount.name])
      const mounts = this.#mounts.sort((a, b) => Buffer.compare(order(a), order(b)))
      this.#send(0, { type: 'mounts', mounts, visited: this.#visited })
    } else this.#phase = 'done'
  }

  #send(thread: number, message: ToWorker): void {
    this.#threads[thread]!.port.postMessage(message)
    const cell = Cell.perThread + thread * CELLS_PER_THREAD + 1
    Atomics.add(this.#cells, cell, 1)
    Atomics.notify(this.#cells, cell)
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    Atomics.store(this.#cells, Cell.stop, 1)
    this.#wakeUp()
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
