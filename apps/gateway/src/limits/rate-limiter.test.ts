import { expect, it } from 'vitest'
import { RateLimitError, RateLimiter } from './rate-limiter.js'

function limited(step: () => void): number | undefined {
  try {
    step()
    return undefined
  } catch (error) {
    if (error instanceof RateLimitError) return Math.round(error.retryAfterMs)
    throw error
  }
}

it('allows a burst, then what comes in time', () => {
  let nowMs = 1_000
  const limiter = new RateLimiter({ perSecond: 10, burst: 5 }, () => nowMs)
  for (let i = 0; i < 5; i++) limiter.take(1)
  expect(limited(() => limiter.take(1))).toBe(100)
  // Being refused costs nothing.
  expect(limited(() => limiter.take(1))).toBe(100)
  nowMs += 100
  limiter.take(1)
  expect(limited(() => limiter.take(1))).toBe(100)
  nowMs += 60_000
  for (let i = 0; i < 5; i++) limiter.take(1)
  expect(limited(() => limiter.take(1))).toBe(100)
})

it('lets what is dearer than what is left pass once, and then waits until it is paid', () => {
  let nowMs = 0
  const limiter = new RateLimiter({ perSecond: 10, burst: 5 }, () => nowMs)
  limiter.take(15)
  expect(limited(() => limiter.take(0.05))).toBe(1_100)
  nowMs += 1_050
  limiter.take(0.05)
  limiter.charge(2)
  expect(limited(() => limiter.take(1))).toBe(255)
})
