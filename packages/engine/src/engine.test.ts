import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SCORING } from '@hotpath/hot-score'
import { loadWasm } from '@hotpath/kernels'
import type { Credentials } from '@hotpath/platform'
import {
  compareEntries,
  type Entry,
  matchesNaively,
  naiveContext,
  type Predicate,
  parseQuery,
  type QueryError,
  relevanceTerms,
  SORT_COLUMNS,
  type Sort,
} from '@hotpath/query'
import {
  QUERY_KINDS,
  type QueryKind,
  type QueryVocabulary,
  type Random,
  randomOf,
  randomQueries,
} from '@hotpath/query/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DiskDirectories } from './disk-directories.js'
import { Engine } from './engine.js'
import { KernelSegmentOpener } from './kernel-segment-opener.js'
import { joinPath } from './path-text.js'
import type { SearchOptions, SearchResult } from './search-request.js'
import { MappedSegmentOpener } from './segment-opener.js'
import { fill, Model, NOW_MS, OPEN } from './testing/model-tree.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const LONG = process.env.SOAK === '1'

/** Queries that ask about more than one entry. */
const FOLLOWED_KINDS: readonly QueryKind[] = [
  'child',
  'childCount',
  'childCount',
  'duplicate',
  'duplicate',
  'empty',
  'root',
]

/** Queries that the sort by extension answers in different ways. */
const EXTENSION_KINDS: readonly QueryKind[] = [
  'word',
  'wildcard',
  'endwith',
  'ext',
  'ext',
  'wholeName',
  'case',
  'regex',
  'length',
  'size',
  'time',
  'type',
  'under',
]

/** Users who ask beside the one whose index it is. */
const VIEWERS: readonly Credentials[] = [
  { user: 1, groups: [10] },
  { user: 2, groups: [20, 30] },
]

/** A piece of a name with a mistake or two in it, its initials, or some of its letters. */
function mistaken(random: Random, { paths }: QueryVocabulary): string {
  const name =
    random
      .pick(paths)
      .split('/')
      .at(-1)
      ?.replace(/["*?\\]/g, '') || 'main'
  const letters = [...name.slice(0, 4 + random.below(12))]
  for (let edits = 1 + random.below(2); edits > 0; edits--) {
    const at = random.below(letters.length)
    const kind = random.below(5)
    if (kind === 0) letters.splice(at, 1)
    else if (kind === 1) letters.splice(at, 0, random.pick(['a', 'x', 'é']))
    else if (kind === 2) letters[at] = random.pick(['e', '7', 'я'])
    else if (kind === 3) letters.splice(at, 2, ...letters.slice(at, at + 2).reverse())
    else
      return `"${
        name
          .split(/[^a-z0-9]/i)
          .map(word => word.slice(0, 1 + random.below(3)))
          .join('') || 'mgo'
      }"`
  }
  return `${random.pick(['', 'fuzzy:'])}"${letters.join('')}"`
}

function anySort(random: Random): Sort {
  return {
    column: random.chance(0.5) ? random.pick(['hot', 'hot', 'opened'] as const) : random.pick(SORT_COLUMNS),
    descending: random.chance(0.5),
  }
}

/** A search as it can be asked again. */
interface Ask extends Pick<SearchOptions, 'text' | 'match' | 'caseMode' | 'fuzzy' | 'limit' | 'offset' | 'windows'> {
  readonly sort: Sort
}

/** Searches that are asked again in each check. */
const REPEATED = 6
/** What each engine was asked. */
const asked = new WeakMap<Engine, Ask[]>()

function anyWindow(random: Random): Pick<Ask, 'limit' | 'offset' | 'windows'> {
  const limit = random.pick([1, 3, 10, 1000])
  if (random.chance(0.5)) return { limit, offset: random.pick([0, 0, 0, 2, 7]) }
  // Found by counting, in windows of a few rows.
  const windows = { from: 0, sortedRows: random.pick([1, 4, 30]), sampledRows: random.pick([1, 5, 50]) }
  return { limit, offset: random.below(random.pick([5, 40, 400])), windows }
}

/** Totals, and the paths of the hits, of an answer. */
function answerOf(result: SearchResult | QueryError) {
  if ('kind' in result) return result
  const paths = result.hits.map(hit => Buffer.from(joinPath(hit.view.childPrefixOf(hit.parentId), hit.name)).toString())
  return { total: result.total, fuzzyTotal: result.fuzzyTotal, paths }
}

function byExtension(random: Random): Sort {
  return { column: 'ext', descending: random.chance(0.5) }
}

describe('Engine', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hotpath-engine-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** Compares answers with those of the naive matcher: a query of each kind, and some that are mixed. */
  function check(
    engine: Engine,
    models: readonly Model[],
    seed: number,
    random: Random,
    kinds: readonly QueryKind[],
    mixtures: number,
    sortOf: (random: Random) => Sort = anySort,
    viewer?: Credentials,
  ): void {
    const entries = models.flatMap(model => model.entries(viewer))
    const context = naiveContext(entries)
    // Also of what is hidden.
    const everything = models.flatMap(model => model.entries())
    const vocabulary: QueryVocabulary = {
      paths: everything.map(entry =>
        Buffer.concat(entry.components.flatMap((part, i) => (i > 0 ? [Buffer.from('/'), part] : [part]))).toString(),
      ),
      sizes: everything.map(entry => entry.size).filter(size => !Number.isNaN(size)),
      seconds: everything.map(entry => entry.modified?.seconds ?? 0).filter(seconds => !Number.isNaN(seconds)),
      volumes: models.map(model => model.volume),
      opened: everything.flatMap(entry => (entry.use ? [entry.use.opened] : [])),
    }
    while (!engine.settle(random.below(2)));
    if (viewer === undefined) expect(engine.entryCount(), `seed ${seed}`).toBe(entries.length)
    const show = (entry: Entry) => entry.components.map(part => Buffer.from(part).toString()).join('/')
    const sameShown = new Map<string, number>()
    for (const entry of entries) sameShown.set(show(entry), (sameShown.get(show(entry)) ?? 0) + 1)
    const mixed = randomQueries(seed, vocabulary)
    const texts = [
      '',
      ...kinds.map(kind => randomQueries(random.below(2 ** 31), vocabulary, kind)()),
      ...Array.from({ length: mixtures }, mixed),
      ...Array.from({ length: Math.ceil(mixtures / 3) }, () => mistaken(random, vocabulary)),
    ]
    const earlier = asked.get(engine) ?? []
    asked.set(engine, earlier)
    const fresh = texts.map((written): Ask => {
      const text = random.chance(0.1) ? `${written} count:${random.below(12)}` : written
      const match = random.pick(['name', 'path', 'auto'] as const)
      const caseMode = random.pick(['ignore', 'ignore', 'smart', 'match'] as const)
      const fuzzy = random.chance(0.3)
      return { text, match, caseMode, fuzzy, sort: sortOf(random), ...anyWindow(random) }
    })
    // Asked before, the same or another page of it, and as somebody types.
    const again = Array.from({ length: earlier.length > 0 ? REPEATED : 0 }, (): Ask => {
      const ask = random.pick(earlier)
      return random.chance(0.7) ? ask : { ...ask, ...anyWindow(random) }
    })
    const typed = random.pick(fresh)
    const asks = [...again, ...fresh]
    for (let length = Math.max(1, typed.text.length - 3); length < typed.text.length; length++) {
      asks.push({ ...typed, text: typed.text.slice(0, length) })
    }
    if (asks.length > again.length + fresh.length) asks.push(typed)
    for (const ask of asks) {
      const { text, match, caseMode, fuzzy, sort, limit, offset, windows } = ask
      const query = parseQuery(text, { now: NOW_MS, match, caseMode, fuzzy })
      if (query.kind !== 'query') {
        // Names like `a..` make texts that are none.
        const asked = { text, limit: 1, offset: 0, sort, match, caseMode, fuzzy, nowMs: NOW_MS, viewer }
        expect(engine.search(asked)).toEqual(query)
        continue
      }
      // What is found out between searches changes none of them.
      if (random.chance(0.3)) while (!engine.settle(random.below(2)));
      const sorted = (matching: Entry[], predicate: Predicate): Entry[] => {
        const terms = relevanceTerms(predicate)
        return matching.sort((a, b) => compareEntries(sort, terms, a, b))
      }
      const { tolerant, maxCount = Number.POSITIVE_INFINITY } = query
      const exact = entries.filter(entry => matchesNaively(query.predicate, entry, context))
      const expected = sorted(exact, query.predicate).slice(0, maxCount)
      const others = tolerant
        ? sorted(
            entries.filter(entry => !exact.includes(entry) && matchesNaively(tolerant, entry, context)),
            tolerant,
          ).slice(0, maxCount - expected.length)
        : []
      earlier.push(ask)
      const label = `seed ${seed} user ${viewer?.user} query ${JSON.stringify(text)} match ${match} case ${caseMode} sort ${sort.column} ${sort.descending} fuzzy ${fuzzy} ${limit} behind ${offset} ${JSON.stringify(windows)}`
      const asked = { text, limit, offset, sort, match, caseMode, fuzzy, windows, nowMs: NOW_MS, viewer }
      if (viewer !== undefined && JSON.stringify([query.predicate, query.tolerant]).includes('"duplicate"')) {
        expect(() => engine.search(asked), label).toThrow('for another user')
        continue
      }
      const found = engine.search(asked)
      if ('kind' in found) throw new Error(`${label}: ${found.message}`)
      if (random.chance(0.3)) {
        const anew = engine.search({ ...asked, noCache: true })
        expect(answerOf(found), label).toEqual(answerOf(anew))
      }
      expect(found.total, label).toBe(expected.length)
      const page = [...expected, ...others].slice(offset, offset + limit)
      expect(found.hits.map(show), label).toEqual(page.map(show))
      const room = Math.min(limit, Math.max(0, maxCount - offset))
      const looked = tolerant && expected.slice(offset, offset + limit).length < room
      expect(found.fuzzyTotal, label).toBe(looked ? others.length : undefined)
      expect(
        found.hits.map(hit => hit.fuzzy === true),
        label,
      ).toEqual(page.map(entry => others.includes(entry)))
      if (windows !== undefined && !tolerant) {
        // From what is known of the order now.
        const next = engine.search({ ...asked, offset: offset + limit })
        if ('kind' in next) throw new Error(`${label}: ${next.message}`)
        expect(next.hits.map(show), label).toEqual(expected.slice(offset + limit, offset + limit * 2).map(show))
      }
      // Two lists may hold the same path: which of the two comes first is open.
      const isOne = (entry: Entry) => sameShown.get(show(entry)) === 1
      expect(
        found.hits.filter(isOne).map(hit => hit.use),
        label,
      ).toEqual(page.filter(isOne).map(entry => entry.use))
      const paths = found.hits.map(hit => joinPath(hit.view.childPrefixOf(hit.parentId), hit.name))
      expect(
        paths.map(path => Buffer.from(path).toString() || '/'),
        label,
      ).toEqual(found.hits.map(hit => show(hit) || '/'))
    }
  }

  const openers = { plain: () => new MappedSegmentOpener(), kernels: () => new KernelSegmentOpener(loadWasm()) }
  /** The disk as the models are: `/home` above them is open to all. */
  function diskOf(models: readonly Model[]): DiskDirectories {
    return {
      look(path) {
        const text = Buffer.from(path).toString()
        if (text === '/' || text === '/home') return { ...OPEN, acl: undefined }
        const node = models.map(model => model.directoryAt(text)).find(found => found !== undefined)
        return node && { ...node.access, acl: undefined }
      },
      acl: () => 'none',
      realPath: path => path,
    }
  }
  function newEngine(opener: keyof typeof openers, disk?: DiskDirectories): Engine {
    return new Engine(
      openers[opener](),
      () => {},
      (_v, _s, error) => {
        throw error
      },
      DEFAULT_SCORING,
      undefined,
      disk,
    )
  }

  it.each([
    [false, 'plain'],
    [true, 'plain'],
    [false, 'kernels'],
    [true, 'kernels'],
  ] as const)('answers like the naive matcher, in every order (virtual root: %s, %s)', (virtualRoot, opener) => {
    for (let round = 0; round < (LONG ? 300 : 6); round++) {
      const seed = SEED + round
      const random = randomOf(seed)
      const models = Array.from({ length: random.chance(0.3) ? 2 : 1 }, (_, i) => {
        const size = 5 + random.below(round % 4 === 0 ? 400 : 80)
        return new Model(random, size, i === 0 ? virtualRoot : random.chance(0.5), i + 1)
      })
      const engine = newEngine(opener)
      const kept: Model[] = []
      for (const model of models) {
        kept.push(model)
        // What is kept from search to search has to follow the changes.
        fill(folder, engine, random, model, random.below(8), () => {
          if (random.chance(0.4)) check(engine, kept, seed, random, FOLLOWED_KINDS, 2)
        })
      }
      check(engine, models, seed, random, QUERY_KINDS, 25)
      engine.close()
    }
  })

  it.each(['plain', 'kernels'] as const)(
    'answers other users as if what they may not list were not there (%s)',
    opener => {
      let seen = 0
      let hidden = 0
      for (let round = 0; round < (LONG ? 300 : 3); round++) {
        const seed = SEED + round
        const random = randomOf(seed)
        const models = [new Model(random, 20 + random.below(150), false, 1)]
        // What a list holds is on no disk that could be asked.
        if (random.chance(0.2)) models.push(new Model(random, 20, true, 2))
        const engine = newEngine(opener, diskOf(models))
        const kept: Model[] = []
        for (const model of models) {
          kept.push(model)
          fill(folder, engine, random, model, 3 + random.below(8), () => {
            for (const viewer of VIEWERS) check(engine, kept, seed, random, ['word'], 1, anySort, viewer)
          })
        }
        for (const viewer of VIEWERS) {
          check(engine, models, seed, random, QUERY_KINDS, 12, anySort, viewer)
          seen += models[0]!.entries(viewer).length
          hidden += models[0]!.entries().length - models[0]!.entries(viewer).length
        }
        check(engine, models, seed, random, ['word', 'runs'], 3)
        engine.close()
      }
      expect(Math.min(seen, hidden)).toBeGreaterThan(0)
    },
  )

  it.each(['plain', 'kernels'] as const)('answers like the naive matcher when sorted by extension (%s)', opener => {
    for (let round = 0; round < (LONG ? 300 : 4); round++) {
      const seed = SEED + round
      const random = randomOf(seed)
      const model = new Model(random, 100 + random.below(400), random.chance(0.5), 1)
      const engine = newEngine(opener)
      fill(folder, engine, random, model, 2 + random.below(8), () => {
        if (random.chance(0.2)) check(engine, [model], seed, random, EXTENSION_KINDS, 2, byExtension)
      })
      check(engine, [model], seed, random, EXTENSION_KINDS, 10, byExtension)
      engine.close()
    }
  })
})
