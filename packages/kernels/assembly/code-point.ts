/**
 * Bytes of the character at `at`, of which `left` (at least 1) are there: 2 to 4 for a well-formed UTF-8 sequence, 1 for
 * anything else (surrogates are not well-formed).
 */
export function codePointLength(at: usize, left: u32): u32 {
  const first = <u32>load<u8>(at)
  if (first < 0xc2 || first > 0xf4) return 1
  const need: u32 = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (left < need) return 1
  const second = <u32>load<u8>(at, 1)
  if ((second & 0xc0) != 0x80) return 1
  if (first == 0xe0 && second < 0xa0) return 1
  if (first == 0xed && second > 0x9f) return 1
  if (first == 0xf0 && second < 0x90) return 1
  if (first == 0xf4 && second > 0x8f) return 1
  if (need > 2 && (load<u8>(at, 2) & 0xc0) != 0x80) return 1
  if (need > 3 && (load<u8>(at, 3) & 0xc0) != 0x80) return 1
  return need
}
