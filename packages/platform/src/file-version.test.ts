import { appendFileSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { fileVersion } from './file-version.js'

const LONG_AGO = new Date(1_000_000_000_000)
let directory: string
let file: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-version-'))
  file = join(directory, 'file')
  writeFileSync(file, 'one')
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

it('is the same while nothing is written', () => {
  utimesSync(file, LONG_AGO, LONG_AGO)
  expect(fileVersion(file)).toBe(fileVersion(file))
})

it('is another one after a write, even if the time is set back, and of a file that takes its place', () => {
  utimesSync(file, LONG_AGO, LONG_AGO)
  const first = fileVersion(file)
  appendFileSync(file, 'two')
  utimesSync(file, LONG_AGO, LONG_AGO)
  const second = fileVersion(file)
  const other = join(directory, 'other')
  writeFileSync(other, 'onetwo')
  utimesSync(other, LONG_AGO, LONG_AGO)
  renameSync(other, file)
  expect(new Set([first, second, fileVersion(file)]).size).toBe(3)
})

it('equals no other just after a write', () => {
  utimesSync(file, LONG_AGO, LONG_AGO)
  vi.useFakeTimers({ toFake: ['Date'], now: LONG_AGO.getTime() + 50 })
  try {
    expect(fileVersion(file)).not.toBe(fileVersion(file))
    vi.setSystemTime(LONG_AGO.getTime() + 51)
    expect(fileVersion(file)).toBe(fileVersion(file))
  } finally {
    vi.useRealTimers()
  }
})

it('says nothing of what is no plain file, and throws if nothing is there', () => {
  expect(fileVersion(directory)).toBeUndefined()
  expect(() => fileVersion(join(directory, 'none'))).toThrow('ENOENT')
})
