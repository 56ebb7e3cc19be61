import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SCORING, type Scoring, scoreOf, type Use, volumeKey } from '@hotpath/hot-score'
import { buildSegment, MemorySink } from '@hotpath/index-format'
import { type EntryColumns, Kind } from '@hotpath/model'
import { compareEntries, type Entry, matchesNaively, naiveContext, parseQuery, relevanceTerms } from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { Engine } from './engine.js'
import { MappedSegmentOpener } from './segment-opener.js'

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

/** Row i + 1 is file i, its inode i + 2. */
function columnsOf(files: readonly UsedFile[]): EntryColumns {
  const names = ['', ...files.map(({ name }) => name)].map(name => Buffer.from(name))
  const nameOffsets = new Uint32Array(names.length + 1)
  names.forEach((name, i) => {
    nameOffsets[i + 1] = nameOffsets[i]! + name.length
  })
  const count = names.length
  return {
    count,
    parent: Uint32Array.from(names, (_, i) => (i === 0 ? 0 : 1)),
    directory: Uint32Array.from(names, (_, i) => (i === 0 ? 1 : 0)),
    kind: Uint8Array.from(names, (_, i) => (i === 0 ? Kind.directory : Kind.file)),
    nameOffsets,
    names: Buffer.concat(names),
    size: new Float64Array(count),
    ref: {
      low: Uint32Array.from(names, (_, i) => i + 1),
      high: new Uint32Array(count),
      birth: new Uint32Array(count),
    },
  }
}

function engineOf(files: readonly UsedFile[], scoring: Scoring): Engine {
  const sink = new MemorySink()
  buildSegment(columnsOf(files), sink)
  const file = join(folder, 'used.seg')
  writeFileSync(file, sink.bytes())
  const fail = (_view: number, _segment: number, error: Error): never => {
    throw error
  }
  const engine = new Engine(new MappedSegmentOpener(), () => {}, fail, scoring)
  const used = files.flatMap(({ use }, i) => (use ? [{ use, low: i + 2 }] : []))
  engine.apply([
    { op: 'createView', view: 1, root: 'r', volume: VOLUME, prefix: new Uint8Array(0), virtualRoot: false },
    { op: 'addSegment', view: 1, segment: 1, file, dead: new Uint8Array(0), origin: 'scan' },
    { op: 'activateView', view: 1, root: 'r', partial: false },
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
        const found = engine.search({ text, sort, limit, offset, match: 'name', nowMs: now * 1000 })
        if ('kind' in found) throw new Error(found.message)
        const names = (list: readonly Pick<Entry, 'components'>[]) =>
          list.map(({ components }) => Buffer.from(components.at(-1)!).toString())
        const label = `seed ${SEED}, ${days} days, ${JSON.stringify(text)} ${JSON.stringify(sort)} ${offset} ${limit}`
        expect(names(found.hits), label).toEqual(names(right))
      }
    }
    engine.close()
  })
})
