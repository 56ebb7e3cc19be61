import { NO_ROOM } from './layout'

// Ascending u32 lists without duplicates, as `intersect` and `unite` make them.

/** Ids of a that are in b. `out` may be a or b. Returns how many. */
export function intersectSorted(a: usize, aCount: u32, b: usize, bCount: u32, out: usize): i32 {
  const aEnd = a + (<usize>aCount << 2)
  const bEnd = b + (<usize>bCount << 2)
  let end = out
  while (a < aEnd && b < bEnd) {
    const x = load<u32>(a)
    const y = load<u32>(b)
    if (x == y) {
      store<u32>(end, x)
      end += 4
    }
    a += <usize>(x <= y) << 2
    b += <usize>(y <= x) << 2
  }
  return <i32>((end - out) >> 2)
}

/** Ids of a that are not in b. `out` may be a. Returns how many. */
export function subtractSorted(a: usize, aCount: u32, b: usize, bCount: u32, out: usize): i32 {
  const aEnd = a + (<usize>aCount << 2)
  const bEnd = b + (<usize>bCount << 2)
  let end = out
  while (a < aEnd) {
    const x = load<u32>(a)
    while (b < bEnd && load<u32>(b) < x) b += 4
    if (b >= bEnd || load<u32>(b) != x) {
      store<u32>(end, x)
      end += 4
    }
    a += 4
  }
  return <i32>((end - out) >> 2)
}

/** Ids of a or b, to `out`, which overlaps neither. Returns how many or NO_ROOM. */
export function uniteSorted(a: usize, aCount: u32, b: usize, bCount: u32, out: usize, capacity: u32): i32 {
  const aEnd = a + (<usize>aCount << 2)
  const bEnd = b + (<usize>bCount << 2)
  const limit = out + (<usize>capacity << 2)
  let end = out
  while (a < aEnd || b < bEnd) {
    if (end == limit) return NO_ROOM
    if (b >= bEnd || (a < aEnd && load<u32>(a) <= load<u32>(b))) {
      const x = load<u32>(a)
      if (b < bEnd && load<u32>(b) == x) b += 4
      store<u32>(end, x)
      a += 4
    } else {
      store<u32>(end, load<u32>(b))
      b += 4
    }
    end += 4
  }
  return <i32>((end - out) >> 2)
}
