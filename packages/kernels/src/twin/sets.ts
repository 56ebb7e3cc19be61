import { MalformedBytesError, RoaringView } from '@hotpath/index-format'
import { MAX_SETS, Status } from '../memory-layout.js'
import type { MemoryView } from './memory-view.js'

/** Runs `work`, turning what it throws for damaged sets and for want of room into status codes. */
function guarded(memory: MemoryView, work: () => number): number {
  try {
    return work()
  } catch (error) {
    if (error instanceof MalformedBytesError) return memory.malformed(error.offset)
    if (error instanceof RangeError) return Status.noRoom
    throw error
  }
}

function open(memory: MemoryView, at: number, length: number): RoaringView {
  return new RoaringView(memory.bytes, at, at + length)
}

export function roaringCardinality(memory: MemoryView, at: number, length: number): number {
  return guarded(memory, () => open(memory, at, length).cardinality)
}

/** Intersection or union, one container key after the other. */
function combine(
  memory: MemoryView,
  sets: number,
  count: number,
  out: number,
  capacity: number,
  combineKey: (views: readonly RoaringView[], key: number, lows: Uint16Array) => number,
): number {
  if (count === 0 || count > MAX_SETS) return Status.badArgument
  return guarded(memory, () => {
    const views = Array.from({ length: count }, (_, i) =>
      open(memory, memory.u32(sets + i * 8), memory.u32(sets + i * 8 + 4)),
    )
    const keys = [...new Set(views.flatMap(view => [...view.keys]))].sort((a, b) => a - b)
    const lows = new Uint16Array(0x10000)
    let written = 0
    for (const key of keys) {
      const found = combineKey(views, key, lows)
      if (found > capacity - written) return Status.noRoom
      for (let i = 0; i < found; i++) memory.setU32(out + (written + i) * 4, key * 0x10000 + lows[i])
      written += found
    }
    return written
  })
}

export function intersect(memory: MemoryView, sets: number, count: number, out: number, capacity: number): number {
  return combine(memory, sets, count, out, capacity, (views, key, lows) => {
    const containers = views.map(view => view.containerOf(key))
    if (containers.includes(-1)) return 0
    let kept = views[0].decodeContainer(containers[0], lows)
    for (let i = 1; i < views.length && kept > 0; i++) kept = views[i].filterContainer(containers[i], lows, kept)
    return kept
  })
}

export function unite(memory: MemoryView, sets: number, count: number, out: number, capacity: number): number {
  const present = new Uint8Array(0x10000)
  return combine(memory, sets, count, out, capacity, (views, key, lows) => {
    present.fill(0)
    for (const view of views) {
      const container = view.containerOf(key)
      const found = container < 0 ? 0 : view.decodeContainer(container, lows)
      for (let i = 0; i < found; i++) present[lows[i]] = 1
    }
    let kept = 0
    for (let low = 0; low < present.length; low++) if (present[low] === 1) lows[kept++] = low
    return kept
  })
}

export function intersectSorted(
  memory: MemoryView,
  a: number,
  aCount: number,
  b: number,
  bCount: number,
  out: number,
): number {
  let i = 0
  let j = 0
  let kept = 0
  while (i < aCount && j < bCount) {
    const x = memory.u32(a + i * 4)
    const y = memory.u32(b + j * 4)
    if (x === y) memory.setU32(out + kept++ * 4, x)
    if (x <= y) i++
    if (y <= x) j++
  }
  return kept
}

export function subtractSorted(
  memory: MemoryView,
  a: number,
  aCount: number,
  b: number,
  bCount: number,
  out: number,
): number {
  let j = 0
  let kept = 0
  for (let i = 0; i < aCount; i++) {
    const x = memory.u32(a + i * 4)
    while (j < bCount && memory.u32(b + j * 4) < x) j++
    if (j === bCount || memory.u32(b + j * 4) !== x) memory.setU32(out + kept++ * 4, x)
  }
  return kept
}

export function uniteSorted(
  memory: MemoryView,
  a: number,
  aCount: number,
  b: number,
  bCount: number,
  out: number,
  capacity: number,
): number {
  let i = 0
  let j = 0
  let kept = 0
  while (i < aCount || j < bCount) {
    if (kept === capacity) return Status.noRoom
    const x = i < aCount ? memory.u32(a + i * 4) : Number.POSITIVE_INFINITY
    const y = j < bCount ? memory.u32(b + j * 4) : Number.POSITIVE_INFINITY
    memory.setU32(out + kept++ * 4, Math.min(x, y))
    if (x <= y) i++
    if (y <= x) j++
  }
  return kept
}
