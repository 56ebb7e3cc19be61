import {
  type Access,
  type AccessColumn,
  type ChangeColumns,
  type EntryColumns,
  type EntryRow,
  KIND_MASK,
  Kind,
  type NodeRef,
  type RefColumn,
  TIME_COLUMNS,
  type Time,
  type TimeColumn,
} from '@hotpath/model'

/** Names are bytes; as keys of maps they are strings of one character a byte. */
export function nameKey(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1')
}

export function refKey(ref: NodeRef): string {
  return `${ref.low}.${ref.high}.${ref.birth}`
}

/** The node of row `i`; undefined where all three parts are 0 (no ref). */
export function refAt(column: RefColumn | undefined, i: number): NodeRef | undefined {
  if (column === undefined) return undefined
  const low = column.low[i]
  const high = column.high[i]
  const birth = column.birth[i]
  return low === 0 && high === 0 && birth === 0 ? undefined : { low, high, birth }
}

export function kindOf(bits: number): Kind {
  const kind = bits & KIND_MASK
  if (kind === Kind.directory) return Kind.directory
  if (kind === Kind.symlink) return Kind.symlink
  return kind === Kind.file ? Kind.file : Kind.other
}

function timeAt(column: TimeColumn | undefined, i: number): Time | undefined {
  if (column === undefined || Number.isNaN(column.seconds[i])) return undefined
  return { seconds: column.seconds[i], ticks: column.ticks[i] }
}

function accessAt(column: AccessColumn | undefined, i: number): Access | undefined {
  return column && { mode: column.mode[i], user: column.user[i], group: column.group[i] }
}

/** Metadata of row `i`. Directories have no size. */
export function rowAt(entries: EntryColumns, i: number): EntryRow {
  const kind = kindOf(entries.kind[i])
  return {
    kind,
    size: kind === Kind.directory ? Number.NaN : entries.size[i],
    modified: timeAt(entries.modified, i),
    changed: timeAt(entries.changed, i),
    created: timeAt(entries.created, i),
    accessed: timeAt(entries.accessed, i),
    attributes: entries.attributes?.[i],
    access: kind === Kind.directory ? accessAt(entries.access, i) : undefined,
    ref: refAt(entries.ref, i),
  }
}

/** Name of row `i`, as a copy. */
export function nameAt(entries: EntryColumns, i: number): Uint8Array {
  return new Uint8Array(entries.names.subarray(entries.nameOffsets[i], entries.nameOffsets[i + 1]))
}

export function parentRefAt(changes: ChangeColumns, i: number): NodeRef | undefined {
  return refAt(changes.parentRef, i)
}

/** True if an index cannot tell the two apart: unknown times and missing columns are the same. */
export function isSameRow(a: EntryRow, b: EntryRow): boolean {
  if (a.kind !== b.kind) return false
  if (a.kind !== Kind.directory && !Object.is(a.size, b.size)) return false
  if (!isSameAccess(a.access, b.access)) return false
  if ((a.attributes ?? 0) !== (b.attributes ?? 0) || !isSameRef(a.ref, b.ref)) return false
  for (const column of TIME_COLUMNS) if (!isSameTime(a[column], b[column])) return false
  return true
}

function isSameAccess(a: Access | undefined, b: Access | undefined): boolean {
  const { mode = 0, user = 0, group = 0 } = a ?? {}
  return mode === (b?.mode ?? 0) && user === (b?.user ?? 0) && group === (b?.group ?? 0)
}

export function isSameTime(a: Time | undefined, b: Time | undefined): boolean {
  const known = a !== undefined && !Number.isNaN(a.seconds)
  if (known !== (b !== undefined && !Number.isNaN(b.seconds))) return false
  return !known || (a.seconds === b?.seconds && a.ticks === b.ticks)
}

export function isSameRef(a: NodeRef | undefined, b: NodeRef | undefined): boolean {
  return (a?.low ?? 0) === (b?.low ?? 0) && (a?.high ?? 0) === (b?.high ?? 0) && (a?.birth ?? 0) === (b?.birth ?? 0)
}

export function isSameName(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}
