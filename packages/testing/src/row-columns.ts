import {
  type ChangeColumns,
  type EntryColumns,
  type EntryRow,
  type NodeRef,
  type Op,
  TIME_COLUMNS,
} from '@hotpath/model'

/** A row of entry columns, by value. */
export interface PlainEntry {
  readonly parent: number
  readonly directory: number
  /** With KIND_STUB. */
  readonly kind: number
  /** Bytes, or text that is encoded as UTF-8. */
  readonly name: string | Uint8Array
  readonly row?: Partial<EntryRow>
}

/** An observation, by value. */
export interface PlainChange {
  readonly op: Op
  readonly parentRef: NodeRef
  /** Empty for `listed`. */
  readonly name: string | Uint8Array
  readonly row?: EntryRow
  readonly observed: number
}

const NO_REF: NodeRef = { low: 0, high: 0, birth: 0 }

/** Columns of rows; an optional column is there if some row has it. */
export function entryColumns(rows: readonly PlainEntry[]): EntryColumns {
  const names = rows.map(({ name }) => (typeof name === 'string' ? new TextEncoder().encode(name) : name))
  const nameOffsets = new Uint32Array(rows.length + 1)
  names.forEach((name, i) => {
    nameOffsets[i + 1] = nameOffsets[i] + name.length
  })
  const times: Partial<Record<(typeof TIME_COLUMNS)[number], { seconds: Float64Array; ticks: Uint32Array }>> = {}
  for (const column of TIME_COLUMNS) {
    if (!rows.some(({ row }) => row?.[column])) continue
    times[column] = {
      seconds: Float64Array.from(rows, ({ row }) => row?.[column]?.seconds ?? Number.NaN),
      ticks: Uint32Array.from(rows, ({ row }) => row?.[column]?.ticks ?? 0),
    }
  }
  return {
    count: rows.length,
    parent: Uint32Array.from(rows, row => row.parent),
    directory: Uint32Array.from(rows, row => row.directory),
    kind: Uint8Array.from(rows, row => row.kind),
    nameOffsets,
    names: new Uint8Array(Buffer.concat(names)),
    size: Float64Array.from(rows, ({ row }) => row?.size ?? Number.NaN),
    ...times,
    ...(rows.some(({ row }) => row?.attributes !== undefined) && {
      attributes: Uint32Array.from(rows, ({ row }) => row?.attributes ?? 0),
    }),
    ...(rows.some(({ row }) => row?.access) && {
      access: {
        mode: Uint32Array.from(rows, ({ row }) => row?.access?.mode ?? 0),
        user: Uint32Array.from(rows, ({ row }) => row?.access?.user ?? 0),
        group: Uint32Array.from(rows, ({ row }) => row?.access?.group ?? 0),
      },
    }),
    ...(rows.some(({ row }) => row?.ref) && { ref: refColumn(rows.map(({ row }) => row?.ref ?? NO_REF)) }),
  }
}

export function changeColumns(changes: readonly PlainChange[]): ChangeColumns {
  return {
    op: Uint8Array.from(changes, change => change.op),
    parentRef: refColumn(changes.map(change => change.parentRef)),
    entries: entryColumns(
      changes.map(({ name, row }) => ({ parent: 0, directory: 0, kind: row?.kind ?? 0, name, row })),
    ),
    observed: Float64Array.from(changes, change => change.observed),
  }
}

function refColumn(refs: readonly NodeRef[]): { low: Uint32Array; high: Uint32Array; birth: Uint32Array } {
  return {
    low: Uint32Array.from(refs, ref => ref.low),
    high: Uint32Array.from(refs, ref => ref.high),
    birth: Uint32Array.from(refs, ref => ref.birth),
  }
}
