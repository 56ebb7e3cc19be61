import { execFileSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { collectYoung, releaseMemoryKeepingCode } from './release-memory.js'

const BYTES = 1_000_000

it('gives back buffers that have grown old', async () => {
  // Garbage of others would be given back meanwhile.
  for (let i = 0; i < 3; i++) collectYoung()
  const before = process.memoryUsage().arrayBuffers
  let held: Uint8Array[] = Array.from({ length: 20 }, () => new Uint8Array(BYTES))
  for (let i = 0; i < 3; i++) collectYoung()
  expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(15 * BYTES)
  held = []
  releaseMemoryKeepingCode()
  for (let i = 0; i < 100 && process.memoryUsage().arrayBuffers - before > 5 * BYTES; i++) await delay(50)
  expect(held.length).toBe(0)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5 * BYTES)
})

/** Names of functions whose compiled code V8 dropped because what it was made for is not alive. */
function dropped(how: string): string[] {
  const script = `
    import * as release from ${JSON.stringify(fileURLToPath(new URL('../dist/release-memory.js', import.meta.url)))}
    class Hit { size; constructor(at) { this.at = at } get next() { return this.at + 1 } }
    function searched(count) {
      const hits = []
      let sum = 0
      for (let i = 0; i < count; i++) hits.push(new Hit(i))
      for (const hit of hits) sum += hit.next
      return sum
    }
    for (let i = 0; i < 500; i++) searched(10_000)
    await new Promise(resolve => setTimeout(resolve, 100))
    process.stdout.write('--- searched\\n')
    release.${how}()
    await new Promise(resolve => setTimeout(resolve, 1_000))
    process.stdout.write('--- released\\n')`
  const out = execFileSync(process.execPath, ['--trace-deopt', '--trace-gc', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  const during = out.slice(out.indexOf('--- searched'), out.indexOf('--- released'))
  expect(during).toMatch(/Mark-Compact|Mark-sweep/)
  return [...during.matchAll(/SharedFunctionInfo (\w+)>.*weak objects/g)].map(([, name]) => name!)
}

it('keeps what is compiled, which a collection of all at once drops', () => {
  expect(dropped('releaseMemory')).toContain('searched')
  // On a busy machine marking may begin so late that it is as if all were marked at once.
  let kept = false
  for (let attempt = 0; attempt < 8 && !kept; attempt++) kept = dropped('releaseMemoryKeepingCode').length === 0
  expect(kept).toBe(true)
})
