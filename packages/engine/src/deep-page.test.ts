import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadWasm } from '@hotpath/kernels'
import { type EntryColumns, Kind } from '@hotpath/model'
import { compareEntries, type Entry, parseQuery, relevanceTerms, SORT_COLUMNS } from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { KernelSegmentOpener } from './kernel-segment-opener.js'
import { engineOver, flatColumns, namesOf, writeSegment } from './testing/flat-segment.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const FILES = 6_000
/** Smaller than usual, so that places are narrowed down several times. */
const WINDOWS = { from: 1_000, sortedRows: 200, sampledRows: 100 }
const PAGE = 20

const folder = mkdtempSync(join(tmpdir(), 'hotpath-deep-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface MeasuredFile {
  readonly name: string
  readonly size: number
  readonly seconds: number
}

/** Most values are a few frequent ones, so that places are among thousands that are equal. */
function randomFiles(random: Random): MeasuredFile[] {
  return Array.from({ length: FILES }, (_, i) => ({
    name: `${random.pick(['e', 'xe', 'x-e', 'xx', 'é'])}${i}${random.pick(['', '.txt', '.c', '.e', `.${random.below(99)}`])}`,
    size: random.chance(0.4) ? 777 : random.chance(0.3) ? Number.NaN : random.below(1e6),
    seconds: random.chance(0.5)
      ? 1_600_000_000
      : random.chance(0.2)
        ? Number.NaN
        : -5 + random.below(random.pick([9, 2e9])),
  }))
}

function columnsOf(files: readonly MeasuredFile[]): EntryColumns {
  return {
    ...flatColumns(files.map(({ name }) => Buffer.from(name))),
    size: Float64Array.of(Number.NaN, ...files.map(({ size }) => size)),
    modified: {
      seconds: Float64Array.of(Number.NaN, ...files.map(({ seconds }) => seconds)),
      ticks: new Uint32Array(files.length + 1),
    },
  }
}

describe('pages far down', () => {
  it('are what sorting all hits gives, in every order, as are those beside them', () => {
    const random = randomOf(SEED)
    const files = randomFiles(random)
    const file = join(folder, 'deep.seg')
    writeSegment(columnsOf(files), file)
    const engine = engineOver(file, new KernelSegmentOpener(loadWasm()))
    const entries: Entry[] = files.map(({ name, size, seconds }) => ({
      components: [Buffer.from(''), Buffer.from(name)],
      kind: Kind.file,
      size,
      modified: { seconds, ticks: 0 },
    }))
    let known = 0
    for (const text of ['file:', 'file: e']) {
      const query = parseQuery(text, { now: 0, match: 'name' })
      if (query.kind !== 'query') throw new Error(query.message)
      const terms = relevanceTerms(query.predicate)
      const hits = text === 'file:' ? entries : entries.filter(({ components }) => /[eé]/.test(`${components[1]}`))
      for (const column of SORT_COLUMNS) {
        const sort = { column, descending: random.chance(0.5) }
        const right = hits.toSorted((a, b) => compareEntries(sort, terms, a, b))
        for (let i = 0; i < 4; i++) {
          const place = WINDOWS.from + PAGE + random.below(hits.length - WINDOWS.from)
          for (const offset of [place, place + PAGE, place - PAGE]) {
            const label = `seed ${SEED} ${JSON.stringify(text)} ${JSON.stringify(sort)} behind ${offset}`
            const found = engine.search({ text, sort, limit: PAGE, offset, match: 'name', nowMs: 0, windows: WINDOWS })
            if ('kind' in found) throw new Error(found.message)
            expect(found.total, label).toBe(hits.length)
            expect(namesOf(found.hits), label).toEqual(namesOf(right.slice(offset, offset + PAGE)))
          }
        }
        known += Number(engine.cacheCounts().results.bytes > 0)
      }
    }
    expect(known).toBe(2 * SORT_COLUMNS.length)
    expect(engine.cacheCounts().results.bytes).toBeLessThan(16 * 2 ** 20)
    // What is kept is good for as long as nothing changes.
    engine.apply([])
    expect(engine.cacheCounts().results.bytes).toBeLessThan(2 ** 20)
    engine.close()
  })

  it('end when they are cancelled', () => {
    const file = join(folder, 'cancelled.seg')
    writeSegment(columnsOf(randomFiles(randomOf(SEED))), file)
    const engine = engineOver(file, new KernelSegmentOpener(loadWasm()))
    for (const column of SORT_COLUMNS) {
      let looks = 0
      const stop = (): void => {
        if (++looks > 1) throw new Error('cancelled')
      }
      const ask = {
        text: 'e',
        limit: PAGE,
        offset: 3_000,
        match: 'name',
        nowMs: 0,
        windows: WINDOWS,
        noCache: true,
      } as const
      const sort = { column, descending: false }
      expect(() => engine.search({ ...ask, sort, checkCancelled: stop }), column).toThrow('cancelled')
    }
    engine.close()
  })
})
