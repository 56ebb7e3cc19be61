import { expect, it } from 'vitest'
import { createPumpControl, PumpControl } from './pump-control.js'

it('a thread that loads is waited for until it has begun, and no longer than it may take', () => {
  const owner = new PumpControl(createPumpControl())
  const thread = new PumpControl(owner.memory)
  expect(owner.waitForBegin(1)).toBe(false)
  thread.begin()
  expect(owner.waitForBegin(600_000)).toBe(true)
})
