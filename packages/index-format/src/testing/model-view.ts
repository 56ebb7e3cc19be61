import { Kind, NO_DIRECTORY } from '@hotpath/model'
import { MemorySink } from '../memory-sink.js'
import { buildSegment } from '../segment-builder.js'
import type { DirectoryPlace } from '../segment-merge.js'
import { SegmentReader } from '../segment-reader.js'
import { columnsOf, directoryRow, fileRow, type ModelColumns, type ModelRow } from './model-rows.js'
import { type Random, randomMetadata, randomName, randomSize } from './random-rows.js'
import { nameText } from './tree-oracle.js'

export interface ModelSegment {
  readonly reader: SegmentReader
  /** Tombstoned entries. */
  readonly dead: Set<number>
}

/** An entry of the view: its row, and where it is kept (in the delta: no segment). */
export interface ModelEntry {
  readonly row: ModelRow
  segment?: ModelSegment
  entry: number
}

/**
 * A view of a changing tree as a store keeps it: segments, tombstones and a delta, beside a plain map of what is true.
 * Directories of an id below `firstId` are implied: rows below them need them, but they are no entries.
 */
export class ModelView {
  /** Oldest first. */
  segments: ModelSegment[] = []
  /** Entries by directory id or by place. */
  readonly entries = new Map<string, ModelEntry>()
  private readonly implied = new Map<number, ModelRow>()
  private nextId: number

  constructor(
    private readonly random: Random,
    private readonly columns: ModelColumns,
    impliedDirectories: number,
  ) {
    this.nextId = 2 + impliedDirectories
    for (let id = 1; id < this.nextId; id++) {
      this.implied.set(id, directoryRow(id, id - 1, id === 1 ? '' : `implied ${id}`, { stub: true }))
    }
  }

  /** Makes one random change; most go to the delta. */
  change(): void {
    const { random } = this
    const entries = [...this.entries.values()]
    const kind = random.below(10)
    if (kind < 4 || entries.length === 0) this.create()
    else {
      const { row } = random.pick(entries)
      if (kind < 6) this.put({ ...row, ...randomMetadata(random) })
      else if (kind < 8) this.move(row)
      else if (kind === 8 && random.chance(0.5)) this.remove(row)
      else this.create()
    }
  }

  create(): void {
    const { random } = this
    const parent = random.pick(this.directoryIds())
    const name = randomName(random)
    if (this.taken(parent, name)) return
    const metadata = randomMetadata(random)
    if (random.chance(0.3)) this.put(directoryRow(this.nextId++, parent, name, metadata))
    else this.put(fileRow(parent, name, { ...metadata, size: randomSize(random) }))
  }

  /** The delta as a segment of its own, with a stub for each ancestor that is kept elsewhere. */
  flush(): void {
    const own = [...this.entries.values()].filter(entry => entry.segment === undefined)
    const rows = own.map(entry => entry.row)
    const known = new Set(rows.map(row => row.directory))
    for (const { row } of own) {
      for (let id = row.parent; id !== NO_DIRECTORY && !known.has(id); id = this.rowOf(id).parent) {
        known.add(id)
        rows.push({ ...this.rowOf(id), stub: true })
      }
    }
    if (rows.length === 0) return
    const segment = { reader: segmentOf(rows, this.columns), dead: new Set<number>() }
    this.segments.push(segment)
    for (const entry of own) {
      entry.segment = segment
      entry.entry = placeOf(segment.reader, entry.row)
    }
  }

  /** The row of a directory, entry or implied. */
  rowOf(id: number): ModelRow {
    const row = this.entries.get(`${id}`)?.row ?? this.implied.get(id)
    if (row === undefined) throw new Error(`no directory ${id}`)
    return row
  }

  /** What a store answers to a merge: the place of directories that are entries. */
  placeOf(id: number): DirectoryPlace | undefined {
    const entry = this.entries.get(`${id}`)
    return entry && { parentId: entry.row.parent, name: entry.row.name }
  }

  private directoryIds(): number[] {
    const ids = [...this.implied.keys()]
    for (const { row } of this.entries.values()) if (row.directory > 0) ids.push(row.directory)
    return ids
  }

  private taken(parent: number, name: Uint8Array): boolean {
    const text = nameText(name)
    if (this.entries.has(`${parent}/${text}`)) return true
    for (const { row } of this.entries.values()) {
      if (row.directory > 0 && row.parent === parent && nameText(row.name) === text) return true
    }
    return false
  }

  private put(row: ModelRow): void {
    const key = keyOfRow(row)
    this.kill(this.entries.get(key))
    this.entries.set(key, { row, entry: -1 })
  }

  private move(row: ModelRow): void {
    const { random } = this
    const parent = random.pick(this.directoryIds())
    const name = random.chance(0.5) ? row.name : randomName(random)
    if (this.taken(parent, name)) return
    if (row.kind === Kind.directory) {
      for (let id = parent; id !== NO_DIRECTORY; id = this.rowOf(id).parent) if (id === row.directory) return
    } else this.drop(row)
    this.put({ ...row, parent, name })
  }

  private remove(row: ModelRow): void {
    if (row.kind === Kind.directory) {
      for (const { row: other } of [...this.entries.values()]) if (other.parent === row.directory) this.remove(other)
    }
    this.drop(row)
  }

  private drop(row: ModelRow): void {
    this.kill(this.entries.get(keyOfRow(row)))
    this.entries.delete(keyOfRow(row))
  }

  private kill(entry: ModelEntry | undefined): void {
    entry?.segment?.dead.add(entry.entry)
  }
}

export function segmentOf(rows: readonly ModelRow[], columns: ModelColumns): SegmentReader {
  const sink = new MemorySink()
  buildSegment(columnsOf(rows, columns), sink)
  return new SegmentReader('model.seg', sink.bytes())
}

function keyOfRow(row: ModelRow): string {
  return row.kind === Kind.directory ? `${row.directory}` : `${row.parent}/${nameText(row.name)}`
}

function placeOf(reader: SegmentReader, row: ModelRow): number {
  return row.kind === Kind.directory
    ? reader.findDir(row.directory)
    : reader.findChild(reader.findDir(row.parent), row.name)
}
