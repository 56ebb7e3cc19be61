import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IdTable } from './id-table.js'

describe('an id table', () => {
  it('holds what a map holds', () => {
    const id = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 0xffffffff }))
    const value = fc.integer({ min: 0, max: 0xffffffff })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(id, value), { maxLength: 300 }),
        fc.integer({ min: 0, max: 400 }),
        (pairs, expected) => {
          const table = new IdTable(expected)
          const map = new Map<number, number>()
          for (const [key, number] of pairs) {
            table.set(key, number)
            map.set(key, number)
            expect(table.size).toBe(map.size)
          }
          for (const [key, number] of map) expect(table.get(key)).toBe(number)
          for (let key = 1; key <= 70; key++) expect(table.get(key)).toBe(map.get(key) ?? -1)
        },
      ),
    )
  })

  it('grows from nothing to many', () => {
    const table = new IdTable()
    for (let i = 1; i <= 50_000; i++) table.set(i * 65_536 + 1, i)
    for (let i = 1; i <= 50_000; i++) expect(table.get(i * 65_536 + 1)).toBe(i)
  })
})
