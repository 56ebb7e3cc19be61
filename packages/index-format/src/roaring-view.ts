import { MalformedBytesError } from './malformed-bytes-error.js'
import {
  BITMAP_CONTAINER_BYTES,
  COOKIE_WITH_RUNS,
  COOKIE_WITHOUT_RUNS,
  MAX_ARRAY_CARDINALITY,
  OFFSETS_FROM_CONTAINERS,
} from './roaring-portable.js'

/**
 * A portable Roaring set, read in place (layout: roaring-portable.ts). Opening checks all lengths and offsets against
 * the range given, so that later reads stay inside; the contents of containers are checked as they are decoded.
 * Throws MalformedBytesError, with offsets into `bytes`. Cost of opening: some 20 bytes and steps a container.
 */
export class RoaringView {
  /** Bytes that the set takes from `start` on; what follows within the range is not looked at. */
  readonly byteLength: number
  readonly cardinality: number
  readonly containerCount: number
  /** Of each container: high half of its ids, cardinality, position in `bytes`, and 1 if it is a run container. */
  readonly keys: Uint16Array
  readonly cardinalities: Uint32Array
  readonly positions: Uint32Array
  readonly isRun: Uint8Array

  constructor(
    readonly bytes: Uint8Array,
    start = 0,
    end = bytes.length,
  ) {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new MalformedBytesError(start, `a range within ${bytes.length} bytes`, `${start} … ${end}`)
    }
    const need = (at: number, length: number, what: string) => {
      if (length > end - at) throw new MalformedBytesError(at, `${length} bytes of ${what}`, `${end - at}`)
    }
    need(start, 4, 'a cookie')
    const cookie = this.u32(start)
    const withRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS
    let at = start + 4
    let count = (cookie >>> 16) + 1
    if (!withRuns) {
      if (cookie !== COOKIE_WITHOUT_RUNS) {
        throw new MalformedBytesError(start, `the cookie ${COOKIE_WITHOUT_RUNS} or ${COOKIE_WITH_RUNS}`, `${cookie}`)
      }
      need(at, 4, 'a container count')
      count = this.u32(at)
      at += 4
      if (count > 0x10000) throw new MalformedBytesError(at - 4, 'at most 65536 containers', `${count}`)
    }
    const runBits = at
    if (withRuns) at += (count + 7) >> 3
    const hasOffsets = !withRuns || count >= OFFSETS_FROM_CONTAINERS
    need(runBits, at - runBits + count * (hasOffsets ? 8 : 4), 'descriptors')
    this.containerCount = count
    this.keys = new Uint16Array(count)
    this.cardinalities = new Uint32Array(count)
    this.positions = new Uint32Array(count)
    this.isRun = new Uint8Array(count)
    const offsets = at + count * 4
    let payload = offsets + (hasOffsets ? count * 4 : 0)
    let cardinality = 0
    for (let c = 0; c < count; c++) {
      const key = this.u16(at + c * 4)
      if (c > 0 && key <= this.keys[c - 1]) throw new MalformedBytesError(at + c * 4, 'ascending keys', `${key}`)
      const size = this.u16(at + c * 4 + 2) + 1
      const isRun = withRuns && (bytes[runBits + (c >> 3)] >> (c & 7)) & 1 ? 1 : 0
      if (hasOffsets && this.u32(offsets + c * 4) !== payload - start) {
        throw new MalformedBytesError(offsets + c * 4, `offset ${payload - start}`, `${this.u32(offsets + c * 4)}`)
      }
      if (isRun) need(payload, 2, 'a run count')
      const length = isRun
        ? 2 + 4 * this.u16(payload)
        : size <= MAX_ARRAY_CARDINALITY
          ? 2 * size
          : BITMAP_CONTAINER_BYTES
      need(payload, length, 'a container')
      this.keys[c] = key
      this.cardinalities[c] = size
      this.positions[c] = payload
      this.isRun[c] = isRun
      payload += length
      cardinality += size
    }
    this.byteLength = payload - start
    this.cardinality = cardinality
  }

  /** Index of the container with this key, or -1. */
  containerOf(key: number): number {
    let low = 0
    let high = this.containerCount - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      if (this.keys[middle] === key) return middle
      if (this.keys[middle] < key) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  /**
   * Low halves of the ids of container `c`, ascending, written to `out` (65,536 values long); returns how many. Throws
   * MalformedBytesError if they are not as many as declared or do not ascend.
   */
  decodeContainer(c: number, out: Uint16Array): number {
    const { bytes } = this
    const position = this.positions[c]
    const size = this.cardinalities[c]
    let count = 0
    if (this.isRun[c]) {
      const runs = this.u16(position)
      let next = 0
      for (let r = 0; r < runs; r++) {
        const start = this.u16(position + 2 + r * 4)
        const last = start + this.u16(position + 4 + r * 4)
        if (start < next || last > 0xffff) throw wrongRun(position + 2 + r * 4, next, start, last)
        for (let low = start; low <= last; low++) out[count++] = low
        next = last + 1
      }
    } else if (size <= MAX_ARRAY_CARDINALITY) {
      let previous = -1
      for (; count < size; count++) {
        const low = this.u16(position + count * 2)
        if (low <= previous) {
          throw new MalformedBytesError(position + count * 2, `a value above ${previous}`, `${low}`)
        }
        out[count] = low
        previous = low
      }
    } else {
      for (let i = 0; i < BITMAP_CONTAINER_BYTES; i++) {
        for (let byte = bytes[position + i]; byte !== 0; byte &= byte - 1) {
          out[count++] = i * 8 + 31 - Math.clz32(byte & -byte)
        }
      }
    }
    if (count !== size) throw new MalformedBytesError(position, `${size} values`, `${count}`)
    return count
  }

  /**
   * Looks at all containers, for readers that trust them. Throws MalformedBytesError if one does not hold as many ids as it
   * declares, or not in ascending order. Cost: its bytes, not its ids, of which a few bytes can declare 2^32.
   */
  verify(): void {
    for (let c = 0; c < this.containerCount; c++) {
      const found = this.isRun[c] ? this.verifyRuns(c) : this.verifyValues(c)
      if (found !== this.cardinalities[c]) {
        throw new MalformedBytesError(this.positions[c], `${this.cardinalities[c]} values`, `${found}`)
      }
    }
  }

  /** How many ids the runs of a container hold. */
  private verifyRuns(c: number): number {
    const position = this.positions[c]
    let count = 0
    let next = 0
    for (let at = position + 2, end = at + 4 * this.u16(position); at < end; at += 4) {
      const start = this.u16(at)
      const length = this.u16(at + 2) + 1
      if (start < next || start + length > 0x10000) throw wrongRun(at, next, start, start + length - 1)
      count += length
      next = start + length
    }
    return count
  }

  /** How many ids an array or bitmap container holds. */
  private verifyValues(c: number): number {
    const { bytes } = this
    const position = this.positions[c]
    const size = this.cardinalities[c]
    if (size > MAX_ARRAY_CARDINALITY) {
      let count = 0
      for (let at = position; at < position + BITMAP_CONTAINER_BYTES; at++) {
        for (let byte = bytes[at]; byte !== 0; byte &= byte - 1) count++
      }
      return count
    }
    for (let i = 0, previous = -1; i < size; i++) {
      const low = this.u16(position + i * 2)
      if (low <= previous) throw new MalformedBytesError(position + i * 2, `a value above ${previous}`, `${low}`)
      previous = low
    }
    return size
  }

  /** Ascending. */
  forEach(visit: (id: number) => void): void {
    const lows = this.containerCount > 0 ? new Uint16Array(0x10000) : new Uint16Array(0)
    for (let c = 0; c < this.containerCount; c++) {
      const high = this.keys[c] * 0x10000
      const count = this.decodeContainer(c, lows)
      for (let i = 0; i < count; i++) visit(high + lows[i])
    }
  }

  /** Writes all ids, ascending, to out[at …) and returns how many; throws RangeError if there is no room. */
  decodeInto(out: Uint32Array, at = 0): number {
    if (this.cardinality > out.length - at) {
      throw new RangeError(`${this.cardinality} ids do not fit in ${out.length - at}`)
    }
    let next = at
    this.forEach(id => {
      out[next++] = id
    })
    return next - at
  }

  /** All ids, ascending. Allocates 4 bytes an id; a set of 4 bytes a container can declare 65,536 ids a container. */
  toUint32Array(): Uint32Array {
    const out = new Uint32Array(this.cardinality)
    this.decodeInto(out)
    return out
  }

  has(id: number): boolean {
    const c = this.containerOf(id >>> 16)
    return c >= 0 && this.containerHas(c, id & 0xffff)
  }

  private containerHas(c: number, low: number): boolean {
    const position = this.positions[c]
    if (!this.isRun[c] && this.cardinalities[c] > MAX_ARRAY_CARDINALITY) {
      return (this.bytes[position + (low >> 3)] & (1 << (low & 7))) !== 0
    }
    const isRun = this.isRun[c] === 1
    const base = isRun ? position + 2 : position
    const stride = isRun ? 4 : 2
    let below = 0
    let above = isRun ? this.u16(position) : this.cardinalities[c]
    while (below < above) {
      const middle = (below + above) >> 1
      if (this.u16(base + middle * stride) <= low) below = middle + 1
      else above = middle
    }
    if (below === 0) return false
    const at = base + (below - 1) * stride
    return isRun ? low - this.u16(at) <= this.u16(at + 2) : this.u16(at) === low
  }

  /** Keeps those of values[0 … count) that container `c` holds; returns how many. */
  filterContainer(c: number, values: Uint16Array, count: number): number {
    const { bytes } = this
    const position = this.positions[c]
    let kept = 0
    if (!this.isRun[c] && this.cardinalities[c] > MAX_ARRAY_CARDINALITY) {
      for (let i = 0; i < count; i++) {
        const low = values[i]
        if (bytes[position + (low >> 3)] & (1 << (low & 7))) values[kept++] = low
      }
      return kept
    }
    const isRun = this.isRun[c] === 1
    let at = isRun ? position + 2 : position
    const stride = isRun ? 4 : 2
    const end = at + (isRun ? this.u16(position) : this.cardinalities[c]) * stride
    for (let i = 0; i < count && at < end; i++) {
      const low = values[i]
      while (at < end && this.u16(at) + (isRun ? this.u16(at + 2) : 0) < low) at += stride
      if (at < end && this.u16(at) <= low) values[kept++] = low
    }
    return kept
  }

  private u16(at: number): number {
    return this.bytes[at] | (this.bytes[at + 1] << 8)
  }

  private u32(at: number): number {
    return (this.u16(at) | (this.u16(at + 2) << 16)) >>> 0
  }
}

function wrongRun(offset: number, next: number, start: number, last: number): MalformedBytesError {
  return new MalformedBytesError(offset, `a run within ${next} … 65535`, `${start} … ${last}`)
}

/**
 * Ids that are in all of `sets`, ascending, written to `out`; returns how many (0 for no sets). Reads the smallest set
 * whole and of the others only containers with the same keys. Throws RangeError if `out` is too short,
 * MalformedBytesError if a set turns out to be damaged.
 */
export function intersectRoaring(sets: readonly RoaringView[], out: Uint32Array): number {
  if (sets.length === 0) return 0
  const [smallest, ...others] = [...sets].sort((a, b) => a.cardinality - b.cardinality)
  const lows = new Uint16Array(0x10000)
  let written = 0
  for (let c = 0; c < smallest.containerCount; c++) {
    const key = smallest.keys[c]
    const containers = others.map(set => set.containerOf(key))
    if (containers.includes(-1)) continue
    let count = smallest.decodeContainer(c, lows)
    for (let i = 0; i < others.length && count > 0; i++) count = others[i].filterContainer(containers[i], lows, count)
    if (count > out.length - written) throw new RangeError(`more ids than the ${out.length} there is room for`)
    for (let i = 0; i < count; i++) out[written++] = key * 0x10000 + lows[i]
  }
  return written
}
