import { encodePortable, MalformedBytesError } from '@hotpath/index-format'
import { InvalidInputError } from '@hotpath/model'
import { RoaringBitmap32 } from 'roaring'
import { describe, expect, it } from 'vitest'
import { ScratchFullError } from './errors.js'
import { createKernels, type Kernels, type Span } from './kernels.js'
import { READ_PAST_BYTES, WASM_PAGE } from './memory-layout.js'
import { randomSource } from './testing/random-names.js'
import { ROUNDS, SEED } from './testing/rounds.js'
import { loadWasm } from './wasm-module.js'

const MEMORY_PAGES = 48

const module = loadWasm()

function both(test: (kernels: Kernels) => void): void {
  if (module === undefined) throw new Error('this machine has no WebAssembly SIMD: nothing to test')
  test(createKernels({ memoryPages: MEMORY_PAGES, scratchBytes: 2 << 20, module }))
  test(createKernels({ memoryPages: MEMORY_PAGES, scratchBytes: 2 << 20, module: undefined }))
}

/** Puts sets one after the other at the end of the memory. */
function map(kernels: Kernels, sets: readonly Uint8Array[]): Span[] {
  let at = MEMORY_PAGES * WASM_PAGE - READ_PAST_BYTES - sets.reduce((sum, set) => sum + set.length, 0)
  return sets.map(set => {
    kernels.bytes.set(set, at)
    const span = { at, length: set.length }
    at += set.length
    return span
  })
}

/** Ascending ids in a few containers: scattered, in runs, or dense. */
function randomIds(random: (below: number) => number): Uint32Array {
  const ids = new Set<number>()
  for (let part = random(4); part >= 0; part--) {
    const high = [0, 0, 1, 2, 0x7fff, 0xffff][random(6)] * 0x10000
    const size = [1, 3, 200, 4095, 4097, 20000][random(6)]
    const shape = random(4)
    const start = random(0x10000)
    for (let i = 0; i < size; i++) {
      const low =
        shape === 0 ? random(0x10000) : shape === 1 ? start + i : shape === 2 ? i * 3 : start + i * 2 - (i & 1)
      ids.add(high + (low & 0xffff))
    }
  }
  return Uint32Array.from(ids).sort()
}

function encoded(random: (below: number) => number, ids: Uint32Array): Uint8Array {
  if (random(2) === 0) return encodePortable(ids)
  const set = new RoaringBitmap32(ids)
  if (random(2) === 0) set.runOptimize()
  return set.serialize('portable')
}

/** Compared as bytes: element by element takes seconds. */
function same(found: Uint32Array, wanted: Uint32Array, round: number): void {
  const bytes = (ids: Uint32Array) => Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength)
  expect({ round, count: found.length, same: bytes(found).equals(bytes(wanted)) }).toEqual({
    round,
    count: wanted.length,
    same: true,
  })
}

describe('sets of ids', () => {
  it(`have the intersections and unions that the roaring library finds (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS; round++) {
        kernels.scratch.reset()
        const lists = Array.from({ length: 1 + random(4) }, () => randomIds(random))
        const spans = map(
          kernels,
          lists.map(ids => encoded(random, ids)),
        )
        const sets = lists.map(ids => new RoaringBitmap32(ids))
        spans.forEach((span, i) => {
          expect(kernels.cardinality(span)).toBe(lists[i].length)
        })
        const common = sets.reduce((a, b) => RoaringBitmap32.and(a, b))
        same(kernels.ids(kernels.intersect(spans)), common.toUint32Array(), round)
        const any = sets.reduce((a, b) => RoaringBitmap32.or(a, b))
        same(kernels.ids(kernels.unite(spans)), any.toUint32Array(), round)
      }
    })
  })

  it(`as plain lists combine likewise (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS; round++) {
        kernels.scratch.reset()
        const make = () => [...new Set(Array.from({ length: random(40) }, () => random(60)))].sort((x, y) => x - y)
        const [x, y] = [make(), make()]
        const a = kernels.placeIds(Uint32Array.from(x, id => id + 0xfffff000 - 0xf0000000))
        const b = kernels.placeIds(Uint32Array.from(y, id => id + 0xfffff000 - 0xf0000000))
        const plain = (list: { at: number; count: number }) =>
          [...kernels.ids(list)].map(id => id - 0xfffff000 + 0xf0000000)
        expect(plain(kernels.intersectIds(a, b))).toEqual(x.filter(id => y.includes(id)))
        expect(plain(kernels.subtractIds(a, b))).toEqual(x.filter(id => !y.includes(id)))
        expect(plain(kernels.uniteIds(a, b))).toEqual([...new Set([...x, ...y])].sort((p, q) => p - q))
      }
    })
  })

  it(`do no harm when damaged (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS * 4; round++) {
        kernels.scratch.reset()
        const sets = Array.from({ length: 1 + random(3) }, () =>
          encoded(random, randomIds(random).subarray(0, 1 + random(6000))),
        )
        for (const set of sets) {
          for (let i = random(4); i > 0; i--)
            set[random(2) === 0 ? random(Math.min(64, set.length)) : random(set.length)] = random(256)
        }
        const spans = map(
          kernels,
          sets.map(set => (random(4) === 0 ? set.subarray(0, random(set.length)) : set)),
        )
        for (const operation of ['intersect', 'unite'] as const) {
          try {
            const list = kernels[operation](spans)
            expect(list.at + list.count * 4).toBeLessThanOrEqual(kernels.scratch.end)
          } catch (error) {
            expect([MalformedBytesError, ScratchFullError]).toContain(Reflect.get(Object(error), 'constructor'))
          }
        }
      }
    })
  })

  it('are refused at every truncation and outside of the memory', () => {
    both(kernels => {
      const set = encodePortable(Uint32Array.of(1, 5, 0x10007, 0x20000, 0x20001, 0x20002, 0x20003, 0x20004, 0x50000))
      for (let n = 0; n < set.length; n++) {
        const [span] = map(kernels, [set.subarray(0, n)])
        expect(() => kernels.unite([span])).toThrow(MalformedBytesError)
      }
      expect(() => kernels.intersect([])).toThrow(InvalidInputError)
      expect(() => kernels.cardinality({ at: MEMORY_PAGES * WASM_PAGE - 20, length: 8 })).toThrow(InvalidInputError)
      expect(() => kernels.cardinality({ at: 0xffffff00, length: 0xffffff00 })).toThrow(InvalidInputError)
    })
  })

  it('that are too large for the scratch space say so, and leave it as it was', () => {
    if (module === undefined) throw new Error('this machine has no WebAssembly SIMD: nothing to test')
    const kernels = createKernels({ memoryPages: 16, scratchBytes: 4096, module })
    const bytes = encodePortable(Uint32Array.from({ length: 2000 }, (_, i) => i * 2))
    kernels.bytes.set(bytes, kernels.mappingStart)
    const span = { at: kernels.mappingStart, length: bytes.length }
    expect(() => kernels.unite([span])).toThrow(ScratchFullError)
    // Fewer ids come than there is room for, more than `maxIds` promised do not.
    expect(() => kernels.unite([span], 100)).toThrow(ScratchFullError)
    const small = kernels.intersect([kernels.place(encodePortable(Uint32Array.of(3, 9)))])
    expect([...kernels.ids(small)]).toEqual([3, 9])
  })
})
