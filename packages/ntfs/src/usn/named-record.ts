import { putFileTime } from '../file-time.js'
import { NO_RECORD } from '../mft-parser.js'
import { writeWtf8 } from '../wtf8.js'
import { MAX_NAME_BYTES, type NamedLayout } from './usn-layout.js'
import type { UsnRows } from './usn-rows.js'

/** Where the name of a record lies, from its first byte on. */
export interface NamePlace {
  readonly offset: number
  readonly bytes: number
}

/** A field of a record that cannot be. */
export interface BadField {
  readonly field: number
  readonly expected: string
  readonly found: unknown
}

/** The name of a V2 or V3 record of `length` bytes (no fewer than its fields) that begins at byte `at`. */
export function nameOf(words: Uint16Array, at: number, length: number, layout: NamedLayout): NamePlace | BadField {
  const bytes = words[(at + layout.nameBytes) >> 1]!
  if ((bytes & 1) !== 0 || bytes > MAX_NAME_BYTES)
    return { field: layout.nameBytes, expected: 'a name of 255 units at most', found: `${bytes} bytes` }
  const offset = words[(at + layout.nameOffset) >> 1]!
  if ((offset & 1) === 0 && offset >= layout.bytes && offset + bytes <= length) return { offset, bytes }
  return {
    field: layout.nameOffset,
    expected: `a name inside of the ${length} bytes of the record`,
    found: `${bytes} from ${offset} on`,
  }
}

/** Adds the row of a record; there must be room for it. */
export function putNamed(
  words: Uint16Array,
  quads: Uint32Array,
  at: number,
  name: NamePlace,
  layout: NamedLayout,
  usn: number,
  rows: UsnRows,
): void {
  const row = rows.count++
  rows.usn[row] = usn
  putReference(quads, at + layout.reference, layout, rows.record, rows.sequence, row)
  putReference(quads, at + layout.parent, layout, rows.parent, rows.parentSequence, row)
  putFileTime(rows.time, row, quads[(at + layout.time) >> 2]!, quads[(at + layout.time + 4) >> 2]!)
  rows.reasons[row] = quads[(at + layout.reasons) >> 2]!
  rows.sourceInfo[row] = quads[(at + layout.sourceInfo) >> 2]!
  rows.attributes[row] = quads[(at + layout.attributes) >> 2]!
  const start = rows.nameOffsets[row]!
  rows.nameOffsets[row + 1] = writeWtf8(words, (at + name.offset) >> 1, name.bytes >> 1, rows.names, start)
}

function putReference(
  quads: Uint32Array,
  at: number,
  { referenceBytes }: NamedLayout,
  numbers: Uint32Array,
  sequences: Uint32Array,
  row: number,
): void {
  const quad = at >> 2
  const high = quads[quad + 1]!
  const isLong = referenceBytes > 8 && (quads[quad + 2] !== 0 || quads[quad + 3] !== 0)
  numbers[row] = isLong || (high & 0xffff) !== 0 ? NO_RECORD : quads[quad]!
  sequences[row] = high >>> 16
}
