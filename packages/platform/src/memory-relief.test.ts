import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { MemoryRelief } from './memory-relief.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('releases once when nobody has searched for a while', () => {
  const release = vi.fn()
  const relief = new MemoryRelief(release)
  for (let i = 0; i < 5; i++) {
    relief.searched()
    vi.advanceTimersByTime(1_000)
  }
  expect(release).not.toHaveBeenCalled()
  vi.advanceTimersByTime(60_000)
  expect(release).toHaveBeenCalledTimes(1)
})

it('releases now and then while searches keep coming', () => {
  const release = vi.fn()
  const relief = new MemoryRelief(release)
  for (let i = 0; i < 60_000; i += 100) {
    relief.searched()
    vi.advanceTimersByTime(100)
  }
  expect(release).toHaveBeenCalledTimes(5)
})

it('begins anew after a pause', () => {
  const release = vi.fn()
  const relief = new MemoryRelief(release)
  relief.searched()
  vi.advanceTimersByTime(60_000)
  relief.searched()
  relief.searched()
  expect(release).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(60_000)
  expect(release).toHaveBeenCalledTimes(2)
})

it('leaves nothing to do when it is stopped', () => {
  const release = vi.fn()
  const relief = new MemoryRelief(release)
  relief.searched()
  relief.stop()
  vi.advanceTimersByTime(60_000)
  expect(release).not.toHaveBeenCalled()
})
