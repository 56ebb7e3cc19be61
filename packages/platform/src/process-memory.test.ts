import { describe, expect, it } from 'vitest'
import { fileSystemInfo } from './file-system-info.js'
import { anonymousMemory, parseSmapsRollup, processMemory } from './process-memory.js'

describe('processMemory', () => {
  it('sees memory that was just taken', () => {
    const before = processMemory()
    const countedBefore = anonymousMemory(process.pid)
    const block = Buffer.alloc(64 * 2 ** 20, 1)
    const after = processMemory(process.pid)
    const counted = anonymousMemory(process.pid)
    expect(block[5]).toBe(1)
    expect(counted - countedBefore).toBeGreaterThan(48 * 2 ** 20)
    expect(() => anonymousMemory(2 ** 30)).toThrow(/ENOENT/)
    expect(after.anonymousBytes - before.anonymousBytes).toBeGreaterThan(48 * 2 ** 20)
    expect(after.residentBytes).toBeGreaterThanOrEqual(after.anonymousBytes)
    expect(after.pssBytes).toBeGreaterThan(48 * 2 ** 20)
    expect(() => processMemory(2 ** 30)).toThrow(/ENOENT/)
  })

  it('does not know what is not there', () => {
    expect(parseSmapsRollup('Rss:    1688 kB\nPss:     344 kB\nPss_Anon: 12 kB\nAnonymous:   112 kB\n')).toEqual({
      anonymousBytes: 112 * 1024,
      pssBytes: 344 * 1024,
      residentBytes: 1688 * 1024,
    })
    expect(parseSmapsRollup('').anonymousBytes).toBeNaN()
  })
})

describe('fileSystemInfo', () => {
  it('tells file systems apart', () => {
    const proc = fileSystemInfo('/proc')
    const here = fileSystemInfo(process.cwd())
    expect(proc.type).toBe(0x9fa0)
    expect(here.fsid).toMatch(/^[0-9a-f]{16}$/)
    expect(here.fsid).not.toBe(proc.fsid)
    expect(() => fileSystemInfo('/no/such')).toThrow(/ENOENT/)
  })
})
