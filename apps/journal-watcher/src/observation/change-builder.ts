import {
  type AccessColumn,
  type ChangeColumns,
  Kind,
  type NodeRef,
  Op,
  type RefColumn,
  type TimeColumn,
} from '@hotpath/model'
import { packMode, type StatColumns } from '@hotpath/platform'

const NO_REF: NodeRef = { low: 0, high: 0, birth: 0 }
const NOTHING = new Uint8Array(0)
/** Most batches are a handful of rows; a full one grows to this in six steps. */
const FIRST_CAPACITY = 64
const TIMES = ['modified', 'changed', 'created'] as const

/** Collects observations as columns. About 100 bytes a row and its name. */
export class ChangeBuilder {
  #rows = 0
  #columns = columnsOf(FIRST_CAPACITY)
  #names = new Uint8Array(FIRST_CAPACITY * 16)
  #nameBytes = 0

  /**
   * @param namesOnly rows have no sizes and times
   * @param access rows say who may list directories
   */
  constructor(
    private readonly namesOnly: boolean,
    private readonly access = false,
  ) {}

  get count(): number {
    return this.#rows
  }

  /** Adds what row `row` of `stats` says of the name at names[start, end). */
  present(
    parent: NodeRef,
    names: Uint8Array,
    start: number,
    end: number,
    kind: Kind,
    ref: NodeRef,
    stats: StatColumns,
    row: number,
    observed: number,
  ): void {
    const at = this.#add(Op.present, parent, names, start, end, observed)
    const columns = this.#columns
    columns.kind[at] = kind
    columns.ref.low[at] = ref.low
    columns.ref.high[at] = ref.high
    columns.ref.birth[at] = ref.birth
    if (this.access && kind === Kind.directory) {
      columns.access.mode[at] = packMode(stats.mode[row]!, stats.acl[row]!)
      columns.access.user[at] = stats.user[row]!
      columns.access.group[at] = stats.group[row]!
    }
    if (this.namesOnly) return
    // As in a scan: the size of a directory says nothing about what is in it.
    columns.size[at] = kind === Kind.directory ? 0 : stats.size[row]!
    for (const name of TIMES) {
      columns[name].seconds[at] = stats[name].seconds[row]!
      columns[name].ticks[at] = stats[name].ticks[row]!
    }
  }

  absent(parent: NodeRef, name: Uint8Array, observed: number): void {
    this.#add(Op.absent, parent, name, 0, name.length, observed)
  }

  /** All that `directory` holds was added since the last `take`. */
  listed(directory: NodeRef, observed: number): void {
    this.#add(Op.listed, directory, NOTHING, 0, 0, observed)
  }

  /**
   * All that `directory` holds of the names from `from` on (empty: from the first) and before `before` (empty: to the last)
   * was added since the last `take`.
   */
  listedPart(directory: NodeRef, from: Uint8Array, before: Uint8Array, observed: number): void {
    this.#add(Op.listedFrom, directory, from, 0, from.length, observed)
    this.#add(Op.listedBefore, directory, before, 0, before.length, observed)
  }

  /** The rows so far; begins anew. */
  take(): ChangeColumns {
    const rows = this.#rows
    const columns = this.#columns
    const time = (column: TimeColumn): TimeColumn => ({
      seconds: column.seconds.slice(0, rows),
      ticks: column.ticks.slice(0, rows),
    })
    const taken: ChangeColumns = {
      op: columns.op.slice(0, rows),
      parentRef: {
        low: columns.parentRef.low.slice(0, rows),
        high: columns.parentRef.high.slice(0, rows),
        birth: columns.parentRef.birth.slice(0, rows),
      },
      entries: {
        count: rows,
        parent: new Uint32Array(rows),
        directory: new Uint32Array(rows),
        kind: columns.kind.slice(0, rows),
        nameOffsets: columns.nameOffsets.slice(0, rows + 1),
        names: this.#names.slice(0, this.#nameBytes),
        size: columns.size.slice(0, rows),
        ...(this.namesOnly
          ? {}
          : { modified: time(columns.modified), changed: time(columns.changed), created: time(columns.created) }),
        ref: {
          low: columns.ref.low.slice(0, rows),
          high: columns.ref.high.slice(0, rows),
          birth: columns.ref.birth.slice(0, rows),
        },
        ...(this.access && {
          access: {
            mode: columns.access.mode.slice(0, rows),
            user: columns.access.user.slice(0, rows),
            group: columns.access.group.slice(0, rows),
          },
        }),
      },
      observed: columns.observed.slice(0, rows),
    }
    this.#rows = 0
    this.#nameBytes = 0
    // What one huge directory needed is not kept.
    this.#columns = columnsOf(FIRST_CAPACITY)
    this.#names = new Uint8Array(FIRST_CAPACITY * 16)
    return taken
  }

  #add(op: Op, parent: NodeRef, names: Uint8Array, start: number, end: number, observed: number): number {
    const at = this.#rows++
    if (at === this.#columns.op.length) this.#columns = columnsOf(2 * at, this.#columns)
    const columns = this.#columns
    columns.op[at] = op
    columns.parentRef.low[at] = parent.low
    columns.parentRef.high[at] = parent.high
    columns.parentRef.birth[at] = parent.birth
    columns.observed[at] = observed
    columns.kind[at] = Kind.file
    columns.size[at] = Number.NaN
    for (const name of TIMES) columns[name].seconds[at] = Number.NaN
    columns.ref.low[at] = NO_REF.low
    columns.ref.high[at] = NO_REF.high
    columns.ref.birth[at] = NO_REF.birth
    const length = end - start
    if (this.#nameBytes + length > this.#names.length) {
      const larger = new Uint8Array(2 * (this.#nameBytes + length))
      larger.set(this.#names)
      this.#names = larger
    }
    this.#names.set(names.subarray(start, end), this.#nameBytes)
    this.#nameBytes += length
    columns.nameOffsets[at + 1] = this.#nameBytes
    return at
  }
}

interface Columns {
  readonly op: Uint8Array
  readonly parentRef: RefColumn
  readonly kind: Uint8Array
  readonly nameOffsets: Uint32Array
  readonly size: Float64Array
  readonly modified: TimeColumn
  readonly changed: TimeColumn
  readonly created: TimeColumn
  readonly ref: RefColumn
  readonly access: AccessColumn
  readonly observed: Float64Array
}

/** Columns for so many rows that begin with those of `from`. */
function columnsOf(capacity: number, from?: Columns): Columns {
  const grown = <T extends Uint8Array | Uint32Array | Float64Array>(to: T, old: T | undefined): T => {
    if (old !== undefined) to.set(old)
    return to
  }
  const u32 = (old: Uint32Array | undefined, length = capacity) => grown(new Uint32Array(length), old)
  const f64 = (old: Float64Array | undefined) => grown(new Float64Array(capacity), old)
  const u8 = (old: Uint8Array | undefined) => grown(new Uint8Array(capacity), old)
  const time = (old: TimeColumn | undefined): TimeColumn => ({
    seconds: f64(old?.seconds),
    ticks: u32(old?.ticks),
  })
  const ref = (old: RefColumn | undefined): RefColumn => ({
    low: u32(old?.low),
    high: u32(old?.high),
    birth: u32(old?.birth),
  })
  return {
    op: u8(from?.op),
    parentRef: ref(from?.parentRef),
    kind: u8(from?.kind),
    nameOffsets: u32(from?.nameOffsets, capacity + 1),
    size: f64(from?.size),
    modified: time(from?.modified),
    changed: time(from?.changed),
    created: time(from?.created),
    ref: ref(from?.ref),
    access: { mode: u32(from?.access.mode), user: u32(from?.access.user), group: u32(from?.access.group) },
    observed: f64(from?.observed),
  }
}
