import type { Hit, HitCollector } from '@hotpath/engine'
import { type HitRank, ID_BYTES, rankColumns } from '@hotpath/model'
import type { HitColumns } from '@hotpath/protocol'
import { HitIds } from './hit-id.js'

/** Rows for which there is room at first: a page. */
const FIRST_ROWS = 128
/** Bytes of paths for which there is room at first. */
const FIRST_PATH_BYTES = 16_384
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

  /** The columns, in buffers of their own. To be called once. */
  take(): HitColumns {
    this.resize(this.count)
    const { count, ids, pathOffsets, nameStart, kind, size } = this
    return {
      count,
      ids,
      pathOffsets,
      paths: resized(this.paths, this.pathBytes),
      nameStart,
      kind,
      size,
      modified: { seconds: this.modified.seconds, ticks: this.modified.ticks },
      created: { seconds: this.created.seconds, ticks: this.created.ticks },
      // Trees do not say it.
      ...(this.isAccessKnown ? { accessed: { seconds: this.accessed.seconds, ticks: this.accessed.ticks } } : {}),
      ...(this.isUsed ? { hot: this.hot, opens: this.opens, opened: this.opened } : {}),
      ...(this.ranks.length > 0 ? { rank: rankColumns(this.ranks) } : {}),
    }
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

/** Buffers that can be handed to another thread instead of being copied. */
export function transferablesOf(rows: HitColumns): ArrayBuffer[] {
  const arrays: (Uint8Array | Uint32Array | Float64Array)[] = [
    rows.ids,
    rows.pathOffsets,
    rows.paths,
    rows.nameStart,
    rows.kind,
    rows.size,
  ]
  for (const column of [rows.hot, rows.opens, rows.opened]) if (column) arrays.push(column)
  for (const column of [rows.modified, rows.created, rows.accessed])
    if (column) arrays.push(column.seconds, column.ticks)
  if (rows.rank) arrays.push(...Object.values(rows.rank))
  return arrays.map(array => array.buffer).filter(buffer => buffer instanceof ArrayBuffer)
}
