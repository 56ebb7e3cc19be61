import { expect, it } from 'vitest'
import { processFacts } from './process-facts.js'

it('knows of this process, and of one that has ended that it has', () => {
  const { uptimeMs, memoryBytes } = processFacts(process.pid)
  expect(uptimeMs).toBeGreaterThan(0)
  expect(memoryBytes).toBeGreaterThan(2 ** 20)
  expect(processFacts(2 ** 30)).toEqual({ uptimeMs: 0, memoryBytes: Number.NaN })
})
