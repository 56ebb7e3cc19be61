import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { HotTable } from './hot-table.js'
import { DEFAULT_SCORING } from './scoring.js'

it('reads a file of version 1 as the opens it was made of', () => {
  const bytes = new Uint8Array(readFileSync(new URL('../fixtures/hot-1.db', import.meta.url)))
  const { table, damaged } = HotTable.load(bytes, 'hot-1.db', DEFAULT_SCORING)
  const found: number[][] = []
  table.forEach(slot => {
    const { volume, low, high, birth } = table.keyAt(slot)
    found.push([volume, low, high, birth, table.runsAt(slot), table.openedAt(slot)])
  })
  expect(damaged).toBe(0)
  expect(found).toEqual([
    [9, 1, 1, 7, 1, 1_700_000_001],
    [9, 2, 1, 7, 2, 1_700_086_400],
    [9, 4, 1, 7, 1, 1_700_000_004],
  ])
  expect(table.useAt(table.find(9, 1, 1, 7)).heat).toBe(1)
})
