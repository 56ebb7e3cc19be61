import {
  BLOCK_NAMES,
  encodeSizeColumn,
  GROUP_ENTRIES,
  MalformedBytesError,
  packArray,
  packedBytes,
} from '@hotpath/index-format'
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

  it(`select rows by a set of values (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS * 3; round++) {
        kernels.scratch.reset()
        const width = random(21)
        const limit = 2 ** width
        const bitCount = Math.max(1, limit - random(Math.min(limit, 9)))
        const values = Uint32Array.from({ length: random(100) }, () => random(bitCount))
        const set = Uint8Array.from({ length: Math.ceil(bitCount / 8) }, () => random(256))
        const packed = map(kernels, packArray(values, values.length, width))
        const bits = kernels.place(set)
        const out = kernels.takeBits(values.length)
        const expected = [...values.keys()].filter(i => set[values[i] >> 3] & (1 << (values[i] & 7)))
        expect(kernels.selectPacked(packed, width, values.length, bits, bitCount, out)).toBe(expected.length)
        const rows = kernels.listBits(out, 0, values.length, kernels.takeIds(values.length))
        expect([...kernels.ids(rows)]).toEqual(expected)
        const highest = values.reduce((a, b) => Math.max(a, b), 0)
        if (highest > 0) {
          expect(() => kernels.selectPacked(packed, width, values.length, bits, highest, out)).toThrow(
            MalformedBytesError,
          )
        }
      }
    })
  })

  it(`of sizes are filtered at every length of a size (seed ${SEED})`, () => {
    const pool = [Number.NaN, 0, 1, 254, 255, 256, 65534, 65535, 2 ** 24 - 2, 2 ** 24 - 1, 2 ** 32, 2 ** 53 - 2]
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS * 3; round++) {
        kernels.scratch.reset()
        const sizes = Float64Array.from(
          { length: random(200) },
          () => pool[random(pool.length)] - (random(3) === 0 ? 1 : 0),
        )
        for (let i = 0; i < sizes.length; i++) if (sizes[i] < 0) sizes[i] = 0
        const column = map(kernels, encodeSizeColumn(sizes, sizes.length))
        const limits = [...pool, Number.POSITIVE_INFINITY, -5, 0.5]
        const [min, max] = [limits[random(limits.length)], limits[random(limits.length)]]
        const out = kernels.takeBits(sizes.length)
        const expected = [...sizes.keys()].filter(i => sizes[i] >= min && sizes[i] <= max)
        expect({ min, max, count: kernels.filterSizes(column, sizes.length, min, max, out) }).toEqual({
          min,
          max,
          count: expected.length,
        })
        const rows = kernels.listBits(out, 0, sizes.length, kernels.takeIds(sizes.length))
        expect([...kernels.ids(rows)]).toEqual(expected)
        // In parts, and nothing is written outside them.
        const parts = kernels.takeBits(sizes.length)
        const cut = Math.min(sizes.length, random(4) * GROUP_ENTRIES)
        const after = kernels.filterSizes(column, sizes.length, min, max, parts, cut - (cut % GROUP_ENTRIES))
        expect(kernels.popcount(parts, 0, cut - (cut % GROUP_ENTRIES))).toBe(0)
        expect(after + kernels.filterSizes(column, sizes.length, min, max, parts, 0, cut - (cut % GROUP_ENTRIES))).toBe(
          expected.length,
        )
        expect(kernels.bytes.subarray(parts.at, parts.at + parts.length)).toEqual(
          kernels.bytes.subarray(out.at, out.at + out.length),
        )
      }
    })
  })

  it(`give the rows of names (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS * 3; round++) {
        kernels.scratch.reset()
        const names = random(150)
        const counts = Array.from({ length: names }, () => [1, 2, 0, random(9), 255 + random(3)][random(5)])
        const rowCount = counts.reduce((a, b) => a + b, 0)
        const inverse = Uint32Array.from({ length: rowCount }, (_, i) => i)
        for (let i = rowCount - 1; i > 0; i--) {
          const j = random(i + 1)
          const swap = inverse[i]
          inverse[i] = inverse[j]
          inverse[j] = swap
        }
        const starts = counts.map((_, name) => counts.slice(0, name).reduce((a, b) => a + b, 0))
        const blocks = Math.ceil(names / BLOCK_NAMES)
        const set = Uint32Array.from({ length: blocks }, () => (random(3) === 0 ? 0 : random(0xffffffff)))
        for (let name = names; name < blocks * BLOCK_NAMES; name++) set[name >>> 5] &= ~(1 << (name & 31))
        const width = 32 - Math.clz32(Math.max(0, rowCount - 1))
        const overflow = Uint32Array.from(counts.flatMap((count, name) => (count >= 255 ? [name, count] : [])))
        const args = {
          counts: kernels.place(Uint8Array.from(counts, count => Math.min(count, 255))),
          overflow: kernels.place(new Uint8Array(overflow.buffer)),
        }
        const rows = {
          starts: kernels.place(
            new Uint8Array(Uint32Array.from({ length: blocks }, (_, b) => starts[b * BLOCK_NAMES]).buffer),
          ),
          inverse: map(kernels, packArray(inverse, rowCount, width)),
          width,
          count: rowCount,
        }
        const bits = kernels.place(new Uint8Array(set.buffer))
        const [from, to] = [random(blocks + 1), random(blocks + 1)].sort((a, b) => a - b)
        const expected: number[] = []
        for (let name = from * BLOCK_NAMES; name < Math.min(names, to * BLOCK_NAMES); name++) {
          if ((set[name >>> 5] >>> (name & 31)) & 1)
            expected.push(...inverse.subarray(starts[name], starts[name] + counts[name]))
        }
        const out = kernels.takeBits(rowCount)
        expect(kernels.countRows(bits, args, names, from, to)).toBe(expected.length)
        expect(kernels.expandNames(bits, args, names, rows, from, to, out)).toBe(expected.length)
        const found = kernels.ids(kernels.listBits(out, 0, rowCount, kernels.takeIds(rowCount)))
        expect([...found]).toEqual(expected.sort((a, b) => a - b))
        if (expected.length > 0) {
          const short = { ...rows, count: 0 }
          expect(() => kernels.expandNames(bits, args, names, short, from, to, out)).toThrow(MalformedBytesError)
          expect(() => kernels.expandNames(bits, args, names, rows, from, to, rows.inverse)).toThrow(InvalidInputError)
          expect(() => kernels.countRows(bits, args, from * BLOCK_NAMES, from, to)).toThrow(InvalidInputError)
        }
      }
    })
  })

  it(`of sizes do no harm when damaged (seed ${SEED})`, () => {
    both(kernels => {
      const random = randomSource(SEED)
      for (let round = 0; round < ROUNDS * 10; round++) {
        kernels.scratch.reset()
        const count = 1 + random(3 * GROUP_ENTRIES)
        const bytes = encodeSizeColumn(
          Float64Array.from({ length: count }, () => 2 ** random(50)),
          count,
        )
        for (let i = random(3); i >= 0; i--) bytes[random(2) === 0 ? random(bytes.length) : random(8)] = random(256)
        const column = map(kernels, random(3) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes)
        try {
          expect(kernels.filterSizes(column, count, 0, 1000, kernels.takeBits(count))).toBeLessThanOrEqual(count)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError)
        }
      }
    })
  })

  it('are not read at ids or places that they do not have', () => {
    both(kernels => {
      const column = map(kernels, new Uint8Array(8))
      expect(() => kernels.gather(column, kernels.placeIds(Uint32Array.of(2)))).toThrow(MalformedBytesError)
      expect(() => kernels.gatherPacked(column, 7, 9, kernels.placeIds(Uint32Array.of(9)))).toThrow(MalformedBytesError)
      expect(() => kernels.gatherPacked(column, 7, 10, kernels.placeIds(Uint32Array.of(1)))).toThrow(InvalidInputError)
      const out = kernels.takeBits(64)
      expect(() => kernels.selectPacked(column, 7, 10, out, 64, out)).toThrow(InvalidInputError)
      expect(() => kernels.selectPacked(column, 7, 9, column, 65, out)).toThrow(InvalidInputError)
      expect(() => kernels.selectPacked(column, 7, 9, out, 64, column)).toThrow(InvalidInputError)
      expect(() => kernels.filterSizes(column, 1, 0, 1, column)).toThrow(InvalidInputError)
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
