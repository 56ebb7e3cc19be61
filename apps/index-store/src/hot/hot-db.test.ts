import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SCORING, encodeHotHeader, HOT_HEADER_FIELDS } from '@hotpath/hot-score'
import { crc32c } from '@hotpath/index-format'
import { UnsupportedVersionError } from '@hotpath/model'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HotDb } from './hot-db.js'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-hotdb-'))
  file = join(directory, 'hot.db')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const fail = (error: Error) => {
  throw error
}

async function written(count: number): Promise<void> {
  const { db, table } = await HotDb.open(file, DEFAULT_SCORING, fail)
  for (let low = 1; low <= count; low++) table.open(1, low, 0, 7, 1_000 + low)
  await db.write()
  await db.close()
}

it('begins a file that only its owner can read', async () => {
  await written(0)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(new Uint8Array(readFileSync(file))).toEqual(new Uint8Array(encodeHotHeader()))
})

it('reads what was written, and the newest of what was written in one go', async () => {
  await written(1_000)
  const { db, table, damaged } = await HotDb.open(file, DEFAULT_SCORING, fail)
  expect([table.size, damaged]).toEqual([1_000, 0])
  const writes: Promise<void>[] = []
  for (let round = 1; round <= 20; round++) {
    table.open(1, 500, 0, 7, 5_000 + round)
    table.open(1, 2_000 + round, 0, 7, 5_000)
    writes.push(db.write())
  }
  await Promise.all(writes)
  await db.close()
  const again = await HotDb.open(file, DEFAULT_SCORING, fail)
  expect(again.table.size).toBe(1_020)
  expect(again.table.useAt(again.table.find(1, 500, 0, 7))).toMatchObject({ runs: 21, opened: 5_020 })
  await again.db.close()
})

it('leaves out what is damaged, and sets aside what cannot be read at all', async () => {
  await written(10)
  const bytes = readFileSync(file)
  bytes[3 * 32 + 9] ^= 1
  writeFileSync(file, bytes)
  const { db, table, damaged, setAside } = await HotDb.open(file, DEFAULT_SCORING, fail)
  expect([table.size, damaged, setAside]).toEqual([9, 1, undefined])
  await db.close()
  bytes[0] ^= 1
  writeFileSync(file, bytes)
  const anew = await HotDb.open(file, DEFAULT_SCORING, fail)
  expect([anew.table.size, anew.setAside?.code]).toEqual([0, 'CORRUPT_FILE'])
  await anew.db.close()
  expect(readdirSync(directory).sort()).toEqual(['hot.db', 'hot.db.damaged'])
  expect(readFileSync(join(directory, 'hot.db.damaged'))).toEqual(bytes)
})

it('refuses a file of another version, and leaves it alone', async () => {
  const header = Buffer.from(encodeHotHeader())
  header.writeUInt32LE(2, HOT_HEADER_FIELDS.version[0])
  const [checksum] = HOT_HEADER_FIELDS.checksum
  header.writeUInt32LE(crc32c(header, 0, checksum), checksum)
  writeFileSync(file, header)
  await expect(HotDb.open(file, DEFAULT_SCORING, fail)).rejects.toThrow(UnsupportedVersionError)
  expect(readFileSync(file)).toEqual(header)
})

it('goes on in memory where no file can be made, and says so', async () => {
  const failures: Error[] = []
  const { db, table } = await HotDb.open(join(directory, 'absent', 'hot.db'), DEFAULT_SCORING, error =>
    failures.push(error),
  )
  table.open(1, 1, 0, 7, 5)
  await db.write()
  await db.close()
  expect(failures).toMatchObject([{ code: 'ENOENT' }])
  expect(db.failure).toBe(failures[0])
  expect(table.size).toBe(1)
})

it('says once that it cannot write, and goes on without', async () => {
  const failures: Error[] = []
  const { db, table } = await HotDb.open(file, DEFAULT_SCORING, error => failures.push(error))
  await db.close()
  table.open(1, 1, 0, 7, 5)
  await db.write()
  table.open(1, 1, 0, 7, 6)
  await db.write()
  expect(failures).toHaveLength(1)
  expect(db.failure).toBe(failures[0])
})
