import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyOf } from '@hotpath/index-format'
import { loadWasm } from '@hotpath/kernels'
import { Kind } from '@hotpath/model'
import { matchesNaively, type Predicate, relevanceTerms } from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { KernelSegmentOpener } from './kernel-segment-opener.js'
import { isNameExpression } from './name-expression.js'
import { type RankedTable, rankedNames, rankOf } from './ranked-names.js'
import type { SearchWork } from './search-work.js'
import { SegmentState } from './segment-state.js'
import { ShortNamesBuilder } from './short-names.js'
import { flatColumns, writeSegment } from './testing/flat-segment.js'
import { VerdictMemory } from './verdict-memory.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const NAMES = 1_500
const ROUNDS = process.env.SOAK === '1' ? 40 : 1
const QUERIES = 40

const PARTS = [
  'test',
  'Test',
  'es',
  'lib',
  'LIB',
  'main',
  'o',
  'x',
  '101',
  '7',
  'größe',
  'ß',
  'İ',
  'é',
  'HTTPServer',
  '日本',
]
const BETWEEN = ['', '', '.', '-', '_', ' ', '..']
const NEEDLES = [
  't',
  'e',
  'es',
  'est',
  'test',
  'lib',
  'main',
  '.',
  '.o',
  '-x',
  'o.',
  '10',
  '1',
  'ss',
  's',
  'server',
  'tp',
  'é',
  'i',
  '日',
]

const folder = mkdtempSync(join(tmpdir(), 'hotpath-ranked-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function randomNames(random: Random): Buffer[] {
  const names = new Set<string>()
  while (names.size < NAMES) {
    let name = ''
    for (let parts = 1 + random.below(random.chance(0.1) ? 9 : 4); parts > 0; parts--) {
      name += random.pick(PARTS) + (parts > 1 ? random.pick(BETWEEN) : '')
    }
    names.add(random.chance(0.02) ? `${name}\xff` : Buffer.from(name).toString('latin1'))
  }
  return [...names].map(name => Buffer.from(name, 'latin1'))
}

function randomPredicate(random: Random): Predicate {
  const name = (): Predicate => ({
    kind: 'name',
    test: { mode: 'substring', needle: keyOf(Buffer.from(random.pick(NEEDLES))) },
  })
  switch (random.below(6)) {
    case 0:
      return { kind: 'and', parts: [name(), name()] }
    case 1:
      return { kind: 'or', parts: [name(), name()] }
    case 2:
      return { kind: 'and', parts: [name(), { kind: 'length', min: 2 + random.below(8), max: 5 + random.below(20) }] }
    case 3: {
      const test = {
        mode: random.pick(['prefix', 'suffix'] as const),
        needle: keyOf(Buffer.from(random.pick(NEEDLES))),
      }
      return { kind: 'name', test }
    }
    default:
      return name()
  }
}

describe('ranked names', () => {
  it.each(Array.from({ length: ROUNDS }, (_, round) => SEED + round))(
    'stand as the naive order puts them (seed %i)',
    seed => {
      const random = randomOf(seed)
      const names = randomNames(random)
      const file = join(folder, `${seed}.seg`)
      writeSegment(flatColumns(names), file)
      const { reader, matchers, close } = new KernelSegmentOpener(loadWasm()).open(file)
      const segment = new SegmentState(1, reader, 'scan', matchers, new Uint8Array(0))
      const work: SearchWork = {
        nowSeconds: 0,
        blocksVerified: 0,
        namesMatched: 0,
        memory: new VerdictMemory(),
        checkCancelled: () => {},
      }
      const dictionary = reader.files
      const hidden = { shortNames: () => undefined }
      const keys = Array.from({ length: dictionary.nameCount }, (_, id) => ({
        name: dictionary.nameAt(id),
        key: dictionary.keyAt(id),
      }))
      for (let i = 0; i < QUERIES; i++) {
        const predicate = randomPredicate(random)
        const terms = relevanceTerms(predicate)
        const table: RankedTable = {
          table: 'f',
          dictionary,
          matcher: matchers.f,
          work,
          segment: random.chance(0.8) ? segment : hidden,
        }
        const asked = random.chance(0.2) ? undefined : predicate
        const why = `${JSON.stringify(predicate, (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value))} ${asked === undefined}`
        if (!isNameExpression(predicate)) throw new Error(why)
        const passing = asked && { expression: predicate, verdicts: matchers.f.verdicts(predicate, work) }
        const found = [...rankedNames(table, passing, terms, random.pick([0, 0, 50]))].filter(group => group.length > 0)
        const right = keys.flatMap(({ name, key }, id) =>
          asked === undefined || matchesNaively(predicate, { components: [name], kind: Kind.file, size: 0 })
            ? [{ id, rank: rankOf(terms, name, key) }]
            : [],
        )
        right.sort((a, b) => a.rank - b.rank || a.id - b.id)
        expect(found.flat(), why).toEqual(right.map(({ id }) => id))
        // One that ends early has nothing but the first of them.
        const some = [...rankedNames(table, passing, terms, 0, random.below(dictionary.blockCount))].flat()
        expect(some, why).toEqual(right.slice(0, some.length).map(({ id }) => id))
        // Groups are of equal rank, and whole.
        const ranks = new Map(right.map(({ id, rank }) => [id, rank]))
        const ranksOfGroups = found.map(group => ranks.get(group[0]!))
        expect(new Set(ranksOfGroups).size, why).toBe(found.length)
        for (const group of found) for (const id of group) expect(ranks.get(id), why).toBe(ranks.get(group[0]!))
      }
      close()
    },
  )
})

describe('short names', () => {
  it('are all names up to a length, gathered in stretches', () => {
    const names = randomNames(randomOf(SEED))
    const file = join(folder, 'short.seg')
    writeSegment(flatColumns(names), file)
    const { reader, close } = new KernelSegmentOpener(loadWasm()).open(file)
    const dictionary = reader.files
    const builder = new ShortNamesBuilder(dictionary)
    let stretches = 1
    let short = builder.run(0)
    for (; short === undefined; short = builder.run(0)) stretches++
    expect(stretches).toBe(Math.ceil(dictionary.nameCount / 1024))
    const characters = (id: number) => {
      const name = dictionary.nameAt(id)
      return Buffer.from(name).toString().includes('\ufffd') ? name.length : [...Buffer.from(name).toString()].length
    }
    const ids = Array.from({ length: dictionary.nameCount }, (_, id) => id)
    expect(short.longest).toBeGreaterThan(0)
    expect(short.longest).toBeLessThan(12)
    for (let length = 0; length <= short.longest; length++) {
      const { from, to } = short.rangeOf(length)
      const here = Array.from({ length: to - from }, (_, i) => short.idAt(from + i))
      expect(here, `${length}`).toEqual(ids.filter(id => characters(id) === length))
      for (let place = from; place < to; place++) {
        const id = short.idAt(place)
        expect(Buffer.from(short.keyAt(place))).toEqual(Buffer.from(dictionary.keyAt(id)))
        const text = Buffer.from(dictionary.nameAt(id)).toString('latin1')
        expect(short.isPlain(place), text).toBe(/^[\x00-\x40\x5b-\x7f]*$/.test(text))
      }
    }
    close()
  })
})
