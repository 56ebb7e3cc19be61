import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadWasm } from '@hotpath/kernels'
import { type EntryColumns, Kind } from '@hotpath/model'
import { compareEntries, type Entry, matchesNaively, naiveContext, parseQuery, relevanceTerms } from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { KernelSegmentOpener } from './kernel-segment-opener.js'
import { engineOver, flatColumns, namesOf, writeSegment } from './testing/flat-segment.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
/** More than lists of first values hold, so that the middle of a column is only in the column. */
const FILES = 20_000
const QUERIES = process.env.SOAK === '1' ? 400 : 40
const START = 1_600_000_000

const folder = mkdtempSync(join(tmpdir(), 'hotpath-value-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface MeasuredFile {
  readonly name: string
  readonly size: number
  readonly seconds: number
  readonly ticks: number
}

function randomFiles(random: Random): MeasuredFile[] {
  return Array.from({ length: FILES }, (_, i) => ({
    name: `${random.pick(['a', 'b', 'ab', 'x'])}${i}`,
    size: random.chance(0.02) ? Number.NaN : random.chance(0.2) ? 777 : random.below(random.pick([50, 5_000, 1e6])),
    seconds: random.chance(0.02) ? Number.NaN : START + random.below(random.pick([9, 100_000])) * 60,
    ticks: random.chance(0.5) ? 0 : random.below(10_000_000),
  }))
}

function columnsOf(files: readonly MeasuredFile[]): EntryColumns {
  return {
    ...flatColumns(files.map(({ name }) => Buffer.from(name))),
    size: Float64Array.of(Number.NaN, ...files.map(({ size }) => size)),
    modified: {
      seconds: Float64Array.of(Number.NaN, ...files.map(({ seconds }) => seconds)),
      ticks: Uint32Array.of(0, ...files.map(({ seconds, ticks }) => (Number.isNaN(seconds) ? 0 : ticks))),
    },
  }
}

function randomQuery(random: Random): string {
  const low = random.below(random.pick([60, 6_000, 1e6]))
  const day = new Date((START + random.below(100_000) * 60) * 1000).toISOString().slice(0, 19)
  const size = random.pick([`size:<${low}`, `size:>=${low}`, `size:${low}..${low * 2}`])
  const time = random.pick([`dm:<${day}Z`, `dm:>=${day}Z`, `dm:${day.slice(0, 10)}`])
  return ['file:', random.pick(['', '', 'a', 'b', '!b', 'a7']), random.pick([size, time, `${size} ${time}`])].join(' ')
}

describe('pages by a value whose interval is given', () => {
  it('are what sorting all hits gives', () => {
    const random = randomOf(SEED)
    const files = randomFiles(random)
    const file = join(folder, 'values.seg')
    writeSegment(columnsOf(files), file)
    const engine = engineOver(file, new KernelSegmentOpener(loadWasm()))
    const entries: Entry[] = files.map(({ name, size, seconds, ticks }) => ({
      components: [Buffer.from(''), Buffer.from(name)],
      kind: Kind.file,
      size,
      modified: { seconds, ticks: Number.isNaN(seconds) ? 0 : ticks },
    }))
    const context = naiveContext(entries)
    for (let i = 0; i < QUERIES; i++) {
      const text = randomQuery(random)
      const sort = { column: random.pick(['size', 'modified', 'hot'] as const), descending: random.chance(0.5) }
      const limit = random.pick([1, 5, 20])
      const query = parseQuery(text, { now: 0, match: 'name' })
      if (query.kind !== 'query') throw new Error(`${text}: ${query.message}`)
      const hits = entries.filter(entry => matchesNaively(query.predicate, entry, context))
      const terms = relevanceTerms(query.predicate)
      const right = hits.sort((a, b) => compareEntries(sort, terms, a, b)).slice(0, limit)
      const found = engine.search({ text, sort, limit, offset: 0, match: 'name', nowMs: 0 })
      if ('kind' in found) throw new Error(found.message)
      const label = `seed ${SEED}, ${JSON.stringify(text)} ${JSON.stringify(sort)} ${limit}`
      expect({ total: found.total, names: namesOf(found.hits) }, label).toEqual({
        total: hits.length,
        names: namesOf(right),
      })
    }
    engine.close()
  })
})
