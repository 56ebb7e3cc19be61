import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SCORING, HotTable } from '@hotpath/hot-score'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { verifyHotRecords } from './inspect-hot.js'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-inspect-hot-'))
  file = join(directory, 'hot.db')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function hotFile(): Uint8Array {
  const table = new HotTable(DEFAULT_SCORING)
  for (let low = 1; low <= 20; low++) table.open(1, low, 0, 7, 1_000 + low)
  return table.page(0).bytes
}

it('says nothing of a file that was never begun', () => {
  expect(verifyHotRecords(file)).toEqual([])
})

it('names every damaged byte of hot records, and none where there is none', () => {
  const good = hotFile()
  writeFileSync(file, good)
  expect(verifyHotRecords(file)).toEqual([
    { state: 'good', what: 'hot.db', detail: 'every checksum of 20 records is right' },
  ])
  for (let at = 0; at < good.length; at++) {
    const bad = good.slice()
    bad[at] ^= 1
    writeFileSync(file, bad)
    expect(verifyHotRecords(file)[0]?.state, `byte ${at}`).toBe('bad')
  }
})
