import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { CancelledError } from '@hotpath/model'
import { MftRows, type MftStats, type TablePiece, type Volume } from '@hotpath/ntfs'
import { PieceQueue } from './piece-queue.js'
import { PieceReader } from './piece-reader.js'
import type { TableJob, TableReply } from './table-messages.js'
import type { VolumeFile } from './volume-file.js'

/** How far threads are ahead of what is listed: enough that none waits where one piece takes longer than others. */
const SLOTS_PER_THREAD = 3
/** A piece takes 0.5 ms from memory and 10 ms from a disk that turns; where the main thread waits longer, reading is left to the others. */
const MAX_OWN_MS = 50
/** In a row: one may take as long where programs compete for the processor, or code is new. */
const SLOW_PIECES = 4
/** For so long whoever cancels, and whoever takes what is sent, may have to wait. */
const MAX_TURN_MS = 5

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
}

/**
 * Reads and parses pieces of a master file table, in threads and the calling one. Rows and the queue of pieces are in shared memory: nothing is copied, and a
 * message is sent only where somebody waits. A thread takes 0.1 s of processor time and as long to start; until then, and whenever the piece that is wanted is not there,
 * the calling thread parses the next one itself.
 */
export class TableThreads {
  /** Of all pieces that were given, summed up. */
  readonly stats: MftStats = { records: 0, unused: 0, extensions: 0, torn: 0, damaged: 0 }
  readonly #threads: TableThread[]
  readonly #queue: PieceQueue
  /** Of each slot of the queue. */
  readonly #rows: MftRows[]
  readonly #reader: PieceReader
  readonly #refused = new Set<string>()
  readonly #signal: AbortSignal
  #helps: boolean
  /** Of the pieces that were parsed here last. */
  #slow = 0
  #turnedMs = 0
  #failure: unknown
  #wake: (() => void) | undefined

  /** @param pieceBytes of the largest piece */
  constructor(volume: Volume, file: VolumeFile, pieceBytes: number, options: TableThreadsOptions) {
    const { streams = false, idle = false, signal } = options
    const { recordBytes, clusterBytes } = volume.geometry
    const { bytes: tableBytes, extents } = volume.table
    const threads = idle ? Math.max(1, options.threads) : options.threads
    const slots = 1 + SLOTS_PER_THREAD * threads
    const queue = PieceQueue.memoryFor(slots)
    const rowBytes = MftRows.bytesForPiece(pieceBytes, recordBytes, streams)
    const memories = Array.from({ length: slots }, () => new SharedArrayBuffer(rowBytes))
    const job: TableJob = {
      ...{ path: volume.file, recordBytes, clusterBytes, tableBytes, extents },
      ...{ pieceBytes, streams, idle, queue, memories },
    }
    this.#helps = !idle
    this.#signal = signal
    this.#reader = new PieceReader(file, volume.table, recordBytes)
    this.#queue = new PieceQueue(queue, slots)
    this.#rows = memories.map(buffer => MftRows.forPiece(pieceBytes, recordBytes, { streams, buffer }))
    this.#threads = Array.from({ length: threads }, () => this.#start(job))
    signal.addEventListener('abort', this.#onAbort)
    if (signal.aborted) this.#onAbort()
  }

  /** What of an idle priority was refused to a thread. */
  get refused(): readonly string[] {
    return [...this.#refused]
  }

  /** Parses pieces; they come in their order. Throws what a thread has failed with, CancelledError when the signal says so. */
  async *parse(pieces: readonly TablePiece[]): AsyncGenerator<ParsedPiece, void, undefined> {
    const ahead = pieces.slice(0, this.#queue.slots).map(piece => this.#queue.offer(piece))
    for (const [i, piece] of pieces.entries()) {
      const rows = await this.#parsed(ahead.shift()!)
      yield { ...piece, rows }
      const next = pieces[i + this.#queue.slots]
      if (next !== undefined) ahead.push(this.#queue.offer(next))
    }
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#queue.end()
    await Promise.all(this.#threads.map(ended))
  }

  readonly #onAbort = () => this.#fail(new CancelledError('the scan was cancelled'))

  #start(workerData: TableJob): TableThread {
    const worker = new Worker(WORKER, { workerData })
    const thread: TableThread = { worker, isReady: false }
    worker.on('message', (reply: TableReply) => this.#hear(thread, reply))
    worker.on('error', error => this.#fail(error))
    return thread
  }

  #hear(thread: TableThread, reply: TableReply): void {
    if (reply === 'ready') thread.isReady = true
    else if (reply === 'parsed') this.#wake?.()
    else if ('failure' in reply) this.#fail(reply.failure)
    else for (const part of reply.refused) this.#refused.add(part)
  }

  /** The rows of a piece, as soon as it is parsed. */
  async #parsed(number: number): Promise<MftRows> {
    const queue = this.#queue
    for (;;) {
      await this.#turn()
      if (this.#failure !== undefined) throw this.#failure
      if (queue.isParsed(number)) return this.#rowsOf(number)
      const own = this.#helps ? queue.take() : undefined
      if (own !== undefined) this.#parse(own)
      else if (queue.want(number)) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    }
  }

  #rowsOf(number: number): MftRows {
    const { rows: count, scattered, streams, stats } = this.#queue.countsOf(number)
    const rows = this.#rows[number % this.#queue.slots]!
    rows.count = count
    rows.scatteredCount = scattered
    if (rows.streams !== undefined) rows.streams.count = streams
    for (const key of Object.keys(stats) as (keyof MftStats)[]) this.stats[key] += stats[key]
    return rows
  }

  /** Parses in the calling thread. */
  #parse(number: number): void {
    const startedMs = performance.now()
    const rows = this.#rows[number % this.#queue.slots]!
    this.#queue.finish(number, this.#reader.parse(this.#queue.pieceOf(number), rows))
    this.#slow = performance.now() - startedMs > MAX_OWN_MS ? this.#slow + 1 : 0
    if (this.#threads.length > 0 && this.#slow >= SLOW_PIECES) this.#helps = false
  }

  /** Lets others have a turn if it is time; each costs 20 µs. */
  async #turn(): Promise<void> {
    if (performance.now() - this.#turnedMs < MAX_TURN_MS) return
    await nextTurn()
    this.#turnedMs = performance.now()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#wake?.()
  }
}

/** A thread that has started ends by itself and closes what it has open. */
async function ended({ worker, isReady }: TableThread): Promise<void> {
  if (!isReady) await worker.terminate()
  else if (worker.threadId >= 0) await new Promise<void>(resolve => worker.once('exit', () => resolve()))
}
