// Fixed places in the memory, below the scratch space; src/memory-layout.ts has the same numbers and a test compares.
// There are no static data and no heap: the module never grows the memory and allocates nothing.

/** Result record: see the fields below. */
export const RESULT: usize = 0x100
/** u32: where bytes broke their layout. */
export const RESULT_OFFSET: usize = RESULT
/** u32: names that matched in this call. */
export const RESULT_MATCHES: usize = RESULT + 4
/** u32: where to go on (position in the list of blocks, or name). */
export const RESULT_NEXT: usize = RESULT + 8
/** f64: sum of the counts of the names that matched. */
export const RESULT_SUM: usize = RESULT + 16

/**
 * 64 bytes of ones, then 64 of zeros: from byte 64 - n on, a mask of the first n lanes. Constants of vectors are loaded
 * and not written down, because the compiler of V8 builds them anew at each use, in four instructions.
 */
export const LANE_MASKS: usize = 0x200
/** 16 times 0x3f, 16 times -128 + 26, 16 times 0x20. */
export const LOWER_CONSTANTS: usize = 0x280
/** 8 tables of 256 u32. */
export const CRC_TABLES: usize = 0x400
/**
 * Of a text that is looked for, by byte (u32 each): the places 1 … 31 of the text that have the byte, and the places whose
 * next byte it is or that have no next one.
 */
export const TEXT_PLACES: usize = 0x2400
export const TEXT_NEXT: usize = 0x2800
/** Of the names of a block (u32 each): where the stored suffix starts, and how many bytes are shared. */
export const SUFFIX_STARTS: usize = 0x2c00
export const SHARED_BYTES: usize = 0x2c80
/** Numbers of names of a block, a byte each. */
export const NAME_CHAIN: usize = 0x2d00
/** The name being decoded as it is stored, and ASCII-lower-cased; each with room for vector loads and stores past its end. */
export const NAME_ORIGINAL: usize = 0x5000
export const NAME_LOWERED: usize = 0x6200
/** 8 KiB: one container as bits. */
export const CONTAINER_BITS: usize = 0x8000
/** 128 KiB: one container as u16 values. */
export const CONTAINER_VALUES: usize = 0xa000
/** Cursors over Roaring sets. */
export const SET_CURSORS: usize = 0x2a000
export const MAX_SETS: u32 = 256

// Status codes; 0 and above is success.
export const MALFORMED: i32 = -1
export const NO_ROOM: i32 = -2
export const BAD_PROGRAM: i32 = -3
export const BAD_ARGUMENT: i32 = -4

export const MAX_NAME_BYTES: u32 = 4096
export const MAX_KEY_BYTES: u32 = 12288
export const BLOCK_NAMES: u32 = 32

/** Reports damage at an address. */
@inline
export function malformed(at: usize): i32 {
  store<u32>(RESULT_OFFSET, <u32>at)
  return MALFORMED
}
