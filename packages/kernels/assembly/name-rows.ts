import { packedAt } from './columns'
import { BAD_ARGUMENT, BLOCK_NAMES, malformed } from './layout'

/** A count of one byte that stands for one in the overflow table. */
const COUNT_OVERFLOW: u32 = 255

/** Entries of name `name`; 0 if the overflow table (pairs of u32, ascending) lacks it. */
@inline
export function rowsOf(counts: usize, overflow: usize, overflowCount: u32, name: u32): u32 {
  const count = <u32>load<u8>(counts + name)
  return count != COUNT_OVERFLOW ? count : overflowOf(overflow, overflowCount, name)
}

function overflowOf(table: usize, pairs: u32, name: u32): u32 {
  let below: u32 = 0
  let above = pairs
  while (below < above) {
    const middle = (below + above) >> 1
    if (load<u32>(table + (<usize>middle << 3)) < name) below = middle + 1
    else above = middle
  }
  const entry = table + (<usize>below << 3)
  return below < pairs && load<u32>(entry) == name ? load<u32>(entry, 4) : 0
}

/** See src/kernel-functions.ts. */
export function expandNames(
  bits: usize,
  from: u32,
  to: u32,
  nameCount: u32,
  counts: usize,
  overflow: usize,
  overflowCount: u32,
  starts: usize,
  inverse: usize,
  width: u32,
  rowCount: u32,
  out: usize,
): f64 {
  let sum: f64 = 0
  for (let block = from; block < to; block++) {
    let word = load<u32>(bits + (<usize>block << 2))
    if (word == 0) continue
    const first = block * BLOCK_NAMES
    let name = first
    let position = <u64>load<u32>(starts + (<usize>block << 2))
    do {
      const next = first + <u32>ctz<u32>(word)
      word &= word - 1
      if (next >= nameCount) return <f64>BAD_ARGUMENT
      if (out == 0) name = next
      else for (; name < next; name++) position += rowsOf(counts, overflow, overflowCount, name)
      const count = rowsOf(counts, overflow, overflowCount, name++)
      sum += <f64>count
      if (out == 0) continue
      const end = position + count
      if (end > rowCount) return <f64>malformed(starts + (<usize>block << 2))
      for (; position < end; position++) {
        const row = packedAt(inverse, <u32>position, width)
        if (row >= rowCount) return <f64>malformed(inverse)
        const byte = out + (row >> 3)
        store<u8>(byte, <u8>(<u32>load<u8>(byte) | ((<u32>1) << (row & 7))))
      }
    } while (word != 0)
  }
  return sum
}
