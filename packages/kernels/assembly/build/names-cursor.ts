// Walks the names of blocks that this builder wrote, so nothing is checked. What it yields are codes: a number for each byte
// that occurs in keys (`codes`: 256 bytes, of lower-cased bytes; `keyCodes`: the same of bytes as they are).

/** Codes of `/key/` of the current name, when its key is its own name lowered. */
export const OWN_CODES: usize = 0x20000
/** Codes of `/key/` when the key is stored. */
export const STORED_CODES: usize = 0x24000

let at: usize = 0
/** Address of the codes of `/key/`, and how many. */
export let text: usize = 0
export let textLength: u32 = 0

@inline
function readVarint(): u32 {
  let byte = <u32>load<u8>(at++)
  if (byte < 0x80) return byte
  let value = byte & 0x7f
  let shift: u32 = 7
  do {
    byte = load<u8>(at++)
    value |= (byte & 0x7f) << shift
    shift += 7
  } while (byte >= 0x80)
  return value
}

/** Goes before the first name of a block. */
@inline
export function openBlock(start: usize, boundary: u8): void {
  at = start
  store<u8>(OWN_CODES, boundary)
  store<u8>(STORED_CODES, boundary)
}

/** Goes to the next name. */
@inline
export function nextName(codes: usize, keyCodes: usize, boundary: u8): void {
  const shared = <u32>load<u8>(at++)
  const h = readVarint()
  const suffix = h >>> 1
  let to = OWN_CODES + 1 + shared
  for (let i: u32 = 0; i < suffix; i++) store<u8>(to + i, load<u8>(codes + load<u8>(at + i)))
  at += suffix
  to += suffix
  if ((h & 1) == 0) {
    // A next name shares at most what this one has, so the boundary is overwritten when it must be.
    text = OWN_CODES
    textLength = 2 + shared + suffix
    store<u8>(to, boundary)
  } else {
    const length = readVarint()
    for (let i: u32 = 0; i < length; i++) store<u8>(STORED_CODES + 1 + i, load<u8>(keyCodes + load<u8>(at + i)))
    at += length
    store<u8>(STORED_CODES + 1 + length, boundary)
    text = STORED_CODES
    textLength = 2 + length
  }
}
