import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GroupedColumn, SizeColumn } from './column-readers.js'
import { encodeGroupedColumn } from './grouped-column.js'
import { MemorySink } from './memory-sink.js'
import { plainKernels } from './plain-kernels.js'
import { SectionWriter } from './section-writer.js'
import { SegmentFile } from './segment-file.js'
import { GROUP_ENTRIES } from './segment-layout.js'
import { encodeSizeColumn, MAX_SIZE, storableSize } from './size-column.js'

/** A file with one section. */
function fileOf(tag: string, bytes: Uint8Array, items: number): SegmentFile {
  const sink = new MemorySink()
  const out = new SectionWriter(sink, plainKernels)
  out.section(tag, bytes, items)
  out.finish({ dirCount: 0, fileCount: 0, stubCount: 0 })
  return new SegmentFile('column.seg', sink.bytes())
}

const counts = [0, 1, GROUP_ENTRIES - 1, GROUP_ENTRIES, GROUP_ENTRIES + 1, 5 * GROUP_ENTRIES + 7]

describe('a grouped column', () => {
  it('gives back what was put in, at every spread', () => {
    const value = fc.integer({ min: 0, max: 32 }).chain(bits => fc.integer({ min: 0, max: 2 ** bits - 1 }))
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 80 }), fc.constantFrom(...counts), (some, count) => {
        const values = Uint32Array.from({ length: count }, (_, i) => some[i % some.length])
        const file = fileOf('fATR', encodeGroupedColumn(values, count), count)
        const column = new GroupedColumn(file, file.section('fATR'), count)
        expect(Array.from(values, (_, i) => column.at(i))).toEqual([...values])
        expect(() => column.at(count)).toThrow(/below/)
      }),
    )
  })

  it('of equal values takes a base a group', () => {
    expect(encodeGroupedColumn(new Uint32Array(6400).fill(77), 6400).length).toBe(100 * 9 + 4)
  })
})

describe('a size column', () => {
  it('gives back what was put in, one by one and in ranges', () => {
    const edges = [0, 254, 255, 256, 65_533, 65_534, 65_535, 0xfffffd, 0xfffffe, 0xffffff, 2 ** 32, MAX_SIZE]
    const size = fc.oneof(fc.constantFrom(Number.NaN, ...edges), fc.integer({ min: 0, max: MAX_SIZE }))
    const cases = fc.record({
      some: fc.array(size, { minLength: 1, maxLength: 80 }),
      count: fc.constantFrom(...counts),
    })
    fc.assert(
      fc.property(cases, fc.nat(), fc.nat(), ({ some, count }, a, b) => {
        const sizes = Float64Array.from({ length: count }, (_, i) => some[i % some.length])
        const file = fileOf('fSIZ', encodeSizeColumn(sizes, count), count)
        const column = new SizeColumn(file, file.section('fSIZ'), count)
        expect(Array.from(sizes, (_, i) => column.at(i))).toEqual([...sizes])
        const [from, to] = [a % (count + 1), b % (count + 1)].sort((x, y) => x - y)
        const part = new Float64Array(to - from)
        column.read(from, to, part)
        expect(part).toEqual(sizes.slice(from, to))
        expect(() => column.at(count)).toThrow(/below/)
        expect(() => column.read(0, count + 1, part)).toThrow(/below/)
      }),
    )
  })

  it('checks the pages of a range alone, wherever it lies', () => {
    const count = 100_000
    const sizes = Float64Array.from({ length: count }, (_, i) => (i * 7_919) % 3_000_000)
    const bytes = encodeSizeColumn(sizes, count)
    const ranges = [
      [0, 64],
      [50_001, 50_200],
      [count - 1, count],
      [99_000, count],
    ] as const
    for (const [from, to] of ranges) {
      const file = fileOf('fSIZ', bytes, count)
      const column = new SizeColumn(file, file.section('fSIZ'), count)
      const pagesBefore = file.checked.reduce((sum, checked) => sum + checked, 0)
      const part = new Float64Array(to - from)
      column.read(from, to, part)
      expect(part).toEqual(sizes.slice(from, to))
      // Of the starts of groups one or two, of the values what they take, and one more where they begin inside a page.
      const pages = file.checked.reduce((sum, checked) => sum + checked, 0) - pagesBefore
      expect(pages).toBeLessThanOrEqual(3 + Math.ceil(((to - from + 128) * 4) / 4096))
      expect(file.checked.length).toBeGreaterThan(70)
    }
  })

  it('refuses starts of groups that a faulty writer left, or reads no page that it has not checked', () => {
    const count = GROUP_ENTRIES * 200
    const sizes = Float64Array.from({ length: count }, (_, i) => i * 1_000)
    const bytes = encodeSizeColumn(sizes, count)
    const starts = new Uint32Array(bytes.buffer, bytes.byteOffset, 200)
    const right = starts.slice()
    let refused = 0
    for (const wrong of [0, right[199], bytes.length, 0xffff_ffff]) {
      starts.set(right)
      starts[100] = wrong
      for (const [first, past] of [
        [99, 102],
        [100, 101],
        [98, 100],
      ] as const) {
        const file = fileOf('fSIZ', bytes, count)
        const { section } = new SizeColumn(file, file.section('fSIZ'), count)
        const part = new Float64Array((past - first) * GROUP_ENTRIES)
        try {
          new SizeColumn(file, section, count).read(first * GROUP_ENTRIES, past * GROUP_ENTRIES, part)
        } catch (error) {
          expect((error as Error).message).toMatch(/an offset below/)
          refused++
          continue
        }
        for (let group = first; group < past; group++) {
          const at = section.offset + 200 * 4 + starts[group]
          expect(file.checked[at >>> 12], `${wrong} ${first} ${group}`).toBe(1)
          const values = part.subarray((group - first) * GROUP_ENTRIES, (group - first + 1) * GROUP_ENTRIES)
          if (group !== 100) expect(values).toEqual(sizes.subarray(group * GROUP_ENTRIES, (group + 1) * GROUP_ENTRIES))
        }
      }
    }
    expect(refused).toBeGreaterThanOrEqual(8)
  })

  it('takes one byte for small sizes, and two bits each for the lengths', () => {
    expect(encodeSizeColumn(new Float64Array(64).fill(254), 64).length).toBe(4 + 16 + 64)
    expect(encodeSizeColumn(new Float64Array(64).fill(255), 64).length).toBe(4 + 16 + 128)
    expect([...encodeSizeColumn(Float64Array.of(Number.NaN, 254, 255), 3)]).toEqual([
      ...[0, 0, 0, 0],
      ...[0b010000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 255, 0, 1],
    ])
  })

  it('holds sizes up to 2^53 - 2', () => {
    expect([-1, Number.NaN, 0, MAX_SIZE, 2 ** 60].map(storableSize)).toEqual([
      Number.NaN,
      Number.NaN,
      0,
      2 ** 53 - 2,
      2 ** 53 - 2,
    ])
  })
})
