import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlockLists } from './block-lists.js'

describe('lists of blocks', () => {
  it('hold what was appended, side by side', () => {
    const difference = fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 126, max: 130 }),
      fc.integer({ min: 0, max: 0xffffff }),
    )
    const step = fc.tuple(fc.integer({ min: 0, max: 40 }), difference)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3_000, size: 'max' }), steps => {
        const lists = new BlockLists()
        const expected = new Map<number, number[]>()
        for (const [list, above] of steps) {
          lists.ensureLists(list * 100 + 1)
          lists.append(list * 100, above)
          const values = expected.get(list) ?? []
          values.push((values.at(-1) ?? 0) + above)
          expected.set(list, values)
        }
        for (const [list, values] of expected) {
          const out = new Uint32Array(values.length)
          lists.read(list * 100, values.length, out)
          expect([...out]).toEqual(values.map(value => value % 2 ** 32))
        }
      }),
      { numRuns: process.env.SOAK ? 1_000 : 30 },
    )
  })

  it('grow past the largest slice', () => {
    const lists = new BlockLists()
    const count = 50_000
    for (let i = 0; i < count; i++) for (const list of [0, 1, 2]) lists.append(list, i === 0 ? list : list * 100 + 1)
    const out = new Uint32Array(count)
    for (const list of [0, 1, 2]) {
      lists.read(list, count, out)
      expect(out.every((value, i) => value === list + i * (list * 100 + 1))).toBe(true)
    }
  })
})
