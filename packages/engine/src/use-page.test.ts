import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SCORING, type Scoring, scoreOf, type Use, volumeKey } from '@hotpath/hot-score'
import { type EntryColumns, Kind } from '@hotpath/model'
import {
  compareEntries,
  type Entry,
  hitRanker,
  matchesNaively,
  naiveContext,
  parseQuery,
  relevanceTerms,
} from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { afterAll, describe, expect, it } from 'vitest'
import type { Engine } from './engine.js'
import { MappedSegmentOpener } from './segment-opener.js'
import { engineOver, flatColumns, namesOf, writeSegment } from './testing/flat-segment.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const FILES = 1_500
const NOW = 1_750_000_000
const DAY = 86_400
const VOLUME = 'v'

const folder = mkdtempSync(join(tmpdir(), 'hotpath-use-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface UsedFile {
  readonly name: string
  readonly use: Use | undefined
}

function randomFiles(random: Random): UsedFile[] {
  return Array.from({ length: FILES }, (_, i) => {
    const opened = NOW - random.below(random.chance(0.3) ? 60 * DAY : 5) * random.pick([1, 1, DAY / 3])
    const heat = random.pick([1, 1, 2, 2 ** 0.5, 1 + random.below(40) / 7])
    return {
      name: `${random.pick(['a', 'b', 'ab', 'x'])}${i}`,
      use: random.chance(0.8)
        ? { runs: 1 + random.below(5), opened: Math.max(0, Math.floor(opened)), heat }
        : undefined,
    }
  })
}

/** The inode of file i is i + 2. */
function columnsOf(files: readonly UsedFile[]): EntryColumns {
  const columns = flatColumns(files.map(({ name }) => Buffer.from(name)))
  const zeros = new Uint32Array(columns.count)
  return { ...columns, ref: { low: zeros.map((_, i) => i + 1), high: zeros, birth: zeros } }
}

function engineOf(files: readonly UsedFile[], scoring: Scoring): Engine {
  const file = join(folder, 'used.seg')
  writeSegment(columnsOf(files), file)
  const engine = engineOver(file, new MappedSegmentOpener(), scoring)
  const used = files.flatMap(({ use }, i) => (use ? [{ use, low: i + 2 }] : []))
  engine.apply([
    {
      op: 'hot',
      records: {
        count: used.length,
        volume: new Uint32Array(used.length).fill(volumeKey(VOLUME)),
        ref: {
          low: Uint32Array.from(used, ({ low }) => low),
          high: new Uint32Array(used.length),
          birth: new Uint32Array(used.length),
        },
        runs: Uint32Array.from(used, ({ use }) => use.runs),
        opened: Uint32Array.from(used, ({ use }) => use.opened),
        heat: Float64Array.from(used, ({ use }) => use.heat),
      },
    },
  ])
  return engine
}

describe('pages by use among many opened entries', () => {
  it.each([
    { name: 'decay', scoring: DEFAULT_SCORING },
    { name: 'classic', scoring: { ...DEFAULT_SCORING, formula: 'classic' as const } },
  ])('are what scoring all hits gives, with $name', ({ scoring }) => {
    const random = randomOf(SEED)
    const files = randomFiles(random)
    const engine = engineOf(files, scoring)
    const entries: Entry[] = files.map(({ name, use }) => ({
      components: [Buffer.from(''), Buffer.from(name)],
      kind: Kind.file,
      size: 0,
      use: use && { runs: use.runs, opened: use.opened, hot: scoreOf(use, 0, scoring) },
    }))
    const context = naiveContext(entries)
    // Later everything is colder, and some of it cold; before some of it is opened there is no order to keep.
    for (const days of [0, 0, 1, 25, 29.5, 31, 40, -2]) {
      const now = NOW + days * DAY
      const aged = entries.map((entry, i) => {
        const use = files[i]!.use
        return { ...entry, use: use && { runs: use.runs, opened: use.opened, hot: scoreOf(use, now, scoring) } }
      })
      for (const text of ['file:', 'file:a', 'file:b', 'file:a1', 'file:x7', 'file:!ab']) {
        const sort = { column: random.pick(['hot', 'hot', 'opened'] as const), descending: random.chance(0.3) }
        const limit = random.pick([1, 5, 20, 100])
        const offset = random.pick([0, 0, 7])
        const query = parseQuery(text, { now: now * 1000, match: 'name' })
        if (query.kind !== 'query') throw new Error(query.message)
        const terms = relevanceTerms(query.predicate)
        const right = aged
          .filter(entry => matchesNaively(query.predicate, entry, context))
          .sort((a, b) => compareEntries(sort, terms, a, b))
          .slice(offset, offset + limit)
        const explain = random.chance(0.5)
        const found = engine.search({ text, sort, limit, offset, match: 'name', nowMs: now * 1000, explain })
        if ('kind' in found) throw new Error(found.message)
        const label = `seed ${SEED}, ${days} days, ${JSON.stringify(text)} ${JSON.stringify(sort)} ${offset} ${limit}`
        expect(namesOf(found.hits), label).toEqual(namesOf(right))
        // Scores of the engine have fewer digits.
        const ranks = right.map((entry, at) =>
          explain ? { ...hitRanker(query.predicate)(entry), hot: found.hits[at]?.use?.hot ?? 0 } : undefined,
        )
        expect(
          found.hits.map(hit => hit.rank),
          label,
        ).toEqual(ranks)
      }
    }
    engine.close()
  })
})
