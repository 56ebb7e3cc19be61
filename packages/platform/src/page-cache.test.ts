import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pageSize } from './memory.js'
import { mapFile } from './mmap.js'
import { evictFile, residencyOf } from './page-cache.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotpath-page-cache-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const PAGES = 64

function writtenFile(): string {
  const file = join(folder, 'file')
  writeFileSync(file, new Uint8Array(PAGES * pageSize() - 1).fill(7))
  return file
}

describe('page cache', () => {
  it('counts the pages of a file that are in memory', () => {
    const file = writtenFile()
    expect(residencyOf(file)).toEqual({ residentPages: PAGES, pages: PAGES })
    writeFileSync(file, '')
    expect(residencyOf(file)).toEqual({ residentPages: 0, pages: 0 })
  })

  it('evicts a file, dirty pages included, or says what stays', () => {
    const file = writtenFile()
    const left = evictFile(file)
    expect(left.pages).toBe(PAGES)
    expect(residencyOf(file)).toEqual(left)
    expect(readFileSync(file).every(byte => byte === 7)).toBe(true)
    expect(residencyOf(file).residentPages).toBe(PAGES)
  })

  it('leaves pages that are mapped', () => {
    const file = writtenFile()
    const mapped = mapFile(file)
    expect(mapped.bytes()[0]).toBe(7)
    expect(evictFile(file).residentPages).toBeGreaterThan(0)
    mapped.unmap()
  })

  it('refuses what is not there', () => {
    expect(() => evictFile(join(folder, 'nothing'))).toThrow(/ENOENT/)
    expect(() => residencyOf(join(folder, 'nothing'))).toThrow(/ENOENT/)
  })
})
