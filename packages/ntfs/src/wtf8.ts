/** Longest name in bytes for `units` UTF-16 units. */
export const MAX_BYTES_PER_UNIT = 3
const DOT = 0x2e
const SLASH = 0x2f
const REPLACEMENT = 0xfffd

/**
 * Writes UTF-16 as WTF-8 (The WTF-8 encoding, Simon Sapin): pairs of surrogates as four bytes, lone ones as three. What no
 * name may hold becomes U+FFFD: `/`, NUL, and the dots of `.` and `..`. Returns the position behind the last byte; `into` must have room for 3 bytes a unit.
 *
 * @param words, from, units where the name is
 */
export function writeWtf8(words: Uint16Array, from: number, units: number, into: Uint8Array, at: number): number {
  const end = from + units
  const isDots = units <= 2 && words[from] === DOT && words[end - 1] === DOT
  let to = at
  let plain = from
  if (!isDots) {
    for (; plain < end; plain++) {
      const unit = words[plain]!
      if (unit >= 0x80 || unit === SLASH || unit === 0) break
      into[to++] = unit
    }
  }
  for (let i = plain; i < end; i++) {
    let unit = words[i]!
    if (unit < 0x80) {
      if (unit !== SLASH && unit !== 0 && !isDots) {
        into[to++] = unit
        continue
      }
      unit = REPLACEMENT
    }
    if (unit < 0x800) {
      into[to++] = 0xc0 | (unit >> 6)
      into[to++] = 0x80 | (unit & 0x3f)
      continue
    }
    if ((unit & 0xfc00) === 0xd800 && i + 1 < end) {
      const low = words[i + 1]!
      if ((low & 0xfc00) === 0xdc00) {
        const point = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff)
        into[to++] = 0xf0 | (point >> 18)
        into[to++] = 0x80 | ((point >> 12) & 0x3f)
        into[to++] = 0x80 | ((point >> 6) & 0x3f)
        into[to++] = 0x80 | (point & 0x3f)
        i++
        continue
      }
    }
    into[to++] = 0xe0 | (unit >> 12)
    into[to++] = 0x80 | ((unit >> 6) & 0x3f)
    into[to++] = 0x80 | (unit & 0x3f)
  }
  return to
}
