import { type EntryColumns, InvalidInputError, KIND_MASK, KIND_STUB, Kind, TIME_COLUMNS } from '@hotpath/model'

/** When directories of a batch were listed. */
export interface Listing {
  /** The scan's directory numbers. */
  readonly directory: Uint32Array
  /** Microseconds of the monotonic clock before the listing began. */
  readonly observed: Float64Array
}

/**
 * Columns that are as long as they say, with known kinds: what any source must keep, whatever its rows mean.
 * @throws InvalidInputError
 */
export function checkEntries(entries: EntryColumns): void {
  const { count, nameOffsets, names } = entries
  const need = (what: string, length: number | undefined, expected: number): void => {
    if (length !== undefined && length !== expected)
      throw new InvalidInputError(`scan batch: ${what}`, `${expected} values`, `${length}`)
  }
  need('parent', entries.parent.length, count)
  need('directory', entries.directory.length, count)
  need('kind', entries.kind.length, count)
  need('size', entries.size.length, count)
  need('name offsets', nameOffsets.length, count + 1)
  need('attributes', entries.attributes?.length, count)
  for (const column of TIME_COLUMNS) {
    need(column, entries[column]?.seconds.length, count)
    need(column, entries[column]?.ticks.length, count)
  }
  for (const part of ['mode', 'user', 'group'] as const) need('access', entries.access?.[part].length, count)
  for (const part of ['low', 'high', 'birth'] as const) need('ref', entries.ref?.[part].length, count)
  for (let row = 0; row < count; row++) {
    if (nameOffsets[row + 1] < nameOffsets[row]) throw new InvalidInputError('name offsets', 'ascending', `row ${row}`)
    if ((entries.kind[row] & ~(KIND_MASK | KIND_STUB)) !== 0 || (entries.kind[row] & KIND_MASK) > Kind.other) {
      throw new InvalidInputError(`scan row ${row}`, 'a known kind', `${entries.kind[row]}`)
    }
  }
  if (nameOffsets[0] !== 0 || nameOffsets[count] !== names.length) {
    throw new InvalidInputError('names', `${nameOffsets[count]} bytes`, `${names.length}`)
  }
}
