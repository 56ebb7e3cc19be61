import {
  type Access,
  type EntryColumns,
  KIND_STUB,
  Kind,
  NO_DIRECTORY,
  type NodeRef,
  TIME_COLUMNS,
  type Time,
  type TimeColumn,
  type TimeColumnName,
} from '@hotpath/model'

/** A row of a tree as a plain object: what tests make, change and compare. */
export interface ModelRow {
  readonly parent: number
  /** Own directory id, 0 for what is no directory. */
  readonly directory: number
  readonly kind: number
  readonly stub: boolean
  readonly name: Uint8Array
  /** NaN: unknown. */
  readonly size: number
  readonly times: Partial<Record<TimeColumnName, Time>>
  readonly attributes: number
  readonly ref: NodeRef
}

/** Which optional columns rows are given. */
export interface ModelColumns {
  readonly times: readonly TimeColumnName[]
  readonly attributes: boolean
  readonly refs: boolean
  /** Of directories, made of their refs (`accessOf`). */
  readonly access?: boolean
}

export const ALL_COLUMNS: ModelColumns = { times: TIME_COLUMNS, attributes: true, refs: true, access: true }

/** Who may list a directory of the model: some of each kind, most alike. */
export function accessOf({ ref }: ModelRow): Access {
  // Of a stub nothing is known.
  if (ref.low === 0 && ref.high === 0 && ref.birth === 0) return { mode: 0, user: 0, group: 0 }
  const mode = ref.low % 4 === 0 ? ref.low : 0o755
  return { mode, user: ref.birth % 3, group: ref.birth % 2 === 0 ? 0xfffffffe : 100 }
}

export const NO_REF: NodeRef = { low: 0, high: 0, birth: 0 }

export function columnsOf(rows: readonly ModelRow[], columns: ModelColumns): EntryColumns {
  const nameOffsets = new Uint32Array(rows.length + 1)
  rows.forEach((row, i) => {
    nameOffsets[i + 1] = nameOffsets[i] + row.name.length
  })
  const names = new Uint8Array(nameOffsets[rows.length])
  rows.forEach((row, i) => {
    names.set(row.name, nameOffsets[i])
  })
  const u32 = (value: (row: ModelRow) => number): Uint32Array => Uint32Array.from(rows, value)
  const time = (name: TimeColumnName): Partial<Record<TimeColumnName, TimeColumn>> =>
    columns.times.includes(name)
      ? {
          [name]: {
            seconds: Float64Array.from(rows, row => row.times[name]?.seconds ?? Number.NaN),
            ticks: u32(row => row.times[name]?.ticks ?? 0),
          },
        }
      : {}
  return {
    count: rows.length,
    parent: u32(row => row.parent),
    directory: u32(row => row.directory),
    kind: Uint8Array.from(rows, row => row.kind | (row.stub ? KIND_STUB : 0)),
    nameOffsets,
    names,
    size: Float64Array.from(rows, row => row.size),
    ...time('modified'),
    ...time('changed'),
    ...time('created'),
    ...time('accessed'),
    ...(columns.attributes ? { attributes: u32(row => row.attributes) } : {}),
    ...(columns.access
      ? {
          access: {
            mode: u32(row => (row.kind === Kind.directory ? accessOf(row).mode : 0)),
            user: u32(row => (row.kind === Kind.directory ? accessOf(row).user : 0)),
            group: u32(row => (row.kind === Kind.directory ? accessOf(row).group : 0)),
          },
        }
      : {}),
    ...(columns.refs
      ? { ref: { low: u32(row => row.ref.low), high: u32(row => row.ref.high), birth: u32(row => row.ref.birth) } }
      : {}),
  }
}

export function directoryRow(
  id: number,
  parent: number,
  name: string | Uint8Array,
  more: Partial<ModelRow> = {},
): ModelRow {
  return modelRow({ parent, directory: id, kind: Kind.directory, name: bytesOfText(name), ...more })
}

export function fileRow(parent: number, name: string | Uint8Array, more: Partial<ModelRow> = {}): ModelRow {
  return modelRow({ parent, name: bytesOfText(name), ...more })
}

function modelRow(row: Partial<ModelRow>): ModelRow {
  return {
    parent: NO_DIRECTORY,
    directory: 0,
    kind: Kind.file,
    stub: false,
    name: new Uint8Array(0),
    size: Number.NaN,
    times: {},
    attributes: 0,
    ref: NO_REF,
    ...row,
  }
}

export function bytesOfText(name: string | Uint8Array): Uint8Array {
  return typeof name === 'string' ? new TextEncoder().encode(name) : name
}
