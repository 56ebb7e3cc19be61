/**
 * The kernels as functions over one memory: addresses and lengths in bytes unless said otherwise, status codes of
 * memory-layout.ts below zero. The WebAssembly module exports these, and src/twin has them in plain TypeScript.
 * Results that are u32 come as signed numbers from WebAssembly: callers apply `>>> 0`.
 *
 * Nothing is written but the outputs, the result record, the kernels' own buffers, and the state within programs.
 * Inputs may be read up to READ_PAST_BYTES past their end.
 */
export interface KernelFunctions {
  /** Once, before any other. */
  initialise(): void
  crc32c(at: number, length: number, seed: number): number
  /** CRC of each page (`pageBytes`: a multiple of 8) as u32 to `out`. */
  crc32cPages(at: number, pageBytes: number, count: number, out: number): void

  /** Ids that a Roaring set declares, or a status. */
  roaringCardinality(at: number, length: number): number
  /** `sets`: `count` pairs of u32 (address, length), smallest first. Ids ascending to `out`; how many, or a status. */
  intersect(sets: number, count: number, out: number, capacity: number): number
  unite(sets: number, count: number, out: number, capacity: number): number
  /** Ascending u32 lists; counts are of ids. `out` may be a or b. */
  intersectSorted(a: number, aCount: number, b: number, bCount: number, out: number): number
  /** What is in a and not in b; `out` may be a. */
  subtractSorted(a: number, aCount: number, b: number, bCount: number, out: number): number
  /** `out` overlaps neither. */
  uniteSorted(a: number, aCount: number, b: number, bCount: number, out: number, capacity: number): number

  /**
   * Runs a name program over the names of blocks. `args`: address of u32 fields (VERIFY_FIELDS). 0 or a status; the
   * result record has the names that matched, where to go on if there was no room for another whole block, and the
   * sum of their counts. On Status.malformed its `offset` is the address at fault.
   */
  verifyBlocks(args: number): number
  /** The same over names that are not encoded. `args`: ARENA_FIELDS. */
  scanArena(args: number): number

  /** Counts values low … high (u32, both included) of a u32 column; with `bits` (or 0) writes one bit a value. */
  filterU32Range(column: number, count: number, low: number, high: number, bits: number): number
  /** Bits set among from … to (not included). */
  popcountBits(bits: number, from: number, to: number): number
  /** Numbers of the bits set among from … to, ascending, at most `capacity`. */
  listBits(bits: number, from: number, to: number, out: number, capacity: number): number
  /** Bit-packed values (width 0 … 32) as u32. */
  unpackBits(packed: number, width: number, first: number, count: number, out: number): void
  /** The same at `ids`, each below `length`; `out` may be `ids`. 0 or a status. */
  gatherBits(packed: number, width: number, length: number, ids: number, count: number, out: number): number
  gatherU32(column: number, length: number, ids: number, count: number, out: number): number
  /** Bit i of `out`: bit number value i of `bits`. How many are set, or a status if a value is not below `bitCount`. */
  selectPacked(packed: number, width: number, count: number, bits: number, bitCount: number, out: number): number
  /**
   * Bit i of `out`, for i from … to (not included; `from` a multiple of 64): size i of a size column of `count` is
   * low … high (0 or more, both included). How many are, or a status.
   */
  filterSizes(
    column: number,
    bytes: number,
    count: number,
    from: number,
    to: number,
    low: number,
    high: number,
    out: number,
  ): number
  /**
   * Rows of the names of blocks from … to (not included) whose bit of `bits` is set: how many (exact up to 2^53), or a
   * status. Sets their bits in `out` (others are left alone), unless that is 0; `starts` (position in `inverse` of each
   * block's first row), `inverse` (packed rows by name) and `width` are only read then.
   */
  expandNames(
    bits: number,
    from: number,
    to: number,
    nameCount: number,
    counts: number,
    overflow: number,
    overflowCount: number,
    starts: number,
    inverse: number,
    width: number,
    rowCount: number,
    out: number,
  ): number
}

/** Byte offsets of the fields (u32) of verifyBlocks' arguments. */
export const VERIFY_FIELDS = {
  program: 0,
  programBytes: 4,
  names: 8,
  namesBytes: 12,
  /** Start of each block in `names`, and the end of the last: blocks + 1 values. */
  offsets: 16,
  blocks: 20,
  nameCount: 24,
  /** Block numbers (u32), or 0: then positions are block numbers. */
  list: 28,
  /** First position, and the one after the last. */
  from: 32,
  to: 36,
  /** Ids of names (u32, ascending if the list is) are written here, or 0. */
  out: 40,
  /** Ids that fit in `out`; at least a block's. */
  capacity: 44,
  /** Bit of each name that matches is set here (others are left alone), or 0. */
  bits: 48,
  /** Entries of each name, a byte each, or 0. */
  counts: 52,
  /** Pairs of u32 (name, count), ascending, for those that are 255. */
  overflow: 56,
  overflowCount: 60,
} as const
export const VERIFY_ARGS_BYTES = 64

/** Byte offsets of the fields (u32) of scanArena's arguments. */
export const ARENA_FIELDS = {
  program: 0,
  programBytes: 4,
  keys: 8,
  /** `to` + 1 offsets into `keys`, u32. */
  keyOffsets: 12,
  keysBytes: 16,
  originals: 20,
  originalOffsets: 24,
  originalsBytes: 28,
  from: 32,
  to: 36,
  out: 40,
  capacity: 44,
} as const
export const ARENA_ARGS_BYTES = 48
