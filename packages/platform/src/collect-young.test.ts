import { expect, it } from 'vitest'
import { collectYoung } from './release-memory.js'

const BYTES = 1_000_000

it('gives back the memory of buffers that are not used any more', () => {
  collectYoung()
  const before = process.memoryUsage().arrayBuffers
  const kept = new Uint8Array(BYTES)
  for (let i = 0; i < 20; i++) new Uint8Array(BYTES).fill(i)
  collectYoung()
  expect(kept.length).toBe(BYTES)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5 * BYTES)
})
