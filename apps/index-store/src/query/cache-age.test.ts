import { afterEach, expect, it, vi } from 'vitest'
import { CacheAge } from './cache-age.js'

afterEach(() => {
  vi.useRealTimers()
})

it('looks for what is too old until nothing is left, and not once more', () => {
  vi.useFakeTimers()
  const left = [true, false]
  const expire = vi.fn(() => left.shift() ?? false)
  const age = new CacheAge(expire)
  for (let i = 0; i < 3; i++) age.searched()
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(5 * 60_000)
  expect(expire).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1_000)
  expect(expire).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(60 * 60_000)
  expect(expire).toHaveBeenCalledTimes(2)
  expect(vi.getTimerCount()).toBe(0)
  age.searched()
  age.stop()
  expect(vi.getTimerCount()).toBe(0)
})
