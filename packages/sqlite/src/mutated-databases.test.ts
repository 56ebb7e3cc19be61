import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MUTATION_TIMEOUT_MS, type Random, tryMutations, unlessRefused } from '@hotpath/index-format/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DatabaseDifference, type DatabaseState } from './database-difference.js'
import { pageCountOf, parseDatabaseHeader } from './database-header.js'
import { PageOwners } from './page-owners.js'
import type { PageSource } from './page-source.js'
import { decodeRecord } from './record.js'
import { readSchema } from './schema.js'
import { tableRows } from './table-scan.js'
import type { TableShape } from './table-shape.js'
import { bytesIn, pagesIn } from './testing/memory-pages.js'
import { writeRandomly } from './testing/random-writer.js'
import { parseWalHeader } from './wal-header.js'
import { parseWalIndex, WAL_INDEX_BYTES } from './wal-index.js'
import { WalPages } from './wal-pages.js'
import { WalReader } from './wal-reader.js'

const DATABASES = process.env.SOAK ? 20_000 : 250
const LOGS = process.env.SOAK ? 50_000 : 300
const SMALL = process.env.SOAK ? 500_000 : 5_000
const MAX_MEBIBYTES = 384
const PAGE_BYTES = 512

let directory = ''
let database: Uint8Array
let log: Uint8Array
let index: Uint8Array
let tables: readonly TableShape[]
let owners: () => PageOwners

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-mutations-'))
  const settings = {
    seed: 5,
    pageSize: PAGE_BYTES,
    encoding: 'UTF-16le',
    autoVacuum: 0,
    secureDelete: 0,
    rows: 12,
  } as const
  const states = [...writeRandomly(directory, { ...settings, commits: 25 })]
  tables = states[0]!.tables.map(({ shape }) => shape)
  const file = join(directory, 'data.db')
  database = readFileSync(file)
  log = readFileSync(`${file}-wal`)
  index = readFileSync(`${file}-shm`).subarray(0, WAL_INDEX_BYTES)
  owners = () => PageOwners.of(sourceOf(database), tables)
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function sourceOf(bytes: Uint8Array): PageSource {
  return pagesIn('mutated.db', bytes, PAGE_BYTES, PAGE_BYTES)
}

/** Some bytes are others, mostly where pages have what their structure is; or the end is missing. */
function mutated(random: Random, good: Uint8Array, note: (what: string) => void): Uint8Array {
  const bytes = Uint8Array.from(good)
  for (let left = 1 + random.below(4); left > 0; left--) {
    const page = random.below(Math.ceil(good.length / PAGE_BYTES)) * PAGE_BYTES
    const at = Math.min(page + random.below(random.chance(0.6) ? 24 : PAGE_BYTES), good.length - 1)
    bytes[at] = random.pick([
      0,
      1,
      2,
      5,
      10,
      13,
      0x7f,
      0x80,
      0xff,
      random.below(256),
      bytes[at]! ^ (1 << random.below(8)),
    ])
    note(`${at} is ${bytes[at]}`)
  }
  if (!random.chance(0.1)) return bytes
  const length = random.below(good.length)
  note(`cut at ${length}`)
  return bytes.subarray(0, length)
}

/** Pages that are not the same in both, and some that are. */
function changedPages(random: Random, bytes: Uint8Array): number[] {
  const pages: number[] = []
  for (let no = 1; no <= Math.ceil(database.length / PAGE_BYTES); no++) {
    const page = (from: Uint8Array): Uint8Array => from.subarray((no - 1) * PAGE_BYTES, no * PAGE_BYTES)
    if (Buffer.compare(page(bytes), page(database)) !== 0 || random.chance(0.05)) pages.push(no)
  }
  return pages
}

describe('mutated', () => {
  it(
    'databases are refused, or read as something',
    () => {
      let refused = 0
      tryMutations({ maxMebibytes: MAX_MEBIBYTES, inputs: DATABASES }, (random, note) => {
        const bytes = mutated(random, database, note)
        const source = sourceOf(bytes)
        const header = unlessRefused(() => parseDatabaseHeader({ file: 'mutated.db', bytes, offset: 0 }))
        if (header !== undefined) expect(pageCountOf(header, bytes.length)).toBeGreaterThanOrEqual(0)
        unlessRefused(() => readSchema(source))
        if (unlessRefused(() => PageOwners.of(source, tables)) === undefined) refused++
        for (const shape of tables) unlessRefused(() => [...tableRows(source, shape, 'utf-16le')].length)
        const good: DatabaseState = { source: sourceOf(database), encoding: 'utf-16le', tables }
        const bad: DatabaseState = { ...good, source }
        const changed = changedPages(random, bytes)
        for (const [before, after] of [
          [good, bad],
          [bad, good],
        ] as const)
          unlessRefused(() => {
            const difference = new DatabaseDifference(before, after, owners(), changed)
            let changes = 0
            for (const _ of difference.changes()) changes++
            difference.settle()
            return changes
          })
      })
      expect(refused).toBeGreaterThan(DATABASES / 20)
    },
    MUTATION_TIMEOUT_MS,
  )

  it(
    'logs have the commits before the damage, and no others',
    () => {
      const header = parseWalHeader({ file: 'log', bytes: log, offset: 0 })
      const commits = (bytes: Uint8Array) => {
        const source = bytesIn('log', bytes)
        const ends: number[] = []
        for (const { lastFrame, frames } of new WalReader(source, header).commits(2 ** 31)) {
          const pages = new WalPages(source, header, frames)
          for (const no of frames.pages()) pages.get(no)
          ends.push(lastFrame)
        }
        return ends
      }
      const good = commits(log)
      expect(good.length).toBeGreaterThan(10)
      tryMutations({ maxMebibytes: MAX_MEBIBYTES, inputs: LOGS }, (random, note) => {
        const bytes = mutated(random, log, note)
        unlessRefused(() => parseWalHeader({ file: 'log', bytes, offset: 0 }))
        let same = 32
        while (same < bytes.length && bytes[same] === log[same]) same++
        const whole = Math.floor((same - 32) / (24 + PAGE_BYTES))
        expect(commits(bytes)).toEqual(good.filter(end => end <= whole))
      })
    },
    MUTATION_TIMEOUT_MS,
  )

  it('indexes of logs are refused, asked for again, or as they were', () => {
    const good = parseWalIndex({ file: 'shm', bytes: index, offset: 0 })!
    tryMutations({ maxMebibytes: MAX_MEBIBYTES, inputs: SMALL }, (random, note) => {
      const bytes = mutated(random, index, note)
      const found = unlessRefused(() => parseWalIndex({ file: 'shm', bytes, offset: 0 }))
      if (found !== undefined) expect(found.header).toEqual(good.header)
    })
  })

  it('records are refused, or have values', () => {
    tryMutations({ maxMebibytes: MAX_MEBIBYTES, inputs: SMALL }, random => {
      const bytes = Uint8Array.from({ length: random.below(40) }, () =>
        random.pick([random.below(14), random.below(40), random.below(256), 0xff]),
      )
      const encoding = random.pick(['utf-8', 'utf-16le', 'utf-16be'] as const)
      const values = unlessRefused(() => decodeRecord({ file: 'record', bytes, offset: 0 }, encoding))
      if (values !== undefined) expect(values.length).toBeLessThan(40)
    })
  })
})
