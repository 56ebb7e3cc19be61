import { CRC_TABLES } from './layout'

@inline
function step(low: u32, high: u32): u32 {
  return (
    load<u32>(CRC_TABLES + 7 * 1024 + ((low & 0xff) << 2)) ^
    load<u32>(CRC_TABLES + 6 * 1024 + (((low >>> 8) & 0xff) << 2)) ^
    load<u32>(CRC_TABLES + 5 * 1024 + (((low >>> 16) & 0xff) << 2)) ^
    load<u32>(CRC_TABLES + 4 * 1024 + ((low >>> 24) << 2)) ^
    load<u32>(CRC_TABLES + 3 * 1024 + ((high & 0xff) << 2)) ^
    load<u32>(CRC_TABLES + 2 * 1024 + (((high >>> 8) & 0xff) << 2)) ^
    load<u32>(CRC_TABLES + 1024 + (((high >>> 16) & 0xff) << 2)) ^
    load<u32>(CRC_TABLES + ((high >>> 24) << 2))
  )
}

/** CRC-32C of `length` bytes, going on from `seed`. */
export function crc32c(at: usize, length: u32, seed: u32): u32 {
  let crc = ~seed
  const end = at + length
  while (end - at >= 8) {
    crc = step(crc ^ load<u32>(at), load<u32>(at, 4))
    at += 8
  }
  while (at < end) crc = (crc >>> 8) ^ load<u32>(CRC_TABLES + (((crc ^ load<u8>(at++)) & 0xff) << 2))
  return ~crc
}

/**
 * CRC-32C of each of `count` pages of `pageBytes` (a multiple of 8), as u32 to `out`. Three pages at a time, because
 * one chain of table look-ups leaves most of a core idle.
 */
export function crc32cPages(at: usize, pageBytes: u32, count: u32, out: usize): void {
  let page: u32 = 0
  for (; page + 3 <= count; page += 3) {
    let a: u32 = ~0
    let b: u32 = ~0
    let c: u32 = ~0
    for (let i: u32 = 0; i < pageBytes; i += 8) {
      const p = at + i
      const q = p + pageBytes
      const r = q + pageBytes
      a = step(a ^ load<u32>(p), load<u32>(p, 4))
      b = step(b ^ load<u32>(q), load<u32>(q, 4))
      c = step(c ^ load<u32>(r), load<u32>(r, 4))
    }
    store<u32>(out, ~a)
    store<u32>(out, ~b, 4)
    store<u32>(out, ~c, 8)
    out += 12
    at += 3 * pageBytes
  }
  for (; page < count; page++) {
    store<u32>(out, crc32c(at, pageBytes, 0))
    out += 4
    at += pageBytes
  }
}
