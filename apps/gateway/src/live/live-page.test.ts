import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SearchAnswer, SearchRow } from '../search-backend.js'
import { fakeRow } from '../testing/fake-backend.js'
import { difference, longestRise, pageOf, samePages } from './live-page.js'

function answerOf(rows: readonly SearchRow[], exactRows = rows.length): SearchAnswer {
  return {
    total: rows.length,
    fuzzyTotal: undefined,
    exactRows,
    clock: '1',
    fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
    partial: false,
    engineMs: 0,
    rows,
    explanation: undefined,
  }
}

const row = (at: number): SearchRow => fakeRow('/d', Buffer.from(`n${at}`), at)
const between = (a: SearchAnswer, b: SearchAnswer) => difference(pageOf(a), pageOf(b), b)

describe('pages', () => {
  it('differ in whatever a row shows, but not in its heat', () => {
    const plain = row(1)
    const same = { ...plain, hot: 9, path: Uint8Array.from(plain.path) }
    const others: SearchRow[] = [
      { ...plain, path: Buffer.from('/e/n1') },
      { ...plain, kind: 1 },
      { ...plain, sizeBytes: Number.NaN },
      { ...plain, sizeBytes: plain.sizeBytes + 1 },
      { ...plain, modified: undefined },
      { ...plain, modified: { ...plain.modified!, ticks: 5 } },
      { ...plain, created: plain.modified },
      { ...plain, accessed: plain.modified },
    ]
    const page = pageOf(answerOf([plain]))
    expect(samePages(page, pageOf(answerOf([same])))).toBe(true)
    for (const other of others) expect(samePages(page, pageOf(answerOf([other])))).toBe(false)
    expect(samePages(page, pageOf(answerOf([plain], 0)))).toBe(false)
    const marks = new Set([plain, ...others].map(one => pageOf(answerOf([one])).marks.join()))
    expect(marks.size).toBe(others.length + 1)
  })

  it('differ by rows that came, went, changed and moved', () => {
    const [a, b, c, d, e] = [1, 2, 3, 4, 5].map(row) as [SearchRow, SearchRow, SearchRow, SearchRow, SearchRow]
    const grown = { ...b, sizeBytes: 1 }
    const found = between(answerOf([a, b, c, d]), answerOf([e, d, a, grown]))
    expect(found?.removed).toEqual([c.id])
    expect(found?.added).toMatchObject([{ at: 0, row: { id: e.id } }])
    // d passed a: one of the two moved.
    expect(found?.changed.map(({ row }) => row.id)).toEqual([d.id, b.id])
  })

  it('of which one has an id twice are not told apart by ids', () => {
    expect(between(answerOf([row(1), row(1)]), answerOf([row(1)]))).toBeUndefined()
    expect(between(answerOf([row(1)]), answerOf([row(1), row(1)]))).toBeUndefined()
  })
})

it('a longest rise is ascending, and no rise is longer', () => {
  const numbers = fc.uniqueArray(fc.nat({ max: 50 }), { maxLength: 9 })
  fc.assert(
    fc.property(numbers, values => {
      const rise = longestRise(values)
      for (let i = 1; i < rise.length; i++) {
        expect(rise[i]!).toBeGreaterThan(rise[i - 1]!)
        expect(values[rise[i]!]!).toBeGreaterThan(values[rise[i - 1]!]!)
      }
      let best = 0
      for (let subset = 0; subset < 1 << values.length; subset++) {
        const chosen = values.filter((_, i) => subset & (1 << i))
        if (chosen.every((value, i) => i === 0 || value > chosen[i - 1]!)) best = Math.max(best, chosen.length)
      }
      expect(rise.length).toBe(best)
    }),
  )
})
