import { Worker } from 'node:worker_threads'
import { CancelledError } from '@hotpath/model'
import { MftRows, type MftStats, type TablePiece, type Volume } from '@hotpath/ntfs'
import type { PieceReply, PieceRequest, TableJob } from './table-messages.js'

/** A thread works on one piece while the other is being listed. */
const SLOTS_PER_THREAD = 2

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
  readonly threads: number
  /** Find alternate streams, too. */
  readonly streams?: boolean | undefined
  /** Read and parse only while nobody else wants processor and disk. */
  readonly idle?: boolean | undefined
  readonly signal: AbortSignal
}

/** Threads that read and parse pieces of a master file table. Rows are in shared memory: nothing is copied. */
export class TableThreads {
  readonly #workers: Worker[]
  readonly #slots: { readonly buffer: SharedArrayBuffer; readonly rows: MftRows }[]
  readonly #stats = new Map<number, MftStats>()
  readonly #done = new Set<number>()
  readonly #refused = new Set<string>()
  #failure: unknown
  #wake: (() => void) | undefined
  readonly #signal: AbortSignal

  /** @param pieceBytes of the largest piece */
  constructor(
    volume: Volume,
    pieceBytes: number,
    { threads, streams = false, idle = false, signal }: TableThreadsOptions,
  ) {
    this.#signal = signal
    const { recordBytes, clusterBytes } = volume.geometry
    const { bytes: tableBytes, extents } = volume.table
    const job: TableJob = {
      path: volume.file,
      recordBytes,
      clusterBytes,
      tableBytes,
      extents,
      pieceBytes,
      streams,
      idle,
    }
    this.#workers = Array.from({ length: threads }, (_, thread) => this.#start(thread, job))
    this.#slots = Array.from({ length: threads * SLOTS_PER_THREAD }, () => {
      const buffer = new SharedArrayBuffer(MftRows.bytesForPiece(pieceBytes, recordBytes, streams))
      return { buffer, rows: MftRows.forPiece(pieceBytes, recordBytes, { streams, buffer }) }
    })
    signal.addEventListener('abort', this.#onAbort)
    if (signal.aborted) this.#onAbort()
  }

  /** Summed up over all threads. */
  get stats(): MftStats {
    const sum: MftStats = { records: 0, unused: 0, extensions: 0, torn: 0, damaged: 0 }
    for (const stats of this.#stats.values())
      for (const key of Object.keys(sum) as (keyof MftStats)[]) sum[key] += stats[key]
    return sum
  }

  /** What of an idle priority was refused to a thread. */
  get refused(): readonly string[] {
    return [...this.#refused]
  }

  /** Parses pieces; they come in their order. Throws what a thread has failed with, CancelledError when the signal says so. */
  async *parse(pieces: readonly TablePiece[]): AsyncGenerator<ParsedPiece, void, undefined> {
    const ahead = this.#slots.length
    for (let i = 0; i < Math.min(ahead, pieces.length); i++) this.#request(i, pieces[i]!)
    for (const [i, piece] of pieces.entries()) {
      const slot = i % ahead
      await this.#finished(slot)
      yield { ...piece, rows: this.#slots[slot]!.rows }
      const next = pieces[i + ahead]
      if (next !== undefined) this.#request(slot, next)
    }
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort)
    await Promise.all(this.#workers.map(worker => worker.terminate()))
  }

  readonly #onAbort = () => this.#fail(new CancelledError('the scan was cancelled'))

  #start(thread: number, workerData: TableJob): Worker {
    const worker = new Worker(WORKER, { workerData })
    worker.on('message', (reply: PieceReply) => {
      if ('failure' in reply) {
        this.#fail(reply.failure)
        return
      }
      if ('refused' in reply) {
        for (const part of reply.refused) this.#refused.add(part)
        return
      }
      const { rows } = this.#slots[reply.slot]!
      rows.count = reply.rows
      rows.scatteredCount = reply.scattered
      if (rows.streams !== undefined) rows.streams.count = reply.streams
      this.#stats.set(thread, reply.stats)
      this.#done.add(reply.slot)
      this.#wake?.()
    })
    worker.on('error', error => this.#fail(error))
    return worker
  }

  #request(slot: number, { first, count }: TablePiece): void {
    const request: PieceRequest = { slot, first, count, rows: this.#slots[slot]!.buffer }
    this.#workers[slot % this.#workers.length]!.postMessage(request)
  }

  async #finished(slot: number): Promise<void> {
    while (!this.#done.has(slot)) {
      if (this.#failure !== undefined) throw this.#failure
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    if (this.#failure !== undefined) throw this.#failure
    this.#done.delete(slot)
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#wake?.()
  }
}
