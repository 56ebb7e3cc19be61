import { describe, expect, it } from 'vitest'
import { OpenBuffer } from './open-buffer.js'

const key = (low: number) => ({ volume: 1, low, high: 2, birth: 3 })

describe('OpenBuffer', () => {
  it('hands over what it took, in order, however often it goes round', () => {
    const buffer = new OpenBuffer(5)
    const seen: number[] = []
    let next = 0
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 1 + (round % 4); i++) expect(buffer.accept(key(next), next++)).toBe(true)
      buffer.take(round % 2 === 0 ? 2 : 5, ({ count, volume, low, high, birth, at }) => {
        expect(at).toEqual(low)
        for (let i = 0; i < count; i++) expect([volume[i], high[i], birth[i]]).toEqual([1, 2, 3])
        for (const column of [volume, low, high, birth, at]) expect(column).toHaveLength(count)
        seen.push(...low)
      })
      while (buffer.length > 1) buffer.take(1, ({ low }) => seen.push(...low))
    }
    buffer.take(5, ({ low }) => seen.push(...low))
    expect(seen).toEqual(Array.from({ length: next }, (_, i) => i))
    expect([buffer.accepted, buffer.dropped, buffer.length]).toEqual([next, 0, 0])
  })

  it('counts what it has no room for, and keeps what it has', () => {
    const buffer = new OpenBuffer(3)
    const taken = [1, 2, 3, 4, 5].map(low => buffer.accept(key(low), low))
    expect(taken).toEqual([true, true, true, false, false])
    expect(buffer.dropped).toBe(2)
    const seen: number[] = []
    expect(buffer.take(10, ({ low }) => seen.push(...low))).toBe(3)
    expect(seen).toEqual([1, 2, 3])
  })
})
