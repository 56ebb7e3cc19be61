import { expect, it } from 'vitest'
import { MemoryReadings, processFacts } from './process-facts.js'

it('reads the memory of a process at most once a second', () => {
  let now = 5_000
  const read: number[] = []
  const memory = new MemoryReadings(
    pid => {
      read.push(pid)
      return now + pid
    },
    () => now,
  )
  expect([memory.of(1), memory.of(2)]).toEqual([5_001, 5_002])
  now += 999
  expect([memory.of(1), memory.of(2)]).toEqual([5_001, 5_002])
  now += 1
  expect(memory.of(1)).toBe(6_001)
  expect(read).toEqual([1, 2, 1])
  for (let pid = 100; pid < 300; pid++) memory.of(pid)
  expect(memory.of(1)).toBe(6_001)
  expect(read.filter(pid => pid === 1)).toHaveLength(3)
})

it('knows of this process, and of one that has ended that it has', () => {
  const { uptimeMs, memoryBytes } = processFacts(process.pid, new MemoryReadings())
  expect(uptimeMs).toBeGreaterThan(0)
  expect(memoryBytes).toBeGreaterThan(2 ** 20)
  expect(processFacts(2 ** 30, new MemoryReadings())).toEqual({ uptimeMs: 0, memoryBytes: Number.NaN })
})
