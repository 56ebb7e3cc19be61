// Fields of the argument record (u32 each); src/kernel-functions.ts says what they mean.
export const PROGRAM: usize = 0
export const PROGRAM_BYTES: usize = 4
export const NAMES: usize = 8
export const NAMES_BYTES: usize = 12
export const OFFSETS: usize = 16
export const BLOCKS: usize = 20
export const NAME_COUNT: usize = 24
export const LIST: usize = 28
export const FROM: usize = 32
export const TO: usize = 36
export const OUT: usize = 40
export const CAPACITY: usize = 44
export const BITS: usize = 48
export const COUNTS: usize = 52
export const OVERFLOW: usize = 56
export const OVERFLOW_COUNT: usize = 60

/** Value of the varint at `at`, of at most 3 bytes; `next` has the position after it, 0 if it is damaged. */
export let next: usize = 0

export function readVarint(at: usize, end: usize): u32 {
  let value: u32 = 0
  for (let shift: u32 = 0; shift < 21 && at < end; shift += 7) {
    const byte = <u32>load<u8>(at++)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      next = at
      return value
    }
  }
  next = 0
  return 0
}
