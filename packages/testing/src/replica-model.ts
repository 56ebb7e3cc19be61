import {
  type EngineOp,
  type EntryColumns,
  type EntryRow,
  KIND_MASK,
  KIND_STUB,
  Kind,
  type TimeColumn,
} from '@hotpath/model'

/** What the model reads of a segment: rows one by one, none of its indexes. */
export interface PlainSegment {
  readonly dirCount: number
  readonly fileCount: number
  dirIdOf(local: number): number
  isStub(local: number): boolean
  parentOf(local: number): number
  directoryOfFile(file: number): number
  nameOf(entry: number): Uint8Array
  readRow(entry: number): EntryRow
}

/** An entry as the model lists it. */
export interface ModelEntry {
  /** Bytes of the path, one character a byte. */
  readonly path: string
  readonly view: number
  readonly row: EntryRow
}

interface PlainRow {
  readonly parent: number
  readonly directory: number
  readonly name: string
  readonly stub: boolean
  readonly row: EntryRow
}

interface ModelSegment {
  readonly rows: readonly PlainRow[]
  readonly dead: Set<number>
}

interface ModelView {
  readonly root: string
  readonly prefix: string
  readonly virtualRoot: boolean
  readonly segments: Map<number, ModelSegment>
  readonly delta: Map<number, PlainRow>
  readonly usedSlots: Set<number>
}

/**
 * Applies EngineOps the naive way: every row in plain arrays, paths by walking up. The oracle for stores (are the
 * operations right?) and for engines (do they answer what the operations say?). Throws where operations contradict
 * each other.
 */
export class ReplicaModel {
  private readonly views = new Map<number, ModelView>()
  private readonly activeView = new Map<string, { view: number; partial: boolean }>()
  private readonly partialRoots = new Set<string>()

  /**
   * @param openSegment opens the file of an `addSegment`
   * @param readBitmap ids of a portable roaring bitmap
   * @param onDropped called for each segment that the model has let go of
   */
  constructor(
    private readonly openSegment: (file: string) => PlainSegment,
    private readonly readBitmap: (bytes: Uint8Array) => Iterable<number>,
    private readonly onDropped: (segment: number) => void = () => {},
  ) {}

  apply(ops: readonly EngineOp[]): void {
    for (const op of ops) this.applyOp(op)
  }

  /** Roots that are answered. */
  roots(): string[] {
    return [...this.activeView.keys()]
  }

  isPartial(root: string): boolean {
    return this.partialRoots.has(root) || this.activeView.get(root)?.partial === true
  }

  /** Live entries of a root by path. Throws if two have the same path, or one hangs on nothing. */
  entries(root: string): Map<string, ModelEntry> {
    const active = this.activeView.get(root)
    const found = new Map<string, ModelEntry>()
    if (!active) return found
    const view = this.view(active.view)
    const places = placesOf(view)
    for (const live of liveRows(view)) {
      const path = pathOf(view, live, places)
      if (found.has(path)) throw new Error(`two live entries are ${JSON.stringify(path)}`)
      found.set(path, { path, view: active.view, row: live.row })
    }
    return found
  }

  private applyOp(op: EngineOp): void {
    switch (op.op) {
      case 'createView':
        if (this.views.has(op.view)) throw new Error(`view ${op.view} is there already`)
        this.views.set(op.view, {
          root: op.root,
          prefix: latin1(op.prefix),
          virtualRoot: op.virtualRoot,
          segments: new Map(),
          delta: new Map(),
          usedSlots: new Set(),
        })
        return
      case 'activateView': {
        const former = this.activeView.get(op.root)
        this.view(op.view)
        this.activeView.set(op.root, { view: op.view, partial: op.partial })
        if (former && former.view !== op.view) this.dropView(former.view)
        return
      }
      case 'dropView':
        this.dropView(op.view)
        return
      case 'addSegment': {
        const view = this.view(op.view)
        if (view.segments.has(op.segment)) throw new Error(`segment ${op.segment} is there already`)
        const dead = op.dead.length > 0 ? this.readBitmap(op.dead) : []
        view.segments.set(op.segment, { rows: rowsOf(this.openSegment(op.file)), dead: new Set(dead) })
        return
      }
      case 'dropSegment':
        if (!this.view(op.view).segments.delete(op.segment)) throw new Error(`segment ${op.segment} is not there`)
        this.onDropped(op.segment)
        return
      case 'kill': {
        const { rows, dead } = this.segment(op.view, op.segment)
        for (let i = 0; i < op.ranges.length; i += 2) {
          if (op.ranges[i] >= op.ranges[i + 1] || op.ranges[i + 1] > rows.length)
            throw new Error('a bad range of tombstones')
          for (let entry = op.ranges[i]; entry < op.ranges[i + 1]; entry++) dead.add(entry)
        }
        return
      }
      case 'put': {
        const { delta, usedSlots } = this.view(op.view)
        for (let i = 0; i < op.rows.count; i++) {
          if (usedSlots.has(op.slots[i])) throw new Error(`slot ${op.slots[i]} was used before`)
          usedSlots.add(op.slots[i])
          delta.set(op.slots[i], rowOf(op.rows, i))
        }
        return
      }
      case 'remove':
        for (const slot of op.slots) {
          if (!this.view(op.view).delta.delete(slot)) throw new Error(`slot ${slot} is not there`)
        }
        return
      case 'markPartial':
        if (op.partial) this.partialRoots.add(op.root)
        else this.partialRoots.delete(op.root)
    }
  }

  private dropView(id: number): void {
    const view = this.view(id)
    this.views.delete(id)
    if (this.activeView.get(view.root)?.view === id) this.activeView.delete(view.root)
    for (const segment of view.segments.keys()) this.onDropped(segment)
  }

  private view(id: number): ModelView {
    const view = this.views.get(id)
    if (!view) throw new Error(`view ${id} is not there`)
    return view
  }

  private segment(view: number, id: number): ModelSegment {
    const segment = this.view(view).segments.get(id)
    if (!segment) throw new Error(`segment ${id} is not there`)
    return segment
  }
}

function* liveRows(view: ModelView): Iterable<PlainRow> {
  for (const { rows, dead } of view.segments.values()) {
    for (let entry = 0; entry < rows.length; entry++) if (!rows[entry].stub && !dead.has(entry)) yield rows[entry]
  }
  for (const row of view.delta.values()) if (!row.stub) yield row
}

/** Live rows of directories; where a directory has none, a stub of it. */
function placesOf(view: ModelView): Map<number, PlainRow> {
  const places = new Map<number, PlainRow>()
  for (const row of liveRows(view)) {
    if (row.directory === 0) continue
    if (places.has(row.directory)) throw new Error(`directory ${row.directory} has two live rows`)
    places.set(row.directory, row)
  }
  const live = new Set(places.keys())
  for (const { rows, dead } of view.segments.values()) {
    rows.forEach((row, entry) => {
      if (row.stub && !dead.has(entry) && !live.has(row.directory)) places.set(row.directory, row)
    })
  }
  return places
}

function pathOf(view: ModelView, from: PlainRow, places: ReadonlyMap<number, PlainRow>): string {
  const parts: string[] = []
  const seen = new Set<PlainRow>()
  for (let row = from; ; ) {
    if (seen.has(row)) throw new Error(`directory ${row.directory} is inside itself`)
    seen.add(row)
    if (row.parent !== 0 || !view.virtualRoot) parts.push(row.name)
    if (row.parent === 0) break
    const parent = places.get(row.parent)
    if (!parent) throw new Error(`${JSON.stringify(from.name)} hangs on directory ${row.parent}, which is nowhere`)
    row = parent
  }
  return view.prefix + parts.reverse().join('/')
}

function rowsOf(segment: PlainSegment): PlainRow[] {
  const rows: PlainRow[] = []
  for (let local = 0; local < segment.dirCount; local++) {
    const parent = segment.parentOf(local)
    rows.push({
      parent: parent < 0 ? 0 : segment.dirIdOf(parent),
      directory: segment.dirIdOf(local),
      name: latin1(segment.nameOf(local)),
      stub: segment.isStub(local),
      row: segment.readRow(local),
    })
  }
  for (let file = 0; file < segment.fileCount; file++) {
    const entry = segment.dirCount + file
    rows.push({
      parent: segment.dirIdOf(segment.directoryOfFile(file)),
      directory: 0,
      name: latin1(segment.nameOf(entry)),
      stub: false,
      row: segment.readRow(entry),
    })
  }
  return rows
}

function rowOf(columns: EntryColumns, i: number): PlainRow {
  const time = (column: TimeColumn | undefined): EntryRow['modified'] =>
    column && { seconds: column.seconds[i], ticks: column.ticks[i] }
  const bits = columns.kind[i] & KIND_MASK
  const kind =
    bits === Kind.directory
      ? Kind.directory
      : bits === Kind.symlink
        ? Kind.symlink
        : bits === Kind.file
          ? Kind.file
          : Kind.other
  return {
    parent: columns.parent[i],
    directory: columns.directory[i],
    name: latin1(columns.names.subarray(columns.nameOffsets[i], columns.nameOffsets[i + 1])),
    stub: (columns.kind[i] & KIND_STUB) !== 0,
    row: {
      kind,
      size: columns.size[i],
      modified: time(columns.modified),
      changed: time(columns.changed),
      created: time(columns.created),
      accessed: time(columns.accessed),
      attributes: columns.attributes?.[i],
      access: columns.access && {
        mode: columns.access.mode[i],
        user: columns.access.user[i],
        group: columns.access.group[i],
      },
      ref: columns.ref && { low: columns.ref.low[i], high: columns.ref.high[i], birth: columns.ref.birth[i] },
    },
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
