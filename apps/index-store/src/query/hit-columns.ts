import type { Hit, HitCollector } from '@hotpath/engine'
import { type HitRank, ID_BYTES, rankColumns } from '@hotpath/model'
import type { HitColumns } from '@hotpath/protocol'
import { HitIds } from './hit-id.js'

/** Rows for which there is room at first: a page. */
const FIRST_ROWS = 128
/** Bytes of paths for which there is room at first. */
const FIRST_PATH_BYTES = 16_384
/** Room for more is not kept from one page to the next. */
const MOST_KEPT_ROWS = 1_024
const MOST_KEPT_PATH_BYTES = 262_144
/** Of one row with each column: id, six times and sizes of 8 bytes, six numbers of 4, its kind. */
const MOST_ROW_BYTES = ID_BYTES + 6 * 8 + 6 * 4 + 1
/** The last path offset. */
const MARGIN_BYTES = 4
const SLASH = 0x2f

/** A time column that grows. */
class Times {
  seconds = new Float64Array(FIRST_ROWS)
  ticks = new Uint32Array(FIRST_ROWS)

  set(row: number, time: { seconds: number; ticks: number } | undefined): void {
    this.seconds[row] = time?.seconds ?? Number.NaN
    this.ticks[row] = time?.ticks ?? 0
  }

  resize(rows: number): void {
    this.seconds = resized(this.seconds, rows)
    this.ticks = resized(this.ticks, rows)
  }
}

/** Takes the hits of a page as the columns that go over the wire: a page of a million rows keeps no object for each. */
export class PageColumns implements HitCollector {
  private count = 0
  private pathBytes = 0
  private ids = new Uint8Array(FIRST_ROWS * ID_BYTES)
  private idView = new DataView(this.ids.buffer)
  private pathOffsets = new Uint32Array(FIRST_ROWS + 1)
  private paths = new Uint8Array(FIRST_PATH_BYTES)
  private nameStart = new Uint32Array(FIRST_ROWS)
  private kind = new Uint8Array(FIRST_ROWS)
  private size = new Float64Array(FIRST_ROWS)
  private readonly modified = new Times()
  private readonly created = new Times()
  private readonly accessed = new Times()
  private isAccessKnown = false
  private hot = new Float64Array(FIRST_ROWS)
  private opens = new Uint32Array(FIRST_ROWS)
  private opened = new Float64Array(FIRST_ROWS)
  private isUsed = false
  /** Of an explained page. */
  private ranks: HitRank[] = []
  private readonly hitIds = new HitIds()

  clear(): void {
    this.count = 0
    this.pathBytes = 0
    this.isUsed = false
    this.isAccessKnown = false
    this.ranks = []
  }

  add(hit: Hit): void {
    const row = this.count
    if (row === this.kind.length) this.resize(row * 2)
    const { view, parentId, name } = hit
    const start = this.pathBytes
    const nameStart = this.addPath(view.childPrefixOf(parentId), name)
    this.nameStart[row] = nameStart - start
    this.pathOffsets[row + 1] = this.pathBytes
    this.kind[row] = hit.kind
    this.size[row] = hit.size
    this.modified.set(row, hit.modified)
    this.created.set(row, hit.created)
    this.accessed.set(row, hit.accessed)
    this.isAccessKnown ||= !Number.isNaN(hit.accessed?.seconds ?? Number.NaN)
    this.hot[row] = hit.use?.hot ?? 0
    this.opens[row] = hit.use?.runs ?? 0
    this.opened[row] = hit.use?.opened ?? Number.NaN
    this.isUsed ||= hit.use !== undefined
    if (hit.rank !== undefined) this.ranks.push(hit.rank)
    this.hitIds.write(this.idView, row * ID_BYTES, {
      volume: view.volume,
      ref: hit.facts.ref,
      parentRef: view.refOf(parentId),
      paths: this.paths,
      start,
      nameStart,
      end: this.pathBytes,
    })
    this.count++
  }

  /** @returns where the name starts in all paths */
  private addPath(prefix: Uint8Array, name: Uint8Array): number {
    const start = this.pathBytes
    // The root directory `/` has an empty name, and nothing before it.
    const isRoot = prefix.length + name.length === 0
    const end = start + prefix.length + name.length + Number(isRoot)
    if (end > this.paths.length) this.paths = resized(this.paths, Math.max(this.paths.length * 2, end))
    if (isRoot) this.paths[start] = SLASH
    this.paths.set(prefix, start)
    this.paths.set(name, start + prefix.length)
    this.pathBytes = end
    return isRoot ? end : start + prefix.length
  }

  /**
   * The columns, side by side in one new buffer: a buffer for each would cost as much to make and hand over as ten rows cost to find.
   * Nothing of it is shared with what comes next.
   */
  take(): HitColumns {
    const { count, isUsed, isAccessKnown, ranks } = this
    const packed = new ColumnBuffer(count * MOST_ROW_BYTES + this.pathBytes + MARGIN_BYTES)
    // By the size of their elements: each begins where its type may.
    const size = packed.float64(this.size, count)
    const modified = packed.float64(this.modified.seconds, count)
    const created = packed.float64(this.created.seconds, count)
    const accessed = isAccessKnown ? packed.float64(this.accessed.seconds, count) : undefined
    const use = isUsed
      ? { hot: packed.float64(this.hot, count), opened: packed.float64(this.opened, count) }
      : undefined
    return {
      count,
      size,
      pathOffsets: packed.uint32(this.pathOffsets, count + 1),
      nameStart: packed.uint32(this.nameStart, count),
      modified: { seconds: modified, ticks: packed.uint32(this.modified.ticks, count) },
      created: { seconds: created, ticks: packed.uint32(this.created.ticks, count) },
      // Trees do not say it.
      ...(accessed && { accessed: { seconds: accessed, ticks: packed.uint32(this.accessed.ticks, count) } }),
      ...(use && { ...use, opens: packed.uint32(this.opens, count) }),
      ids: packed.uint8(this.ids, count * ID_BYTES),
      kind: packed.uint8(this.kind, count),
      paths: packed.uint8(this.paths, this.pathBytes),
      ...(ranks.length > 0 && { rank: rankColumns(ranks) }),
    }
  }

  /** Lets go of what is there, and of room that a page seldom needs. */
  release(): void {
    this.clear()
    if (this.kind.length > MOST_KEPT_ROWS) this.resize(FIRST_ROWS)
    if (this.paths.length > MOST_KEPT_PATH_BYTES) this.paths = new Uint8Array(FIRST_PATH_BYTES)
  }

  private resize(rows: number): void {
    this.ids = resized(this.ids, rows * ID_BYTES)
    this.idView = new DataView(this.ids.buffer)
    this.pathOffsets = resized(this.pathOffsets, rows + 1)
    this.nameStart = resized(this.nameStart, rows)
    this.kind = resized(this.kind, rows)
    this.size = resized(this.size, rows)
    this.modified.resize(rows)
    this.created.resize(rows)
    this.accessed.resize(rows)
    this.hot = resized(this.hot, rows)
    this.opens = resized(this.opens, rows)
    this.opened = resized(this.opened, rows)
  }
}

/** A copy with another length, as much of the contents as fits. */
function resized<T extends Uint8Array | Uint32Array | Float64Array>(array: T, length: number): T {
  if (array.length === length) return array
  const copy = new (array.constructor as new (length: number) => T)(length)
  copy.set(array.length < length ? array : array.subarray(0, length))
  return copy
}

/** Arrays one behind the other in one buffer: first the longest elements, so that each begins where it may. */
class ColumnBuffer {
  private readonly buffer: ArrayBuffer
  private end = 0

  constructor(bytes: number) {
    this.buffer = new ArrayBuffer(bytes)
  }

  float64(from: Float64Array, length: number): Float64Array {
    const column = new Float64Array(this.buffer, this.place(length * 8), length)
    column.set(from.subarray(0, length))
    return column
  }

  uint32(from: Uint32Array, length: number): Uint32Array {
    const column = new Uint32Array(this.buffer, this.place(length * 4), length)
    column.set(from.subarray(0, length))
    return column
  }

  uint8(from: Uint8Array, length: number): Uint8Array {
    const column = new Uint8Array(this.buffer, this.place(length), length)
    column.set(from.subarray(0, length))
    return column
  }

  private place(bytes: number): number {
    const start = this.end
    this.end += bytes
    return start
  }
}

/** Buffers that can be handed to another thread instead of being copied. */
export function transferablesOf(rows: HitColumns): ArrayBuffer[] {
  const arrays = [rows.ids, ...(rows.rank ? Object.values(rows.rank) : [])]
  return arrays.map(array => array.buffer).filter(buffer => buffer instanceof ArrayBuffer)
}
