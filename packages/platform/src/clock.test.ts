import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bootId, monotonicMicros } from './clock.js'

describe('monotonicMicros', () => {
  it('is the same clock in every process', () => {
    const library = new URL('../dist/clock.js', import.meta.url).href
    const script = `const { monotonicMicros } = await import(${JSON.stringify(library)}); console.log(monotonicMicros())`
    const before = monotonicMicros()
    const inChild = Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
    const after = monotonicMicros()
    expect(inChild).toBeGreaterThanOrEqual(before)
    expect(inChild).toBeLessThanOrEqual(after)
    expect(Number.isSafeInteger(inChild)).toBe(true)
  })

  it('never runs ahead of the uptime (which also counts suspended time)', () => {
    const micros = monotonicMicros()
    const uptimeMicros = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1e6
    // The file is rounded to 10 ms.
    expect(micros).toBeLessThanOrEqual(uptimeMicros + 20_000)
  })
})

describe('bootId', () => {
  it('is a UUID that stays the same', () => {
    expect(bootId()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(bootId()).toBe(bootId())
  })
})
