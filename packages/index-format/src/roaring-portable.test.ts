import fc from 'fast-check'
import { RoaringBitmap32 } from 'roaring'
import { describe, expect, it } from 'vitest'
import { MalformedBytesError } from './malformed-bytes-error.js'
import { encodePortable, RoaringEncoder } from './roaring-portable.js'
import { intersectRoaring, RoaringView } from './roaring-view.js'

/** Sets with all container types, keys at both ends, and sizes around 4096. */
const idsArb = fc
  .array(
    fc.record({
      key: fc.constantFrom(0, 0, 1, 1, 2, 7, 0x7fff, 0x8000, 0xffff),
      shape: fc.constantFrom('sparse', 'run', 'dense', 'edge'),
      seed: fc.nat(0xffff),
      size: fc.constantFrom(1, 2, 3, 40, 4095, 4096, 4097, 9000),
    }),
    { maxLength: 8 },
  )
  .map(parts => {
    const ids = new Set<number>()
    for (const { key, shape, seed, size } of parts) {
      for (let i = 0; i < size; i++) {
        const low =
          shape === 'run'
            ? seed + i
            : shape === 'dense'
              ? i * 3 + (seed & 3)
              : shape === 'edge'
                ? 0xffff - i * 2
                : seed * i * 7919
        ids.add(key * 0x10000 + (low & 0xffff))
      }
    }
    return Uint32Array.from(ids).sort()
  })

const peer = (ids: Uint32Array) => {
  const set = new RoaringBitmap32(ids)
  set.runOptimize()
  return set
}

function isVerified(view: RoaringView): boolean {
  try {
    view.verify()
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedBytesError)
    return false
  }
}

describe('roaring sets', () => {
  it('are the bytes that the roaring library writes, and it reads ours', () => {
    fc.assert(
      fc.property(idsArb, ids => {
        const bytes = encodePortable(ids)
        const set = peer(ids)
        expect(Buffer.from(set.serialize('portable')).equals(bytes)).toBe(true)
        expect(RoaringBitmap32.deserialize(Buffer.from(bytes), 'portable').isEqual(set)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('are read as they were written, at any position', () => {
    fc.assert(
      fc.property(idsArb, fc.nat(9), fc.array(fc.nat(0xffffffff), { maxLength: 20 }), (ids, at, probes) => {
        const encoder = new RoaringEncoder()
        const size = encoder.measure(ids)
        const target = new Uint8Array(at + size + 5).fill(0xee)
        expect(encoder.write(target, at)).toBe(at + size)
        expect(target.subarray(at + size).every(byte => byte === 0xee)).toBe(true)
        const view = new RoaringView(target, at)
        expect(view.byteLength).toBe(size)
        expect(view.cardinality).toBe(ids.length)
        expect(view.toUint32Array()).toEqual(ids)
        const all = new Set(ids)
        for (const id of [...probes, ...probes.map(p => ids[p % ids.length] ?? 0), ...probes.map(p => p & 0x1ffff)]) {
          expect(view.has(id)).toBe(all.has(id))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('reads sets without run containers and every container type of the library', () => {
    const ids = Uint32Array.from([...Array(5000).keys()].map(i => i + 10).concat([0x20000, 0x20001, 0x7000000]))
    const plain = new RoaringBitmap32(ids)
    plain.removeRunCompression()
    expect(new RoaringView(plain.serialize('portable')).toUint32Array()).toEqual(ids)
    expect(new RoaringView(peer(ids).serialize('portable')).toUint32Array()).toEqual(ids)
  })

  it('intersect to what the library says', () => {
    fc.assert(
      fc.property(fc.array(idsArb, { minLength: 1, maxLength: 4 }), lists => {
        const expected = lists.map(peer).reduce((a, b) => RoaringBitmap32.and(a, b))
        const out = new Uint32Array(expected.size)
        const views = lists.map(ids => new RoaringView(encodePortable(ids)))
        expect(intersectRoaring(views, out)).toBe(expected.size)
        expect(out).toEqual(expected.toUint32Array())
        if (out.length > 0) expect(() => intersectRoaring(views, out.subarray(1))).toThrow(RangeError)
      }),
      { numRuns: 40 },
    )
    expect(intersectRoaring([], new Uint32Array(0))).toBe(0)
  })

  it('of nothing take 8 bytes', () => {
    expect([...encodePortable(new Uint32Array(0))]).toEqual([0x3a, 0x30, 0, 0, 0, 0, 0, 0])
    expect(new RoaringView(encodePortable(new Uint32Array(0))).toUint32Array()).toEqual(new Uint32Array(0))
  })

  it('refuse ids that do not ascend', () => {
    for (const ids of [
      [1, 1],
      [2, 1],
      [0x10000, 1],
    ]) {
      expect(() => encodePortable(Uint32Array.from(ids))).toThrow(RangeError)
    }
  })

  it('are refused at every truncation', () => {
    const some = [
      [1, 5, 0x10007],
      [1, 2, 3, 4, 5, 6, 0x20000],
      [1, 2, 3, 4, 5, 6, 0x20000, 0x30000, 0x40000],
    ]
    for (const ids of some) {
      const bytes = encodePortable(Uint32Array.from(ids))
      for (let n = 0; n < bytes.length; n++) {
        expect(() => new RoaringView(bytes, 0, n)).toThrow(MalformedBytesError)
      }
    }
    expect(() => new RoaringView(new Uint8Array(8), 4, 9)).toThrow(MalformedBytesError)
  })

  it('do no harm when damaged: ascending ids or MalformedBytesError', () => {
    const check = (bytes: Uint8Array) => {
      let verified = false
      try {
        const view = new RoaringView(bytes)
        let previous = -1
        verified = isVerified(view)
        view.forEach(id => {
          expect(id).toBeGreaterThan(previous)
          previous = id
        })
        expect(verified).toBe(true)
        view.has(3)
        intersectRoaring([view, view], new Uint32Array(view.cardinality))
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedBytesError)
        expect(verified).toBe(false)
      }
    }
    for (const ids of [
      [1, 5, 0x10007],
      [1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 0x20000],
      Array.from({ length: 5000 }, (_, i) => i * 3),
    ]) {
      const bytes = encodePortable(Uint32Array.from(ids))
      const limit = Math.min(bytes.length, 120)
      for (let at = 0; at < limit; at++) {
        for (const bit of [1, 2, 16, 128, 255]) {
          const bad = bytes.slice()
          bad[at] ^= bit
          check(bad)
        }
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), fc.nat(3), (bytes, runs, count) => {
        if (bytes.length >= 8) bytes.set(runs ? [0x3b, 0x30, count, 0] : [0x3a, 0x30, 0, 0, count, 0, 0, 0])
        check(bytes)
      }),
      { numRuns: 2000 },
    )
  })
})
