import { describe, expect, it } from 'vitest'
import {
  MAX_CONNECTIONS,
  MAX_USER_CONNECTIONS,
  MAX_USER_REQUESTS,
  REQUEST_BURST,
  REQUESTS_PER_SECOND,
  UserLimits,
} from './user-limits.js'

describe('limits of users', () => {
  it('bound the connections of each, and of all', () => {
    const limits = new UserLimits(() => 0)
    for (let i = 0; i < MAX_USER_CONNECTIONS; i++) expect(limits.enter(1)).toBe(true)
    expect(limits.enter(1)).toBe(false)
    expect(limits.enter(2)).toBe(true)
    limits.leave(1)
    expect(limits.enter(1)).toBe(true)
    expect(limits.connections).toBe(MAX_USER_CONNECTIONS + 1)
    for (let user = 3; limits.connections < MAX_CONNECTIONS; user++) limits.enter(user)
    expect(limits.enter(9999)).toBe(false)
    expect(limits.refused).toBe(2)
  })

  it('bound what one user asks at once', () => {
    const limits = new UserLimits(() => 0)
    for (let i = 0; i < MAX_USER_REQUESTS; i++) expect(limits.begin(1)).toBe(true)
    expect(limits.begin(1)).toBe(false)
    expect(limits.begin(2)).toBe(true)
    limits.end(1)
    expect(limits.begin(1)).toBe(true)
  })

  it('bound what one user asks in a second', () => {
    let now = 0
    const limits = new UserLimits(() => now)
    const ask = (user: number): boolean => {
      if (!limits.begin(user)) return false
      limits.end(user)
      return true
    }
    const asked = (): number => {
      let count = 0
      while (ask(1)) count++
      return count
    }
    expect(asked()).toBe(REQUEST_BURST)
    expect(ask(2)).toBe(true)
    now = 1000
    expect(asked()).toBe(REQUESTS_PER_SECOND)
    now = 100_000
    expect(asked()).toBe(REQUEST_BURST)
  })

  it('does not let a new connection give new requests', () => {
    const limits = new UserLimits(() => 0)
    limits.enter(1)
    for (let i = 0; i < REQUEST_BURST; i++) {
      limits.begin(1)
      limits.end(1)
    }
    limits.leave(1)
    limits.enter(1)
    expect(limits.begin(1)).toBe(false)
  })
})
