import type { EntryColumns } from '@hotpath/model'
import type { MftRows } from './mft-rows.js'

/** Below, a loop is quicker than a view for each column. */
const FEW_ROWS = 12

/** Memory for the entries of a batch. */
export type ListingColumns = ReturnType<typeof listingColumns>

export function listingColumns(rows: number, nameBytes: number) {
  const time = () => ({ seconds: new Float64Array(rows), ticks: new Uint32Array(rows) })
  return {
    parent: new Uint32Array(rows),
    directory: new Uint32Array(rows),
    kind: new Uint8Array(rows),
    nameOffsets: new Uint32Array(rows + 1),
    names: new Uint8Array(nameBytes),
    size: new Float64Array(rows),
    attributes: new Uint32Array(rows),
    ref: { low: new Uint32Array(rows), high: new Uint32Array(rows), birth: new Uint32Array(rows) },
    modified: time(),
    changed: time(),
    created: time(),
    accessed: time(),
  }
}

/** The first rows, as views. */
export function entriesOf(columns: ListingColumns, count: number): EntryColumns {
  const { ref, nameOffsets } = columns
  const time = (column: { seconds: Float64Array; ticks: Uint32Array }) => ({
    seconds: column.seconds.subarray(0, count),
    ticks: column.ticks.subarray(0, count),
  })
  return {
    count,
    parent: columns.parent.subarray(0, count),
    directory: columns.directory.subarray(0, count),
    kind: columns.kind.subarray(0, count),
    nameOffsets: nameOffsets.subarray(0, count + 1),
    names: columns.names.subarray(0, nameOffsets[count]),
    size: columns.size.subarray(0, count),
    attributes: columns.attributes.subarray(0, count),
    ref: {
      low: ref.low.subarray(0, count),
      high: ref.high.subarray(0, count),
      birth: ref.birth.subarray(0, count),
    },
    modified: time(columns.modified),
    changed: time(columns.changed),
    created: time(columns.created),
    accessed: time(columns.accessed),
  }
}

/** Copies rows that follow each other, with their names; not parent and directory, which they do not have. */
export function copyRows(from: MftRows, start: number, end: number, to: ListingColumns, at: number): void {
  copyNames(from, start, end, to, at)
  if (end - start < FEW_ROWS) {
    for (let row = start; row < end; row++) copyRow(from, row, to, at + row - start)
    return
  }
  to.kind.set(from.kind.subarray(start, end), at)
  to.size.set(from.size.subarray(start, end), at)
  to.attributes.set(from.attributes.subarray(start, end), at)
  to.ref.low.set(from.record.subarray(start, end), at)
  to.ref.high.fill(0, at, at + end - start)
  to.ref.birth.set(from.sequence.subarray(start, end), at)
  for (const time of ['modified', 'changed', 'created', 'accessed'] as const) {
    to[time].seconds.set(from[time].seconds.subarray(start, end), at)
    to[time].ticks.set(from[time].ticks.subarray(start, end), at)
  }
}

/** Copies what a row has beside its name. */
export function copyRow(from: MftRows, row: number, to: ListingColumns, at: number): void {
  to.kind[at] = from.kind[row]!
  to.size[at] = from.size[row]!
  to.attributes[at] = from.attributes[row]!
  to.ref.low[at] = from.record[row]!
  to.ref.high[at] = 0
  to.ref.birth[at] = from.sequence[row]!
  to.modified.seconds[at] = from.modified.seconds[row]!
  to.modified.ticks[at] = from.modified.ticks[row]!
  to.changed.seconds[at] = from.changed.seconds[row]!
  to.changed.ticks[at] = from.changed.ticks[row]!
  to.created.seconds[at] = from.created.seconds[row]!
  to.created.ticks[at] = from.created.ticks[row]!
  to.accessed.seconds[at] = from.accessed.seconds[row]!
  to.accessed.ticks[at] = from.accessed.ticks[row]!
}

function copyNames(from: MftRows, start: number, end: number, to: ListingColumns, at: number): void {
  const first = from.nameOffsets[start]!
  const last = from.nameOffsets[end]!
  const into = to.nameOffsets[at]!
  if (end - start < FEW_ROWS) for (let i = first; i < last; i++) to.names[into + i - first] = from.names[i]!
  else to.names.set(from.names.subarray(first, last), into)
  for (let row = start; row < end; row++)
    to.nameOffsets[at + row - start + 1] = from.nameOffsets[row + 1]! - first + into
}
