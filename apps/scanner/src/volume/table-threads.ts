import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { CancelledError } from '@hotpath/model'
import { MftRows, type MftStats, type TablePiece, type Volume } from '@hotpath/ntfs'
import { PieceReader } from './piece-reader.js'
import type { PieceReply, PieceRequest, TableJob } from './table-messages.js'
import type { VolumeFile } from './volume-file.js'

/** A thread works on one piece while the other is being listed. */
const SLOTS_PER_THREAD = 2
/** A piece takes 1 ms from memory and 20 ms from a disk that turns; one for which the main thread waits longer is left to the others. */
const MAX_OWN_MS = 50

/** Tests run from the sources, but a thread needs a compiled file. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/volume/table-worker.js' : './table-worker.js',
  import.meta.url,
)

/** Rows of a piece, valid until the next one is asked for. */
export interface ParsedPiece extends TablePiece {
  readonly rows: MftRows
}

export interface TableThreadsOptions {
  /** Beside the calling one, which parses while it would wait for others. 0: it does so alone. */
  readonly threads: number
  /** Find alternate streams, too. */
  readonly streams?: boolean | undefined
  /** Read and parse only while nobody else wants processor and disk: in at least one thread, and not in the calling one. */
  readonly idle?: boolean | undefined
  readonly signal: AbortSignal
}

interface TableThread {
  readonly worker: Worker
  isReady: boolean
  stats: MftStats
}

/** Memory for the rows of a piece. */
interface Slot {
  /** Undefined: the calling one. */
  readonly thread: TableThread | undefined
  readonly buffer: SharedArrayBuffer
  readonly rows: MftRows
  /** Index of the piece that it is for; -1: none. */
  piece: number
  isParsed: boolean
}

/**
 * Reads and parses pieces of a master file table, in threads and the calling one. Rows are in shared memory: nothing is copied. A thread takes 0.1 s
 * of processor time and as long to start; until then, and whenever the piece that is wanted is not there, the calling thread parses the next one itself.
 */
export class TableThreads {
  readonly #threads: TableThread[]
  readonly #slots: Slot[]
  readonly #own: Slot
  readonly #reader: PieceReader
  readonly #refused = new Set<string>()
  readonly #signal: AbortSignal
  #pieces: readonly TablePiece[] = []
  /** The first piece that has no slot yet. */
  #next = 0
  #helps: boolean
  #failure: unknown
  #wake: (() => void) | undefined

  /** @param pieceBytes of the largest piece */
  constructor(volume: Volume, file: VolumeFile, pieceBytes: number, options: TableThreadsOptions) {
    const { streams = false, idle = false, signal } = options
    const { recordBytes, clusterBytes } = volume.geometry
    const { bytes: tableBytes, extents } = volume.table
    const job: TableJob = {
      ...{ path: volume.file, recordBytes, clusterBytes, tableBytes, extents },
      ...{ pieceBytes, streams, idle },
    }
    const slotOf = (thread: TableThread | undefined): Slot => {
      const buffer = new SharedArrayBuffer(MftRows.bytesForPiece(pieceBytes, recordBytes, streams))
      const rows = MftRows.forPiece(pieceBytes, recordBytes, { streams, buffer })
      return { thread, buffer, rows, piece: -1, isParsed: false }
    }
    const threads = idle ? Math.max(1, options.threads) : options.threads
    this.#helps = !idle
    this.#signal = signal
    this.#reader = new PieceReader(file, volume.table, recordBytes)
    this.#threads = Array.from({ length: threads }, () => this.#start(job))
    this.#own = slotOf(undefined)
    // A piece for each thread before a second one.
    const ofThreads = Array.from({ length: SLOTS_PER_THREAD }, () => this.#threads.map(slotOf)).flat()
    this.#slots = [...ofThreads, this.#own]
    signal.addEventListener('abort', this.#onAbort)
    if (signal.aborted) this.#onAbort()
  }

  /** Summed up over all threads. */
  get stats(): MftStats {
    const sum = { ...this.#reader.stats }
    for (const { stats } of this.#threads)
      for (const key of Object.keys(sum) as (keyof MftStats)[]) sum[key] += stats[key]
    return sum
  }

  /** What of an idle priority was refused to a thread. */
  get refused(): readonly string[] {
    return [...this.#refused]
  }

  /** Parses pieces; they come in their order. Throws what a thread has failed with, CancelledError when the signal says so. */
  async *parse(pieces: readonly TablePiece[]): AsyncGenerator<ParsedPiece, void, undefined> {
    this.#pieces = pieces
    this.#next = 0
    this.#assign()
    for (const [i, piece] of pieces.entries()) {
      const slot = await this.#parsed(i)
      yield { ...piece, rows: slot.rows }
      slot.piece = -1
      slot.isParsed = false
      this.#assign()
    }
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort)
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
  }

  readonly #onAbort = () => this.#fail(new CancelledError('the scan was cancelled'))

  #start(workerData: TableJob): TableThread {
    const worker = new Worker(WORKER, { workerData })
    const stats: MftStats = { records: 0, unused: 0, extensions: 0, torn: 0, damaged: 0 }
    const thread: TableThread = { worker, isReady: false, stats }
    worker.on('message', (reply: PieceReply) => this.#hear(thread, reply))
    worker.on('error', error => this.#fail(error))
    return thread
  }

  #hear(thread: TableThread, reply: PieceReply): void {
    if (reply === 'ready') {
      thread.isReady = true
      this.#assign()
    } else if ('failure' in reply) {
      this.#fail(reply.failure)
    } else if ('refused' in reply) {
      for (const part of reply.refused) this.#refused.add(part)
    } else {
      const slot = this.#slots[reply.slot]!
      slot.rows.count = reply.rows
      slot.rows.scatteredCount = reply.scattered
      if (slot.rows.streams !== undefined) slot.rows.streams.count = reply.streams
      slot.isParsed = true
      thread.stats = reply.stats
    }
    this.#wake?.()
  }

  /** Gives the next pieces to threads that have room. */
  #assign(): void {
    for (const [slot, at] of this.#slots.entries()) {
      if (at.thread?.isReady !== true || at.piece >= 0) continue
      const piece = this.#pieces[this.#next]
      if (piece === undefined) return
      at.piece = this.#next++
      const request: PieceRequest = { slot, piece, rows: at.buffer }
      at.thread.worker.postMessage(request)
    }
  }

  /** The slot of a piece, as soon as it is parsed. */
  async #parsed(index: number): Promise<Slot> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const slot = this.#slots.find(({ piece }) => piece === index)
      if (slot?.isParsed) return slot
      if (this.#helps && this.#own.piece < 0 && this.#next < this.#pieces.length) {
        this.#parseNext()
        await nextTurn()
      } else {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    }
  }

  /** Parses in the calling thread the first piece that nobody has. */
  #parseNext(): void {
    const startedMs = performance.now()
    this.#own.piece = this.#next++
    this.#reader.parse(this.#pieces[this.#own.piece]!, this.#own.rows)
    this.#own.isParsed = true
    if (this.#threads.length > 0 && performance.now() - startedMs > MAX_OWN_MS) this.#helps = false
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#wake?.()
  }
}
