import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EntryColumns, Kind } from '@hotpath/model'
import {
  compareEntries,
  type Entry,
  matchesNaively,
  naiveContext,
  parseQuery,
  relevanceTerms,
  type Sort,
} from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engineOver, writeSegment } from './testing/flat-segment.js'
import { WatchedSegmentOpener } from './testing/watched-segment-opener.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const QUERIES = process.env.SOAK === '1' ? 100 : 20
/** Columns of so many rows have dozens of pages, and lists of first values hold a small part of them. */
const FILES = 60_000
const DIRECTORIES = 3_000
const START = 1_600_000_000
const LIMIT = 100
/** Pages that a search may come to unannounced: what decides between ways of searching, not what grows with rows. */
const FEW_WAITS = 4

interface ModelFile {
  readonly directory: number
  readonly name: string
  readonly size: number
  readonly seconds: number
}

const folder = mkdtempSync(join(tmpdir(), 'hotpath-cold-'))
const file = join(folder, 'cold.seg')
const files = modelFiles(randomOf(SEED))
const entries: Entry[] = files.map(({ directory, name, size, seconds }) => ({
  components: [Buffer.from(''), Buffer.from(`d${directory}`), Buffer.from(name)],
  kind: Kind.file,
  size,
  modified: { seconds, ticks: 0 },
}))

beforeAll(() => {
  writeSegment(columnsOf(files), file)
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** One name in every directory, some in many, and most files under a name of their own. */
function modelFiles(random: Random): ModelFile[] {
  return Array.from({ length: FILES }, (_, i) => ({
    directory: i % DIRECTORIES,
    name:
      i < DIRECTORIES
        ? 'licence'
        : random.chance(0.05)
          ? `readme${Math.floor(i / DIRECTORIES)}`
          : `${random.pick(['part', 'unit', 'note'])}${i}`,
    size: random.chance(0.2) ? 777 : 1 + random.below(random.pick([50, 5_000, 1e6])),
    seconds: START + random.below(random.pick([9, 100_000])) * 60,
  }))
}

/** Row 0 is the root, then come directories, then files. */
function columnsOf(model: readonly ModelFile[]): EntryColumns {
  const directories = Array.from({ length: DIRECTORIES }, (_, i) => `d${i}`)
  const names = ['', ...directories, ...model.map(({ name }) => name)].map(name => Buffer.from(name))
  const nameOffsets = new Uint32Array(names.length + 1)
  names.forEach((name, i) => {
    nameOffsets[i + 1] = nameOffsets[i] + name.length
  })
  const above = new Array<number>(DIRECTORIES + 1).fill(Number.NaN)
  return {
    count: names.length,
    parent: Uint32Array.from([0, ...directories.map(() => 1), ...model.map(({ directory }) => directory + 2)]),
    directory: Uint32Array.from(names, (_, i) => (i <= DIRECTORIES ? i + 1 : 0)),
    kind: Uint8Array.from(names, (_, i) => (i <= DIRECTORIES ? Kind.directory : Kind.file)),
    nameOffsets,
    names: Buffer.concat(names),
    size: Float64Array.from([...above, ...model.map(({ size }) => size)]),
    modified: {
      seconds: Float64Array.from([...above, ...model.map(({ seconds }) => seconds)]),
      ticks: new Uint32Array(names.length),
    },
  }
}

interface ColdSearch {
  readonly total: number
  readonly paths: readonly string[]
  readonly waits: number
  readonly asked: number
}

/** One search in a segment of which nothing but its small tables was looked at before. */
function searchCold(text: string, sort: Sort, limit = LIMIT): ColdSearch {
  const opener = new WatchedSegmentOpener()
  const engine = engineOver(file, opener)
  const result = engine.search({ text, sort, limit, offset: 0, match: 'name', nowMs: 0 })
  if ('kind' in result) throw new Error(result.message)
  const found = { total: result.total, paths: pathsOf(result.hits), waits: opener.waits, asked: opener.asked }
  engine.close()
  return found
}

describe('a search in a cold segment', () => {
  it.each<[string, string, Sort]>([
    ['rows of one name by relevance', 'licence', { column: 'hot', descending: true }],
    ['rows of many names by relevance', 'readme', { column: 'hot', descending: true }],
    ['single rows by relevance', 'part11', { column: 'hot', descending: true }],
    ['the newest without a term', 'licen?e', { column: 'hot', descending: true }],
    ['a list of the largest, with most names', 'part', { column: 'size', descending: true }],
    ['a list of the largest, with few names', 'readme', { column: 'size', descending: true }],
    ['a list of the newest', 'licence', { column: 'modified', descending: true }],
    ['a list of the oldest', 'unit', { column: 'modified', descending: false }],
    ['few hits by size', 'part119', { column: 'size', descending: false }],
    ['rows of most names by path', 'note', { column: 'path', descending: false }],
  ])('waits for no page after the other: %s', (_, text, sort) => {
    const { waits, asked } = searchCold(text, sort)
    expect(asked).toBeGreaterThan(0)
    expect(waits).toBeLessThanOrEqual(FEW_WAITS)
  })

  it('finds what a naive search finds', () => {
    const random = randomOf(SEED)
    const context = naiveContext(entries)
    for (let i = 0; i < QUERIES; i++) {
      const text = `file: ${random.pick(['licence', 'licen?e', 'readme', 'readme7', 'part1', 'part11', 'note', 'unit', 't11', '!part'])}`
      const sort = {
        column: random.pick(['hot', 'size', 'modified', 'name', 'path'] as const),
        descending: random.chance(0.5),
      }
      const limit = random.pick([1, 20, 100, 5_000])
      const query = parseQuery(text, { now: 0, match: 'name' })
      if (query.kind !== 'query') throw new Error(`${text}: ${query.message}`)
      const hits = entries.filter(entry => matchesNaively(query.predicate, entry, context))
      const terms = relevanceTerms(query.predicate)
      const right = hits.sort((a, b) => compareEntries(sort, terms, a, b)).slice(0, limit)
      const { total, paths } = searchCold(text, sort, limit)
      const label = `seed ${SEED}, ${JSON.stringify(text)} ${JSON.stringify(sort)} ${limit}`
      expect({ total, paths }, label).toEqual({
        total: hits.length,
        paths: pathsOf(right),
      })
    }
  })
})

function pathsOf(found: readonly Pick<Entry, 'components'>[]): string[] {
  return found.map(({ components }) => components.map(part => Buffer.from(part).toString()).join('/'))
}
