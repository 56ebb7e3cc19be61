import type { EncodedNames } from './encoded-names.js'
import type { HeavySubstring } from './heavy-table.js'
import type { ByteStrings } from './names-block.js'
import type { NamedRows } from './segment-spec.js'

/** Arrays that kernels hand out and take. */
export type KernelArray = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** What the dictionary of a table says of rows. */
export interface RowsOfNames {
  /** Rows of each name. */
  readonly weights: Uint32Array
  /** The same as a byte, COUNT_OVERFLOW for as many and more. */
  readonly counts: Uint8Array
  /** Pairs (name, rows) of those, ascending. */
  readonly overflow: Uint32Array
  /** Position in `inverse` of the first row of each block's names, and the end. */
  readonly blockStarts: Uint32Array
  /** Rows by name, ascending within each. */
  readonly inverse: Uint32Array
}

/** The gram table of a dictionary and its posting lists, as they are written. */
export interface EncodedGrams {
  readonly count: number
  /** Gram numbers, ascending. */
  readonly keys: Uint32Array
  /** Where each list starts in `postings`, and the end. */
  readonly offsets: Uint32Array
  readonly blockCounts: Uint32Array
  readonly totals: Uint32Array
  readonly postings: Uint8Array
}

/** The names of a dictionary as they stand in a file, their checksums compared. */
export interface DictionaryBytes {
  readonly count: number
  /** The whole section. */
  readonly bytes: Uint8Array
  readonly blockOffsets: Uint32Array
}

/** Names of several dictionaries, each once. */
export interface MergedDictionaries {
  readonly names: EncodedNames
  /** newIds[dictionary][old name id] = name id in the merge; names that are not used have none. Arrays of their own. */
  readonly newIds: readonly Uint32Array[]
}

/** Seconds as they are written. */
export interface EncodedSeconds {
  readonly raw: Uint32Array
  /** Row u32 and seconds f64 of known values that do not fit, ascending by row. */
  readonly exceptions: Uint8Array
}

/**
 * The loops that building and merging spend their time in. `plainKernels` has them in TypeScript; a faster implementation gives
 * the same bytes. Nothing here does I/O.
 *
 * Arrays that are returned may lie in memory that is used again: they are valid until the `scope` ends in which they were made.
 * Arguments may be any arrays; those that came from the same kernels are not copied. Inputs are not modified unless said.
 * One segment at a time. Throws RangeError or InvalidInputError where the memory does not suffice.
 */
export interface BuildKernels {
  /** Runs `work`; what was handed out within is taken back at its end, so nothing of it may be in the result. */
  scope<T>(work: () => T): T
  /** Zeroed arrays. */
  words(count: number): Uint32Array
  doubles(count: number): Float64Array
  /** The array where the kernels can use it: itself, or a copy. For arrays that several calls take. */
  own<T extends KernelArray>(array: T): T

  /**
   * Distinct names of strings rows[0 … ), in dictionary order, and the name id of each of the rows.
   * `names` are at most MAX_NAME_BYTES each and their offsets ascend (see requireNames).
   */
  distinctNames(names: ByteStrings, rows: Uint32Array): NamedRows
  /** Names 0 … count - 1, all different, in dictionary order; `rank`: name id of each. */
  sortNames(names: ByteStrings, count: number): { names: EncodedNames; rank: Uint32Array }

  /**
   * Merges dictionaries, keeping names with used[dictionary][name] = 1. Undefined if one is damaged, and from kernels that cannot do it:
   * then names are read one by one, by who can say what is wrong.
   */
  mergeNames(dictionaries: readonly DictionaryBytes[], used: readonly Uint8Array[]): MergedDictionaries | undefined

  /** Positions of files by (directory, name), the last of equal ones kept. */
  orderFiles(dirs: Uint32Array, dirCount: number, names: Uint32Array, nameCount: number): Uint32Array
  /** out[i] = source[order[i]], of bytes the bits of `mask` (255). */
  gather(source: KernelArray, order: Uint32Array, out: Float64Array | Uint32Array, mask?: number): void
  /** Positions ordered by u32 columns, least significant first; each is used before the next is asked for. Stable. */
  radixOrder(columns: Iterable<Uint32Array>, count: number): Uint32Array

  rowsOfNames(nameIds: Uint32Array, nameCount: number): RowsOfNames
  encodeGrams(names: EncodedNames, weights: Uint32Array): EncodedGrams
  /** In byte order (see heavy-table.ts); the strings are copies. */
  findHeavySubstrings(
    names: EncodedNames,
    weights: Uint32Array,
    grams: Pick<EncodedGrams, 'count' | 'keys' | 'blockCounts'>,
    heavyBlocks?: number,
  ): HeavySubstring[]

  /** Values that fit in `width` bits, as packed-array.ts has them. */
  packArray(values: Uint32Array, count: number, width: number): Uint8Array
  encodeGroupedColumn(values: Uint32Array, count: number): Uint8Array
  /** `sizes` as `limitSizes` leaves them. */
  encodeSizeColumn(sizes: Float64Array, count: number): Uint8Array
  /** Makes sizes storable, in place. */
  limitSizes(sizes: Float64Array): void
  /** Zeros become NaN, in place. */
  dropZeros(values: Float64Array): void
  /** How many are NaN. */
  countUnknown(values: Float64Array): number
  encodeSeconds(seconds: Float64Array): EncodedSeconds
  anySet(values: Uint32Array): boolean
  /** Rows with the largest values, largest first (see extreme-rows.ts). */
  largestRows(values: Float64Array, minor?: Uint32Array, skip?: Uint8Array): Uint32Array
  smallestRows(values: Float64Array, minor?: Uint32Array, skip?: Uint8Array): Uint32Array

  /** CRC-32C of each page of `bytes` (whole pages), written to `out` from `at` on. */
  crcPages(bytes: Uint8Array, out: Uint32Array, at: number): void
}
