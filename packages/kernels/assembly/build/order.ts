import { mark, need, release } from './arena'
import { BLOCK_NAMES } from '../layout'

/** Positions ordered by `values` (u32, below `valueCount`), stable, to `order`. */
export function countingOrder(values: usize, count: u32, valueCount: u32, order: usize): void {
  const before = mark()
  const starts = need((<usize>valueCount + 1) << 2)
  startsOf(values, count, valueCount, starts)
  for (let i: u32 = 0; i < count; i++) {
    const at = starts + (<usize>load<u32>(values + (<usize>i << 2)) << 2)
    const to = load<u32>(at)
    store<u32>(at, to + 1)
    store<u32>(order + (<usize>to << 2), i)
  }
  release(before)
}

/** First position of each value, valueCount + 1 of them. */
function startsOf(values: usize, count: u32, valueCount: u32, starts: usize): void {
  memory.fill(starts, 0, (<usize>valueCount + 1) << 2)
  for (let i: u32 = 0; i < count; i++) {
    const at = starts + (<usize>load<u32>(values + (<usize>i << 2)) << 2)
    store<u32>(at, load<u32>(at, 4) + 1, 4)
  }
  for (let value: u32 = 0; value < valueCount; value++) {
    const at = starts + (<usize>value << 2)
    store<u32>(at, load<u32>(at, 4) + load<u32>(at), 4)
  }
}

/** Positions by (directory, name), the last of equal ones kept, to `order`. @returns how many */
export function orderFiles(
  dirs: usize,
  dirCount: u32,
  names: usize,
  nameCount: u32,
  count: u32,
  order: usize,
): u32 {
  const before = mark()
  const byName = need(<usize>count << 2)
  countingOrder(names, count, nameCount, byName)
  const starts = need((<usize>dirCount + 1) << 2)
  startsOf(dirs, count, dirCount, starts)
  for (let i: u32 = 0; i < count; i++) {
    const file = load<u32>(byName + (<usize>i << 2))
    const at = starts + (<usize>load<u32>(dirs + (<usize>file << 2)) << 2)
    const to = load<u32>(at)
    store<u32>(at, to + 1)
    store<u32>(order + (<usize>to << 2), file)
  }
  release(before)
  let kept: u32 = 0
  let lastDir: u32 = 0
  let lastName: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const file = load<u32>(order + (<usize>i << 2))
    const dir = load<u32>(dirs + (<usize>file << 2))
    const name = load<u32>(names + (<usize>file << 2))
    if (kept > 0 && dir == lastDir && name == lastName) kept--
    store<u32>(order + (<usize>(kept++) << 2), file)
    lastDir = dir
    lastName = name
  }
  return kept
}

/**
 * Rows of names: `weights` (u32 a name), `counts` (u8 a name, 255 for more), where each block's rows start (`blockStarts`, u32, and the
 * end), and the rows by name (`inverse`). @returns how many names have 255 rows or more
 */
export function rowsOfNames(
  nameIds: usize,
  count: u32,
  nameCount: u32,
  weights: usize,
  counts: usize,
  blockStarts: usize,
  inverse: usize,
): u32 {
  const before = mark()
  const next = need((<usize>nameCount + 1) << 2)
  startsOf(nameIds, count, nameCount, next)
  let overflow: u32 = 0
  for (let name: u32 = 0; name < nameCount; name++) {
    const at = next + (<usize>name << 2)
    const start = load<u32>(at)
    const rows = load<u32>(at, 4) - start
    store<u32>(weights + (<usize>name << 2), rows)
    store<u8>(counts + name, <u8>min<u32>(rows, 255))
    if (rows >= 255) overflow++
    if (name % BLOCK_NAMES == 0) store<u32>(blockStarts + (<usize>(name / BLOCK_NAMES) << 2), start)
  }
  store<u32>(blockStarts + (<usize>((nameCount + BLOCK_NAMES - 1) / BLOCK_NAMES) << 2), count)
  for (let row: u32 = 0; row < count; row++) {
    const at = next + (<usize>load<u32>(nameIds + (<usize>row << 2)) << 2)
    const to = load<u32>(at)
    store<u32>(at, to + 1)
    store<u32>(inverse + (<usize>to << 2), row)
  }
  release(before)
  return overflow
}
