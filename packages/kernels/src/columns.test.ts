import { packArray, packedBytes } from '@hotpath/index-format'
import { InvalidInputError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { createKernels, type Kernels, type Span } from './kernels.js'
import { READ_PAST_BYTES, WASM_PAGE } from './memory-layout.js'
import { randomSource } from './testing/random-names.js'
import { ROUNDS, SEED } from './testing/rounds.js'
import { loadWasm } from './wasm-module.js'

const MEMORY_PAGES = 24

const module = loadWasm()

function both(test: (kernels: Kernels) => void): void {
  if (module === undefined) throw new Error('this machine has no WebAssembly SIMD: nothing to test')
  test(createKernels({ memoryPages: MEMORY_PAGES, scratchBytes: 1 << 20, module }))
  test(createKernels({ memoryPages: MEMORY_PAGES, scratchBytes: 1 << 20, module: undefined }))
}

/** Puts bytes where reading further past their end than allowed would leave the memory. */
function map(kernels: Kernels, bytes: Uint8Array): Span {
  const at = MEMORY_PAGES * WASM_PAGE - READ_PAST_BYTES - bytes.length
  kernels.bytes.set(bytes, at)
  return { at, length: bytes.length }
}

describe('columns', () => {
  it(`are filtered by range into counts and bits (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS; round++) {
        kernels.scratch.reset()
        const pool = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, random(0xffffffff)]
        const values = Uint32Array.from({ length: random(100) }, () => pool[random(pool.length)])
        const column = map(kernels, new Uint8Array(values.buffer))
        const [low, high] = [pool[random(6)], pool[random(6)]]
        const bits = kernels.takeBits(values.length)
        const expected = [...values.keys()].filter(i => values[i] >= low && values[i] <= high)
        expect(kernels.filterU32Range(column, low, high)).toBe(expected.length)
        expect(kernels.filterU32Range(column, low, high, bits)).toBe(expected.length)
        const ids = kernels.listBits(bits, 0, values.length, kernels.takeIds(values.length))
        expect([...kernels.ids(ids)]).toEqual(expected)
        const ascending = kernels.placeIds(Uint32Array.from({ length: values.length }, (_, i) => values.length - 1 - i))
        expect([...kernels.ids(kernels.gather(column, ascending))]).toEqual([...values].reverse())
      }
    })
  })

  it(`of bits are counted and listed from anywhere to anywhere (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS * 5; round++) {
        kernels.scratch.reset()
        const bytes = Uint8Array.from({ length: 1 + random(40) }, () => [0, 0xff, random(256)][random(3)])
        const bits = map(kernels, bytes)
        const from = random(bytes.length * 8 + 1)
        const to = random(bytes.length * 8 + 1)
        const expected: number[] = []
        for (let i = from; i < to; i++) if (bytes[i >> 3] & (1 << (i & 7))) expected.push(i)
        expect(kernels.popcount(bits, from, to)).toBe(expected.length)
        const room = random(expected.length + 2)
        expect([...kernels.ids(kernels.listBits(bits, from, to, kernels.takeIds(room)))]).toEqual(
          expected.slice(0, room),
        )
      }
    })
  })

  it(`that are packed are unpacked and gathered at every width (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let width = 0; width <= 32; width++) {
        kernels.scratch.reset()
        const count = 1 + random(200)
        const limit = 2 ** width
        const values = Uint32Array.from({ length: count }, () => [0, limit - 1, random(limit)][random(3)])
        const packed = map(kernels, packArray(values, count, width))
        expect(packed.length).toBe(packedBytes(count, width))
        const first = random(count)
        const some = kernels.unpack(packed, width, first, count - first)
        expect({ width, values: kernels.ids(some) }).toEqual({ width, values: values.subarray(first) })
        const ids = Uint32Array.from({ length: 50 }, () => random(count))
        const gathered = kernels.gatherPacked(packed, width, count, kernels.placeIds(ids))
        expect([...kernels.ids(gathered)]).toEqual([...ids].map(id => values[id]))
      }
    })
  })

  it('are not read at ids or places that they do not have', () => {
    both(kernels => {
      const column = map(kernels, new Uint8Array(8))
      expect(() => kernels.gather(column, kernels.placeIds(Uint32Array.of(2)))).toThrow(InvalidInputError)
      expect(() => kernels.gatherPacked(column, 7, 9, kernels.placeIds(Uint32Array.of(9)))).toThrow(InvalidInputError)
      expect(() => kernels.gatherPacked(column, 7, 10, kernels.placeIds(Uint32Array.of(1)))).toThrow(InvalidInputError)
      expect(() => kernels.unpack(column, 33, 0, 1)).toThrow(InvalidInputError)
      expect(() => kernels.unpack(column, 32, 1, 2)).toThrow(InvalidInputError)
      expect(() => kernels.popcount(column, 0, 65)).toThrow(InvalidInputError)
      expect(() => kernels.listBits(column, 0, 1, { at: column.at, count: 1 })).toThrow(InvalidInputError)
      expect(() => kernels.filterU32Range(column, 0, 1, column)).toThrow(InvalidInputError)
    })
  })
})

describe('checksums', () => {
  it(`are CRC-32C for every length, with a seed, and page by page (seed ${SEED})`, () => {
    both(kernels => {
      const check = new TextEncoder().encode('123456789')
      expect(kernels.crc32c(map(kernels, check))).toBe(0xe3069283)
      const random = randomSource(SEED)
      const bytes = Uint8Array.from({ length: 7 * 24 }, () => random(256))
      const span = map(kernels, bytes)
      for (let n = 0; n < 40; n++) {
        const first = kernels.crc32c({ at: span.at, length: n })
        const rest = kernels.crc32c({ at: span.at + n, length: span.length - n }, first)
        expect(rest).toBe(kernels.crc32c(span))
      }
      const pages = kernels.crc32cPages(span, 24)
      expect([...pages]).toEqual(
        Array.from({ length: 7 }, (_, i) => kernels.crc32c({ at: span.at + i * 24, length: 24 })),
      )
      expect(() => kernels.crc32cPages(span, 12)).toThrow(InvalidInputError)
      expect(() => kernels.crc32cPages({ at: span.at, length: 25 }, 24)).toThrow(InvalidInputError)
    })
  })
})
