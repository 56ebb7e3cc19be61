import { randomOf } from '@hotpath/query/testing'
import { describe, expect, it } from 'vitest'
import { nextAbove, nextBelow } from './next-number.js'
import { RankedRows } from './ranked-rows.js'
import { RowSet } from './row-set.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))

describe('RankedRows', () => {
  it.each([
    ['none', 0],
    ['a list', 0.005],
    ['bits', 0.3],
    ['all', 1],
  ])('knows where each row stands: %s', (_what, share) => {
    const random = randomOf(SEED)
    for (const size of [1, 31, 32, 512, 513, 5_000]) {
      const list = Uint32Array.from({ length: size }, (_, row) => row).filter(() => random.chance(share))
      const ranked = new RankedRows(RowSet.ofList(size, list))
      expect(ranked.length, `seed ${SEED}`).toBe(list.length)
      expect(
        Array.from(list, (_, rank) => ranked.at(rank)),
        `seed ${SEED}`,
      ).toEqual([...list])
      let below = 0
      for (let row = 0; row <= size; row++) {
        expect(ranked.countBelow(row), `seed ${SEED} ${size} ${row}`).toBe(below)
        if (list[below] === row) below++
      }
    }
  })
})

describe('the next number', () => {
  it.each([
    [0, Number.MIN_VALUE],
    [-0, Number.MIN_VALUE],
    [1, 1 + Number.EPSILON],
    [-1, -1 + Number.EPSILON / 2],
    [Number.MAX_VALUE, Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY, -Number.MAX_VALUE],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])('after %s is %s', (value, next) => {
    expect(nextAbove(value)).toBe(next)
    expect(nextBelow(-value)).toBe(-next)
  })
})
