import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SCORING } from '@hotpath/hot-score'
import { keyOf } from '@hotpath/index-format'
import { loadWasm } from '@hotpath/kernels'
import { type EntryColumns, Kind, NO_DIRECTORY } from '@hotpath/model'
import { compareRelevance, type Entry, matchesNaively, parseQuery, relevanceTerms } from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { HitFinder } from './hit-finder.js'
import { HotNodes } from './hot-nodes.js'
import { IndexFacts } from './index-facts.js'
import { KernelSegmentOpener } from './kernel-segment-opener.js'
import { LeastRanks } from './least-ranks.js'
import { specialise } from './name-expression.js'
import { NameLengths } from './name-lengths.js'
import { PathCache } from './path-cache.js'
import { filterOf } from './predicate-filter.js'
import { rankOf } from './ranked-names.js'
import { firstByRelevance } from './relevance-page.js'
import type { SearchWork } from './search-work.js'
import { SegmentState } from './segment-state.js'
import { TableRows } from './table-rows.js'
import { writeSegment } from './testing/flat-segment.js'
import { TreeMatcher } from './tree-matcher.js'
import { VerdictMemory } from './verdict-memory.js'
import { ViewScope } from './view-scope.js'
import { ViewState } from './view-state.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const DIRECTORIES = 120
const FILES = 4_000
const PLACES = ['src', 'lib', 'usr', 'Library', 'go', 'service', 'src-lib', 'größe']
const PARTS = ['src', 'Src', 'lib', 'LIB', 'go', 'e', 'x', '7', 'main', 'größe', 'HTTPServer', '日本']
const BETWEEN = ['', '', '.', '-', '_', '..']
// Terms that many hits hold, few, and none; one and several; beside a condition on names, and without one.
const QUERIES = [
  'path:src',
  'path:lib',
  'path:go',
  'path:service',
  'path:größe',
  'path:e',
  'usr/src',
  'usr/s',
  'lib/g',
  'src/x',
  'usr/service',
  'path:src path:lib',
  'path:src path:service',
  'path:service main',
  'path:lib ext:go',
  'path:usr e',
  'under:/src lib',
  '<path:go | path:service>',
]

const folder = mkdtempSync(join(tmpdir(), 'hotpath-relevance-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Placed {
  readonly parent: number
  readonly name: Buffer
}

function randomTree(random: Random): { directories: Placed[]; files: Placed[] } {
  const directories: Placed[] = [{ parent: NO_DIRECTORY, name: Buffer.alloc(0) }]
  const taken = new Set<string>()
  const add = (to: Placed[], parent: number, name: string): void => {
    if (taken.has(`${parent}/${name}`)) return
    taken.add(`${parent}/${name}`)
    to.push({ parent, name: Buffer.from(name) })
  }
  while (directories.length < DIRECTORIES) {
    add(directories, 1 + random.below(directories.length), `${random.pick(PLACES)}${random.pick(['', '', '1', '.d'])}`)
  }
  const files: Placed[] = []
  while (files.length < FILES) {
    let name = ''
    for (let parts = 1 + random.below(random.chance(0.1) ? 9 : 4); parts > 0; parts--) {
      name += random.pick(PARTS) + (parts > 1 ? random.pick(BETWEEN) : '')
    }
    add(files, 1 + random.below(directories.length), name)
  }
  return { directories, files }
}

function columnsOf(rows: readonly Placed[], directories: number): EntryColumns {
  const nameOffsets = new Uint32Array(rows.length + 1)
  rows.forEach(({ name }, i) => {
    nameOffsets[i + 1] = nameOffsets[i]! + name.length
  })
  return {
    count: rows.length,
    parent: Uint32Array.from(rows, ({ parent }) => parent),
    directory: Uint32Array.from(rows, (_, i) => (i < directories ? i + 1 : 0)),
    kind: Uint8Array.from(rows, (_, i) => (i < directories ? Kind.directory : Kind.file)),
    nameOffsets,
    names: Buffer.concat(rows.map(({ name }) => name)),
    size: new Float64Array(rows.length),
  }
}

function open(random: Random) {
  const { directories, files } = randomTree(random)
  const file = join(folder, `${random.below(1e9)}.seg`)
  writeSegment(columnsOf([...directories, ...files], directories.length), file)
  const { reader, matchers, close } = new KernelSegmentOpener(loadWasm()).open(file)
  const segment = new SegmentState(1, reader, 'scan', matchers, new Uint8Array(0))
  const hot = new HotNodes(DEFAULT_SCORING, () => false).table
  const view = new ViewState(1, 'r', 'v', new Uint8Array(0), false, hot, new PathCache(() => 0))
  view.segments.push(segment)
  return { segment, view, close }
}

function workOf(): SearchWork {
  return {
    nowSeconds: 0,
    blocksVerified: 0,
    namesMatched: 0,
    memory: new VerdictMemory(),
    checkCancelled: () => {},
  }
}

describe('pages by relevance', () => {
  it('are what sorting all hits gives, whether they are known or not', () => {
    const random = randomOf(SEED)
    const { segment, view, close } = open(random)
    for (const text of QUERIES) {
      const query = parseQuery(text, { now: 0, match: 'name' })
      if (query.kind !== 'query') throw new Error(query.message)
      const terms = relevanceTerms(query.predicate)
      for (const table of ['f', 'd'] as const) {
        const newFinder = () => {
          const work = workOf()
          const scope = new ViewScope(view, [view], new IndexFacts(), work)
          const rows = new TableRows(scope, segment, table)
          const tree = new TreeMatcher(view, segment, work)
          const predicate = specialise(query.predicate, table, 'v')
          return { rows, tree, finder: new HitFinder(rows, filterOf(rows, tree, predicate)) }
        }
        const { rows } = newFinder()
        const right = Array.from({ length: rows.rowCount }, (_, row) => {
          const components = rows.componentsOf(row)
          return { row, components, kind: table === 'd' ? Kind.directory : Kind.file, size: 0 } satisfies Entry & {
            row: number
          }
        })
          .filter(entry => matchesNaively(query.predicate, entry))
          .sort((a, b) => compareRelevance(terms, a, b))
          .map(({ row }) => row)
        for (const limit of [1, 7, 100, 600]) {
          for (const known of [false, true]) {
            const { finder, tree } = newFinder()
            if (known) finder.all()
            const found = firstByRelevance(finder, tree, terms, limit)
            expect(found, `seed ${SEED}, ${text} ${table} ${limit} ${known}`).toEqual(right.slice(0, limit))
          }
        }
      }
    }
    close()
  })

  it('decode few of the names of many hits', () => {
    const { segment, view, close } = open(randomOf(SEED))
    // While a segment is cold, what all hits are compared by is asked for together instead.
    segment.reader.verify()
    expect(segment.reader.frame.isCold).toBe(false)
    const query = parseQuery('path:service', { now: 0, match: 'name' })
    if (query.kind !== 'query') throw new Error(query.message)
    const work = workOf()
    const rows = new TableRows(new ViewScope(view, [view], new IndexFacts(), work), segment, 'f')
    const tree = new TreeMatcher(view, segment, work)
    const finder = new HitFinder(rows, filterOf(rows, tree, specialise(query.predicate, 'f', 'v')))
    const hits = finder.all().count
    segment.shortNames('f')
    const seek = vi.spyOn(rows.dictionary, 'seek')
    expect(firstByRelevance(finder, tree, relevanceTerms(query.predicate), 5)).toHaveLength(5)
    expect(hits).toBeGreaterThan(200)
    expect(seek.mock.calls.length).toBeLessThan(hits / 4)
    close()
  })
})

describe('least ranks', () => {
  it('are no more than the ranks of names', () => {
    const { segment, view, close } = open(randomOf(SEED))
    const work = workOf()
    const rows = new TableRows(new ViewScope(view, [view], new IndexFacts(), work), segment, 'f')
    const { dictionary, matcher } = rows
    for (const texts of [['src'], ['e'], ['größe'], ['zz'], ['lib', 'go'], ['s', 'src', 'x']]) {
      const needles = texts.map(text => keyOf(Buffer.from(text)))
      const terms = { needles, tolerant: [] }
      const parts = needles.map(needle => ({ kind: 'name', test: { mode: 'substring', needle } }) as const)
      for (const holding of [undefined, matcher.verdicts({ kind: 'and', parts }, work)]) {
        const least = new LeastRanks(rows, terms, holding)
        for (let id = 0; id < dictionary.nameCount; id++) {
          const [name, key] = [dictionary.nameAt(id), dictionary.keyAt(id)]
          expect(least.of(id), `${texts} ${Buffer.from(name)}`).toBeLessThanOrEqual(rankOf(terms, name, key))
          const starts = needles.some(needle => Buffer.from(key).subarray(0, needle.length).equals(needle))
          expect(least.isStart(id)).toBe(starts)
        }
      }
    }
    close()
  })
})

describe('lengths of names', () => {
  it('are found by id, over the ends of words and groups', () => {
    const random = randomOf(SEED)
    for (const count of [1, 31, 32, 33, 255, 256, 257, 5_000]) {
      const groups: number[][] = Array.from({ length: 9 }, () => [])
      const right = Array.from({ length: count }, (_, id) => {
        const length = random.below(random.chance(0.5) ? 40 : 9)
        if (length < groups.length) groups[length]!.push(id)
        return Math.min(length, groups.length)
      })
      const lengths = NameLengths.of(groups, count)
      expect(right.map((_, id) => lengths.leastOf(id))).toEqual(right)
    }
  })
})
