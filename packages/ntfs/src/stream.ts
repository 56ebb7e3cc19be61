import { CorruptFileError } from '@hotpath/model'
import { type Extent, SPARSE } from './run-list.js'

/**
 * Bytes of a volume that are wanted: whoever drives a generator of these reads them and passes them to `next`. They may be changed, and are
 * not used any more when the next ones are wanted.
 */
export interface ReadRequest {
  /** On the volume. */
  readonly offset: number
  readonly length: number
  /** Which part of which record of the master file table is wanted, where one alone is. A file system that is in use may have a newer one than the volume. */
  readonly record?: RecordPart
}

/** A part of a record of the master file table, as it is stored: with its fix-ups. */
export interface RecordPart {
  readonly number: number
  /** Of the record, at which the part begins. */
  readonly at: number
  /** Of the whole record. */
  readonly bytes: number
}

/** Work that needs bytes of a volume and does not read itself. */
export type Reading<Result> = Generator<ReadRequest, Result, Uint8Array>

/** A part of a stream that lies in one piece on the volume; `offset` is SPARSE where nothing is stored. */
export interface StreamRange {
  readonly offset: number
  readonly length: number
}

/** Where the bytes of a stream lie. */
export class Stream {
  readonly #extents: Extent[] = []
  /** Cluster of the stream at which each extent begins. */
  readonly #starts: number[] = []
  #clusters = 0

  /**
   * @param bytes that the stream has
   * @param validBytes of them, what was ever written: the rest reads as zeros for NTFS, whatever lies in its clusters
   */
  constructor(
    readonly clusterBytes: number,
    readonly bytes: number,
    readonly validBytes = bytes,
  ) {}

  /** Clusters that are mapped. */
  get clusters(): number {
    return this.#clusters
  }

  get extents(): readonly Extent[] {
    return this.#extents
  }

  append(extents: readonly Extent[]): void {
    for (const extent of extents) {
      this.#extents.push(extent)
      this.#starts.push(this.#clusters)
      this.#clusters += extent.clusters
    }
  }

  /** First byte that is stored; `bytes` if none is. */
  get firstStored(): number {
    const found = this.#extents.findIndex(({ cluster }) => cluster !== SPARSE)
    return found < 0 ? this.bytes : Math.min(this.bytes, this.#starts[found]! * this.clusterBytes)
  }

  /** The parts in which [from, from + length) lies; ends early where the stream or its map does. */
  *ranges(from: number, length: number): Generator<StreamRange> {
    const end = Math.min(from + length, this.bytes, this.#clusters * this.clusterBytes)
    for (let at = from, i = this.#extentAt(from); at < end && i < this.#extents.length; i++) {
      const { cluster, clusters } = this.#extents[i]!
      const start = this.#starts[i]! * this.clusterBytes
      const part = Math.min(end, start + clusters * this.clusterBytes) - at
      yield { offset: cluster === SPARSE ? SPARSE : cluster * this.clusterBytes + (at - start), length: part }
      at += part
    }
  }

  /** The last extent that begins at or before a byte. */
  #extentAt(byte: number): number {
    const cluster = Math.floor(byte / this.clusterBytes)
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#starts[middle]! <= cluster) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}

/** Reads part of a stream into one array, whose buffer begins with it; shorter where the stream ends. */
export function* readStream(stream: Stream, from: number, length: number): Reading<Uint8Array> {
  const wanted = Math.max(0, Math.min(length, stream.bytes - from))
  const found = new Uint8Array(wanted)
  let at = 0
  for (const range of stream.ranges(from, wanted)) {
    if (range.offset !== SPARSE) found.set(yield range, at)
    at += range.length
  }
  return found.subarray(0, at)
}

/**
 * Drives a reading. What `read` throws is thrown where the bytes were wanted: there may be others, such as the copy of the table's first record.
 *
 * @param read gives the whole range or throws; less is a CorruptFileError
 */
export function drive<Result>(reading: Reading<Result>, read: (request: ReadRequest) => Uint8Array): Result {
  let step = reading.next()
  while (step.done !== true) step = answer(reading, step.value, read)
  return step.value
}

/** One step of `drive`, for work that also yields other things than requests. */
export function answer<Step, Result>(
  work: Generator<Step, Result, Uint8Array>,
  request: ReadRequest,
  read: (request: ReadRequest) => Uint8Array,
): IteratorResult<Step, Result> {
  let bytes: Uint8Array
  try {
    bytes = readWhole(request, read)
  } catch (error) {
    return work.throw(error)
  }
  return work.next(bytes)
}

function readWhole(request: ReadRequest, read: (request: ReadRequest) => Uint8Array): Uint8Array {
  const bytes = read(request)
  if (bytes.length === request.length) return bytes
  throw new CorruptFileError('volume', request.offset, `${request.length} bytes`, `${bytes.length}`)
}
