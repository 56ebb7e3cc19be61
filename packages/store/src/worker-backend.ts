import { Worker } from 'node:worker_threads'
import { type DirectoryPlace, SegmentReader } from '@hotpath/index-format'
import { CorruptFileError, type EntryColumns, HotpathError, UnavailableError } from '@hotpath/model'
import { mapFile, releaseMemory } from '@hotpath/platform'
import { type BuildFailure, type BuildReply, type BuildRequest, buffersOf, bytesOfRows } from './build-messages.js'
import { openReader } from './local-backend.js'
import type { BuiltSegment, MergedSegment, MergeSource, OpenSegment, SegmentBackend } from './segment-access.js'

/** Building, merging or reading failed in the worker thread; as of node, `ENOSPC` in `write`, where a system call failed. */
export class SegmentWriteError extends HotpathError {
  readonly code = 'SEGMENT_WRITE'
  constructor(
    readonly systemCode: string,
    readonly systemCall: string,
    message: string,
  ) {
    super(message)
  }
}

type Request = BuildRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never

/** Idle milliseconds after which the worker thread ends: its heap and its arrays, some 200 MB after a scan, go with it. */
const IDLE_MS = 2_000
/**
 * Bytes of rows after which what building them left behind is given back: before a merge begins, which needs much itself, and
 * when the thread has ended. It collects garbage and blocks the store's main thread for 20 ms and more, so that it is not
 * worth it for a few flushes.
 */
const RELEASE_BYTES = 64 * 2 ** 20
/** Of a row that is merged: its name, numbers and columns. */
const MERGED_ROW_BYTES = 64

/** Segments as mapped files, built and merged in a worker thread, which starts with a request and ends when it is idle. */
export class WorkerSegmentBackend implements SegmentBackend {
  private worker: Worker | undefined
  private nextId = 1
  private stopped = false
  private idle: NodeJS.Timeout | undefined
  /** Bytes of rows that were built or merged since memory was last given back. */
  private builtBytes = 0
  private readonly pending = new Map<number, { resolve: (reply: BuildReply) => void; reject: (error: Error) => void }>()

  /** @param script the compiled build-worker */
  constructor(private readonly script: URL = new URL('./build-worker.js', import.meta.url)) {}

  async open(file: string): Promise<OpenSegment> {
    const mapped = mapFile(file, { advice: 'random' })
    try {
      return openReader(new SegmentReader(file, mapped.bytes()), mapped.length, () => mapped.unmap())
    } catch (error) {
      mapped.unmap()
      throw error
    }
  }

  async build(columns: EntryColumns, file: string): Promise<BuiltSegment> {
    this.builtBytes += bytesOfRows(columns)
    const { stats, rows } = await this.ask({ kind: 'build', rows: columns, file }, buffersOf(columns))
    if (!stats || !rows) throw new UnavailableError('the segment builder gave no answer')
    return { stats, rows }
  }

  async merge(
    sources: readonly MergeSource[],
    places: ReadonlyMap<number, DirectoryPlace>,
    file: string,
  ): Promise<MergedSegment> {
    this.releaseBuilt()
    const { stats, mapping } = await this.ask({ kind: 'merge', sources, places, file }, [])
    if (!stats || !mapping) throw new UnavailableError('the segment builder gave no answer')
    for (const { length } of mapping) this.builtBytes += length * MERGED_ROW_BYTES
    return { stats, mapping }
  }

  async verify(file: string): Promise<void> {
    await this.ask({ kind: 'verify', file }, [])
  }

  async stop(): Promise<void> {
    this.stopped = true
    clearTimeout(this.idle)
    const { worker } = this
    if (!worker) return
    const gone = new Promise<void>(resolve => worker.once('exit', () => resolve()))
    // Half a segment is a temporary file, which the next opening removes.
    if (this.pending.size > 0) await worker.terminate()
    else worker.postMessage({ id: 0, kind: 'stop' } satisfies BuildRequest)
    await gone
  }

  private ask(request: Request, transfer: ArrayBuffer[]): Promise<BuildReply> {
    if (this.stopped) return Promise.reject(new UnavailableError('the segment builder has stopped'))
    clearTimeout(this.idle)
    this.worker ??= this.start()
    const id = this.nextId++
    const { worker } = this
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject })
      worker.postMessage({ ...request, id }, transfer)
    })
  }

  private releaseBuilt(): void {
    if (this.builtBytes < RELEASE_BYTES) return
    this.builtBytes = 0
    releaseMemory()
  }

  private retire(worker: Worker): void {
    if (this.worker !== worker || this.pending.size > 0 || this.stopped) return
    this.worker = undefined
    worker.once('exit', () => this.releaseBuilt())
    worker.postMessage({ id: 0, kind: 'stop' } satisfies BuildRequest)
  }

  private start(): Worker {
    const worker = new Worker(this.script, { name: 'store-build' })
    const failAll = (error: Error): void => {
      // A retired worker takes nothing with it.
      if (this.worker !== worker) return
      this.worker = undefined
      for (const { reject } of this.pending.values()) reject(error)
      this.pending.clear()
    }
    worker.on('message', (reply: BuildReply) => {
      const waiting = this.pending.get(reply.id)
      this.pending.delete(reply.id)
      if (this.pending.size === 0 && !this.stopped) this.idle = setTimeout(() => this.retire(worker), IDLE_MS)
      if (reply.failure) waiting?.reject(errorOf(reply.failure))
      else waiting?.resolve(reply)
    })
    worker.on('error', failAll)
    worker.on('exit', code => failAll(new UnavailableError(`the segment builder ended with code ${code}`)))
    return worker
  }
}

function errorOf({ message, code, call, corrupt }: BuildFailure): Error {
  if (corrupt) return new CorruptFileError(corrupt.file, corrupt.offset, corrupt.expected, corrupt.found)
  return new SegmentWriteError(code, call, message)
}
