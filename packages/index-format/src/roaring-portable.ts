/**
 * Sets of u32 in the portable format of Roaring bitmaps (https://github.com/RoaringBitmap/RoaringFormatSpec), which
 * every Roaring library reads, little-endian:
 *
 *   cookie        u32   12346 if no container is a run container, else 12347 | (containers - 1) << 16
 *   containers    u32   only with 12346
 *   isRun         bits  only with 12347: one for each container, in whole bytes
 *   descriptors         for each container: key u16 (the high half of its ids, ascending), cardinality - 1 u16
 *   offsets       u32   for each container, from the start of the set; with 12347 only if there are 4 or more
 *   containers          array (cardinality <= 4096): u16 low halves, ascending
 *                       bitmap (more): 8192 bytes
 *                       run: count u16, then count × (start u16, length - 1 u16)
 *
 * The encoder takes the smallest container. An empty set is 8 bytes.
 */
export const COOKIE_WITHOUT_RUNS = 12346
export const COOKIE_WITH_RUNS = 12347
/** With runs, offsets are written from this many containers on. */
export const OFFSETS_FROM_CONTAINERS = 4
/** Largest cardinality of an array container. */
export const MAX_ARRAY_CARDINALITY = 4096
export const BITMAP_CONTAINER_BYTES = 8192

/** Encodes ascending ids; keeps its buffers from set to set, so that encoding many small sets allocates nothing. */
export class RoaringEncoder {
  /** Four numbers a container: first index, cardinality, runs (0: not a run container), bytes. */
  private containers = new Uint32Array(4 * 16)
  private count = 0
  private runContainers = 0
  private ids: Uint32Array = new Uint32Array(0)

  /**
   * Looks at ids[from … to) and returns the exact number of bytes that `write` will take for them.
   * Throws RangeError if the ids do not ascend. Cost: one pass.
   */
  measure(ids: Uint32Array, from = 0, to = ids.length): number {
    this.ids = ids
    this.count = 0
    this.runContainers = 0
    let payload = 0
    let i = from
    while (i < to) {
      const first = i
      const key = ids[i] >>> 16
      let previous = ids[i]
      let runs = 1
      for (i++; i < to && ids[i] >>> 16 === key; i++) {
        const id = ids[i]
        if (id <= previous) throw notAscending(i)
        if (id !== previous + 1) runs++
        previous = id
      }
      if (i < to && ids[i] < previous) throw notAscending(i)
      const cardinality = i - first
      const plain = cardinality <= MAX_ARRAY_CARDINALITY ? cardinality * 2 : BITMAP_CONTAINER_BYTES
      const asRuns = 2 + runs * 4
      const isRun = asRuns < plain
      if (isRun) this.runContainers++
      payload += this.add(first, cardinality, isRun ? runs : 0, isRun ? asRuns : plain)
    }
    return this.headerBytes() + payload
  }

  /** Writes what was measured last (the ids must still be there) at `at` and returns the position after it. */
  write(target: Uint8Array, at: number): number {
    const { containers, count, ids } = this
    const withRuns = this.runContainers > 0
    let next = writeU32(target, at, withRuns ? COOKIE_WITH_RUNS | ((count - 1) << 16) : COOKIE_WITHOUT_RUNS)
    if (withRuns) {
      target.fill(0, next, next + ((count + 7) >> 3))
      for (let c = 0; c < count; c++) if (containers[c * 4 + 2] > 0) target[next + (c >> 3)] |= 1 << (c & 7)
      next += (count + 7) >> 3
    } else {
      next = writeU32(target, next, count)
    }
    for (let c = 0; c < count; c++) {
      next = writeU16(target, next, ids[containers[c * 4]] >>> 16)
      next = writeU16(target, next, containers[c * 4 + 1] - 1)
    }
    if (!withRuns || count >= OFFSETS_FROM_CONTAINERS) {
      let offset = this.headerBytes()
      for (let c = 0; c < count; c++) {
        next = writeU32(target, next, offset)
        offset += containers[c * 4 + 3]
      }
    }
    for (let c = 0; c < count; c++) next = this.writeContainer(target, next, c)
    return next
  }

  private add(first: number, cardinality: number, runs: number, bytes: number): number {
    const at = this.count++ * 4
    if (at === this.containers.length) {
      const larger = new Uint32Array(at * 2)
      larger.set(this.containers)
      this.containers = larger
    }
    this.containers[at] = first
    this.containers[at + 1] = cardinality
    this.containers[at + 2] = runs
    this.containers[at + 3] = bytes
    return bytes
  }

  private headerBytes(): number {
    const { count } = this
    if (this.runContainers === 0) return 8 + count * 8
    return 4 + ((count + 7) >> 3) + count * (count >= OFFSETS_FROM_CONTAINERS ? 8 : 4)
  }

  private writeContainer(target: Uint8Array, at: number, container: number): number {
    const { ids } = this
    const first = this.containers[container * 4]
    const end = first + this.containers[container * 4 + 1]
    const runs = this.containers[container * 4 + 2]
    let next = at
    if (runs > 0) {
      next = writeU16(target, next, runs)
      for (let i = first; i < end; ) {
        const start = i
        while (i + 1 < end && ids[i + 1] === ids[i] + 1) i++
        next = writeU16(target, next, ids[start])
        next = writeU16(target, next, i - start)
        i++
      }
    } else if (end - first <= MAX_ARRAY_CARDINALITY) {
      for (let i = first; i < end; i++) next = writeU16(target, next, ids[i])
    } else {
      target.fill(0, next, next + BITMAP_CONTAINER_BYTES)
      for (let i = first; i < end; i++) target[next + ((ids[i] & 0xffff) >> 3)] |= 1 << (ids[i] & 7)
      next += BITMAP_CONTAINER_BYTES
    }
    return next
  }
}

/** The set of ascending `ids` as bytes of its own. */
export function encodePortable(ids: Uint32Array): Uint8Array {
  const encoder = new RoaringEncoder()
  const bytes = new Uint8Array(encoder.measure(ids))
  encoder.write(bytes, 0)
  return bytes
}

function notAscending(index: number): RangeError {
  return new RangeError(`id number ${index} is not larger than the one before`)
}

function writeU16(target: Uint8Array, at: number, value: number): number {
  target[at] = value
  target[at + 1] = value >>> 8
  return at + 2
}

function writeU32(target: Uint8Array, at: number, value: number): number {
  target[at] = value
  target[at + 1] = value >>> 8
  target[at + 2] = value >>> 16
  target[at + 3] = value >>> 24
  return at + 4
}
