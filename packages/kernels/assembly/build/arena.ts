// The memory of the build kernels: a stack that grows upwards from HEAP_START, and the memory with it. It is shared between
// the phases of a segment and from segment to segment, so that its pages are touched once.

/** Above the tables of ../layout.ts. src/build-memory.ts has the same number. */
export const HEAP_START: usize = 0x30000
/** Bytes after every block that vector loads may read. */
const SLACK: usize = 64
/** Bytes by which the memory grows at least. */
const GROWTH: usize = 1 << 22

let top: usize = HEAP_START
let limit: usize = 0

/** Address of `bytes` bytes, a multiple of 16, with what stood there before; 0 if the memory cannot grow so far. */
export function take(bytes: usize): usize {
  const at = top
  const end = <u64>at + <u64>bytes + SLACK
  if (end > <u64>limit) {
    if (limit == 0) limit = <usize>memory.size() << 16
    if (end > <u64>limit) {
      if (end > 0xffff0000) return 0
      const wanted = <usize>end - limit
      let pages = <i32>(((wanted > GROWTH ? wanted : GROWTH) + 0xffff) >>> 16)
      if (memory.grow(pages) < 0) {
        pages = <i32>((wanted + 0xffff) >>> 16)
        if (memory.grow(pages) < 0) return 0
      }
      limit += <usize>pages << 16
    }
  }
  top = (at + bytes + 15) & ~15
  return at
}

/** The same, zeroed. */
export function takeZeroed(bytes: usize): usize {
  const at = take(bytes)
  if (at != 0) memory.fill(at, 0, bytes)
  return at
}

/** The same within a kernel, where there is no way on without memory: traps. */
export function need(bytes: usize): usize {
  const at = take(bytes)
  if (at == 0) unreachable()
  return at
}

/** The present state, for `release`. */
export function mark(): usize {
  return top
}

/** Takes back all that was handed out since `mark`. */
export function release(to: usize): void {
  top = to
}
