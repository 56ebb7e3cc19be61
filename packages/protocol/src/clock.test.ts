import { describe, expect, it } from 'vitest'
import { clockCovers, formatClock, parseClock } from './clock.js'

describe('clocks', () => {
  it('are read as they are written', () => {
    for (const step of [0, 35, 36, 2 ** 40]) {
      const clock = { store: 'a:b', step }
      expect(parseClock(formatClock(clock))).toEqual(clock)
    }
  })

  it('are nothing else', () => {
    for (const text of [
      '',
      '12',
      'store:',
      'store:-1',
      'store:01',
      'store:A',
      'store:1.5',
      'store:1 ',
      `store:${'z'.repeat(20)}`,
    ])
      expect(parseClock(text), text).toBeUndefined()
  })

  it('cover earlier ones of the same store', () => {
    const clock = (step: number, store = 's') => formatClock({ store, step })
    expect(clockCovers(clock(36), clock(35))).toBe(true)
    expect(clockCovers(clock(36), clock(36))).toBe(true)
    expect(clockCovers(clock(36), clock(37))).toBe(false)
    expect(clockCovers(clock(36), clock(1, 'other'))).toBe(false)
    expect(clockCovers('garbage', clock(1))).toBe(false)
    expect(clockCovers(clock(1), 'garbage')).toBe(false)
  })
})
