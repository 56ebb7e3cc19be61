import type { EncodedNames } from './encoded-names.js'
import type { AccessSection, Table } from './segment-layout.js'

/** Columns that a segment can hold, beside names and tree. Times are split in seconds and ticks. */
export type NumberColumn =
  | 'size'
  | 'kind'
  | 'attributes'
  | AccessSection
  | 'refLow'
  | 'refHigh'
  | 'refBirth'
  | `${'modified' | 'changed' | 'created' | 'accessed'}${'Seconds' | 'Ticks'}`

/** The dictionary of a table. */
export interface NamedRows {
  readonly names: EncodedNames
  /** Name id of each row. */
  readonly nameIds: Uint32Array
}

/** A `takeNames` that forgets what it gave. */
export function namesOnce(dirs: NamedRows, files: NamedRows): SegmentSpec['takeNames'] {
  const rest = new Map<Table, NamedRows>([
    ['d', dirs],
    ['f', files],
  ])
  return table => {
    const given = rest.get(table)
    if (given === undefined) throw new RangeError(`names of table ${table} were given away`)
    rest.delete(table)
    return given
  }
}

/**
 * Everything that the segment writer needs, in the order of the file: what the row builder and the merge both produce.
 * Directories are in depth-first preorder with siblings in dictionary order, row 0 being the view's root; files are
 * grouped by directory in that order and are in dictionary order within it.
 */
export interface SegmentSpec {
  readonly dirCount: number
  readonly fileCount: number
  readonly dirIds: Uint32Array
  /** Local parent of each directory; row 0 has 0. */
  readonly dirParents: Uint32Array
  /** Subtree of d = rows [d, dirEnds[d]). */
  readonly dirEnds: Uint32Array
  /** dirCount + 1 values; the files of d itself are [dirFirstFiles[d], dirFirstFiles[d + 1]). */
  readonly dirFirstFiles: Uint32Array
  /** 1 where the row is a stub. */
  readonly stubs: Uint8Array
  /** The names of a table, to be asked for once: they are large and not needed for the rest. */
  takeNames(table: Table): NamedRows
  /** Fills all of `out` with the column in row order; false if the rows have no such column. Unknown sizes and seconds are NaN. */
  fill(table: Table, column: NumberColumn, out: Float64Array | Uint32Array): boolean
}
