import { type ChangeColumns, Kind, type NodeRef, Op } from '@hotpath/model'
import { type MftRows, streamName } from '@hotpath/ntfs'
import type { FollowerStats } from '../observation/observation-batch.js'

/** Rows after which a batch is sent, unless the rest of a node or directory belongs to it. */
const BATCH_ROWS = 4_096
const NO_REF: NodeRef = { low: 0, high: 0, birth: 0 }
const NO_NAME = new Uint8Array(0)
/** Names of the range that begins with it are in no directory. */
const LAST_NAME = new Uint8Array(Buffer.from('\u{10ffff}'.repeat(4)))
const TIMES = ['modified', 'changed', 'created', 'accessed'] as const
/** Of a row that says nothing of metadata. */
const NOTHING = { name: NO_NAME, kind: Kind.file, size: Number.NaN, rows: undefined, at: 0 } as const

interface Row {
  readonly op: Op
  readonly parent: NodeRef
  readonly ref: NodeRef
  readonly name: Uint8Array
  readonly kind: Kind
  /** NaN: unknown. */
  readonly size: number
  /** What else the node is: row `at` of `rows`. */
  readonly rows: MftRows | undefined
  readonly at: number
  readonly observed: number
}

/** The batch that is being made of what a master file table says. Rows of tables are kept until it is sent. */
export class VolumeBatch {
  readonly stats: FollowerStats = { present: 0, absent: 0, listed: 0, errors: 0 }
  #rows: Row[] = []
  /** Directories that it says the place of. */
  readonly #placed = new Set<string>()

  constructor(private readonly emit: (changes: ChangeColumns) => void) {}

  /** Rows since the last `send`. */
  get count(): number {
    return this.#rows.length
  }

  get isFull(): boolean {
    return this.#rows.length >= BATCH_ROWS
  }

  /** Notes that the place of a directory is told; false: it was already. */
  place({ low, high, birth }: NodeRef): boolean {
    const key = `${low}.${high}.${birth}`
    if (this.#placed.has(key)) return false
    this.#placed.add(key)
    return true
  }

  /** What row `at` says: of the root itself where there is no parent. */
  present(parent: NodeRef | undefined, rows: MftRows, at: number, observed: number): void {
    const ref = refOf(rows, at)
    const name = parent === undefined ? NO_NAME : rows.names.subarray(rows.nameOffsets[at]!, rows.nameOffsets[at + 1]!)
    const kind = rows.kind[at]! as Kind
    this.#present({ parent: parent ?? NO_REF, ref, name, kind, size: rows.size[at]!, rows, at, observed })
  }

  /** An alternate stream of a node, beside the name in row `at`. */
  stream(parent: NodeRef, rows: MftRows, at: number, stream: number, observed: number): void {
    const size = rows.streams!.size[stream]!
    const name = streamName(rows, at, stream)
    this.#present({ parent, ref: refOf(rows, at), name, kind: Kind.file, size, rows, at, observed })
  }

  /** A directory that stands for one that is missing, or for all of them. */
  standIn(parent: NodeRef, ref: NodeRef, name: string, observed: number): void {
    this.#present({ ...NOTHING, parent, ref, name: Buffer.from(name), kind: Kind.directory, size: 0, observed })
  }

  /** A directory has no names but those that were told, as far as is known. */
  listedAsTold(parent: NodeRef, observed: number): void {
    const row = { ...NOTHING, parent, ref: NO_REF, observed }
    this.#rows.push({ ...row, op: Op.listedFrom, name: LAST_NAME }, { ...row, op: Op.listedBefore })
  }

  /** A node has the names under which it was told to be present since the last `send`, and no others. */
  named(ref: NodeRef, observed: number): void {
    this.#rows.push({ ...NOTHING, op: Op.named, parent: NO_REF, ref, observed })
  }

  /** A node has no names. */
  gone(ref: NodeRef, observed: number): void {
    this.named(ref, observed)
    this.stats.absent++
  }

  /** All that a directory holds was told to be present since the last `send`. */
  listed(directory: NodeRef, observed: number): void {
    this.#rows.push({ ...NOTHING, op: Op.listed, parent: directory, ref: NO_REF, observed })
    this.stats.listed++
  }

  /** Emits the rows so far. */
  send(): void {
    const rows = this.#rows
    if (rows.length === 0) return
    this.clear()
    this.emit(columnsOf(rows))
  }

  clear(): void {
    this.#rows = []
    this.#placed.clear()
  }

  #present(row: Omit<Row, 'op'>): void {
    this.#rows.push({ op: Op.present, ...row })
    this.stats.present++
  }
}

/** What a node of a volume is called: its record and sequence number, as in a listing. */
export function refOf(rows: MftRows, at: number): NodeRef {
  return { low: rows.record[at]!, high: 0, birth: rows.sequence[at]! }
}

function columnsOf(rows: readonly Row[]): ChangeColumns {
  const count = rows.length
  const u32 = (of: (row: Row) => number) => Uint32Array.from(rows, of)
  const refs = (of: (row: Row) => NodeRef) => ({
    low: u32(row => of(row).low),
    high: u32(row => of(row).high),
    birth: u32(row => of(row).birth),
  })
  const time = (name: (typeof TIMES)[number]) => ({
    seconds: Float64Array.from(rows, ({ rows, at }) => (rows === undefined ? Number.NaN : rows[name].seconds[at]!)),
    ticks: u32(({ rows, at }) => (rows === undefined ? 0 : rows[name].ticks[at]!)),
  })
  const nameOffsets = new Uint32Array(count + 1)
  for (const [i, { name }] of rows.entries()) nameOffsets[i + 1] = nameOffsets[i]! + name.length
  const names = new Uint8Array(nameOffsets[count]!)
  for (const [i, { name }] of rows.entries()) names.set(name, nameOffsets[i])
  return {
    op: Uint8Array.from(rows, ({ op }) => op),
    parentRef: refs(({ parent }) => parent),
    entries: {
      count,
      parent: new Uint32Array(count),
      directory: new Uint32Array(count),
      kind: Uint8Array.from(rows, ({ kind }) => kind),
      nameOffsets,
      names,
      size: Float64Array.from(rows, ({ size }) => size),
      modified: time('modified'),
      changed: time('changed'),
      created: time('created'),
      accessed: time('accessed'),
      attributes: u32(({ rows, at }) => (rows === undefined ? 0 : rows.attributes[at]!)),
      ref: refs(({ ref }) => ref),
    },
    observed: Float64Array.from(rows, ({ observed }) => observed),
  }
}
