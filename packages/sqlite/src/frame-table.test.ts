import { describe, expect, it } from 'vitest'
import { FrameCollector } from './frame-table.js'

describe('FrameTable', () => {
  it('has the last frame of each page, in the order of the pages', () => {
    const collector = new FrameCollector()
    const expected = new Map<number, number>()
    for (let frame = 1; frame <= 1_000; frame++) {
      const page = 1 + ((frame * 7919) % 301)
      collector.add(page, frame)
      expected.set(page, frame)
    }
    // Above the sign bit.
    collector.add(0xfffffffe, 5_000)
    const table = collector.table()
    expect(table.count).toBe(302)
    expect([...table.pages()]).toEqual([...expected.keys(), 0xfffffffe].toSorted((a, b) => a - b))
    for (const [page, frame] of expected) expect(table.frameOf(page)).toBe(frame)
    expect(table.frameOf(0xfffffffe)).toBe(5_000)
    expect(table.frameOf(302)).toBe(0)
    expect(table.frameOf(0)).toBe(0)
  })

  it('is empty where nothing was added', () => {
    const table = new FrameCollector().table()
    expect([...table.pages()]).toEqual([])
    expect(table.frameOf(1)).toBe(0)
  })
})
