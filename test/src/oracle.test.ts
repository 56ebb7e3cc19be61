import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QueryError, type SearchParams, type SearchResult, type Sort } from '@hotpath/client'
import {
  type Sort as CompleteSort,
  compareEntries,
  matchesNaively,
  type NaiveContext,
  naiveContext,
  type Predicate,
  parseQuery,
  type Query,
  type RelevanceTerms,
  relevanceTerms,
  type SortColumn,
} from '@hotpath/query'
import { QUERY_KINDS, type QueryVocabulary, type Random, randomOf, randomQueries } from '@hotpath/query/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entriesOf, filterEntries, type Mask } from './oracle-filter.js'
import { latin1 } from './oracle-names.js'
import { EntryOrders } from './oracle-order.js'
import { awkwardList, makeAwkwardTree } from './oracle-samples.js'
import { readList, readTree } from './oracle-sources.js'
import type { EntryTable } from './oracle-table.js'
import { System } from './system.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const LONG = process.env.SOAK === '1'
/** ORACLE_QUERIES: another number, for several runs side by side. */
const QUERIES = Number(process.env.ORACLE_QUERIES ?? (LONG ? 500 : 9))
const TREE_ENTRIES = LONG ? 8_000 : 5_000
const LIST_ROWS = LONG ? 200_000 : 12_000
/** Small slices give generated sources several segments, and a merge of them behind the queries. */
const SLICE_ROWS = LIST_ROWS / 5
/** Hits up to which a result is always fetched whole; of larger ones every tenth, and pages near the first hit of the others. */
const WHOLE_ROWS = 50_000
const WHOLE_SHARE = 0.1
const SOME_ROWS = 5_000
/** Entries of which each query asks the naive matcher: it takes some 10 µs for one. */
const NAIVE_SAMPLE = 1_000
/** Paths from which queries are made. */
const VOCABULARY_PATHS = 20_000
/** A page of a million rows takes half a minute on a busy machine. */
const ANSWER_MS = LONG ? 600_000 : 60_000
const SOURCE_MS = LONG ? 3_600_000 : 600_000

const SORTS: Record<Sort, SortColumn> = {
  default: 'hot',
  name: 'name',
  path: 'path',
  size: 'size',
  modified: 'modified',
  created: 'created',
  extension: 'ext',
  accessed: 'accessed',
  hot: 'hot',
  opened: 'opened',
}
const SORT_NAMES = Object.keys(SORTS) as Sort[]

interface Source {
  readonly flags: readonly string[]
  /** What is true now; asked before the index is made, and again at the end. */
  read(): EntryTable
}

const folders: string[] = []

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hotpath-oracle-'))
  folders.push(folder)
  return folder
}

function treeSource(): Source {
  const given = process.env.ORACLE_TREE ?? (LONG ? '/usr' : undefined)
  if (given !== undefined) return { flags: ['--root', given], read: () => readTree(given) }
  const root = join(makeFolder(), 'Root')
  mkdirSync(root)
  makeAwkwardTree(root, TREE_ENTRIES, SEED)
  return { flags: ['--root', root, '--slice-rows', String(SLICE_ROWS)], read: () => readTree(root) }
}

function listSource(): Source {
  const given = LONG ? process.env.ORACLE_LIST : undefined
  if (given !== undefined) return { flags: ['--list', given], read: () => readList(given) }
  const file = join(makeFolder(), 'list.efu')
  writeFileSync(file, awkwardList(LIST_ROWS, SEED), 'latin1')
  return { flags: ['--list', file, '--slice-rows', String(SLICE_ROWS)], read: () => readList(file) }
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe.each([
  { name: 'a tree', open: treeSource },
  { name: 'a list', open: listSource },
])('searches of $name', ({ open }) => {
  let source: Source
  let system: System | undefined
  let oracle: Oracle

  beforeAll(async () => {
    source = open()
    const table = source.read()
    system = await System.start([...source.flags, '--no-watch'])
    await system.settled(SOURCE_MS)
    const [root] = (await system.client.status()).roots
    if (root?.root.kind === 'list') table.volume = root.root.id
    oracle = new Oracle(table, system)
  }, SOURCE_MS)

  afterAll(async () => {
    await system?.stop()
  })

  it(
    'sort everything right',
    async () => {
      for (const sort of SORT_NAMES) {
        for (const descending of [false, true]) await oracle.check({ query: '', sort, descending }, `seed ${SEED}`)
      }
    },
    SOURCE_MS,
  )

  it(
    'give what a naive filter gives',
    async () => {
      const random = randomOf(SEED)
      const vocabulary = vocabularyOf(oracle.table, random)
      const combined = randomQueries(SEED, vocabulary)
      const single = QUERY_KINDS.map((kind, index) => randomQueries(SEED + index, vocabulary, kind))
      for (let i = 0; i < QUERIES; i++) {
        // A third are single terms, so that each kind has its turn.
        const text = i % 3 === 0 ? single[(i / 3) % single.length]!() : combined()
        const limited = random.chance(0.05) ? `${text} count:${random.below(2000)}` : text
        await oracle.check(randomParams(oracle.table, random, limited), `seed ${SEED}, query ${i}`)
      }
      expect(oracle.naiveChecks).toBeGreaterThan(0)
    },
    SOURCE_MS,
  )
})

function vocabularyOf(table: EntryTable, random: Random): QueryVocabulary {
  const sample = Array.from({ length: Math.min(VOCABULARY_PATHS, table.count) }, () => random.below(table.count))
  const known = (values: number[]) => values.filter(value => !Number.isNaN(value))
  return {
    paths: sample.map(entry => Buffer.from(table.pathOf(entry), 'latin1').toString('utf8')),
    sizes: known(sample.map(entry => table.sizeOf(entry))),
    seconds: known(
      sample.flatMap(entry => [table.facts[entry]!.modified.seconds, table.facts[entry]!.created.seconds]),
    ),
    // That of a tree is not known here: no volume is called so.
    volumes: [table.volume || 'none'],
  }
}

interface Question extends Pick<SearchParams, 'query' | 'sort' | 'descending' | 'match' | 'caseMode'> {
  readonly query: string
  /** A place of the table. */
  readonly under?: number
}

function randomParams(table: EntryTable, random: Random, query: string): Question {
  const under = random.chance(0.15) ? random.below(table.placeParent.length) : undefined
  return {
    query,
    sort: random.pick(SORT_NAMES),
    descending: random.chance(0.5),
    match: random.chance(0.4) ? 'auto' : 'name',
    ...(random.chance(0.2) ? { caseMode: random.pick(['match', 'smart']) } : {}),
    ...(under === undefined ? {} : { under }),
  }
}

/** Paths of drives and servers are shown with `\\`; those of a table have `/` between all components. */
function separated(path: string): string {
  return /^(?:[a-z]:\\|\\\\)/i.test(path) ? path.slice(0, 2) + path.slice(2).replaceAll('\\', '/') : path
}

/** Compares answers with the truth. */
class Oracle {
  naiveChecks = 0
  private readonly orders: EntryOrders
  private readonly context: NaiveContext
  private readonly random = randomOf(SEED)
  /** Paths that were asked for. */
  private readonly paths: Buffer[] = []

  constructor(
    readonly table: EntryTable,
    private readonly system: System,
  ) {
    this.orders = new EntryOrders(table)
    this.context = naiveContext(Array.from({ length: table.count }, (_, entry) => table.entry(entry)))
  }

  /** Asks for the total, for one page, and for all pages, and compares each with what is right. */
  async check(question: Question, label: string): Promise<void> {
    const { under, ...rest } = question
    const directory = under === undefined ? undefined : this.table.pathOfPlace(under)
    const why = `${label}: ${JSON.stringify({ ...rest, under: directory })}`
    const params = {
      ...rest,
      ...(directory === undefined ? {} : { under: Buffer.from(directory, 'latin1') }),
      timeoutMs: ANSWER_MS,
    }
    const parsed = this.parse(question)
    if (parsed === undefined) {
      await expect(this.system.client.search(params), why).rejects.toThrow(QueryError)
      return
    }
    const mask = this.filter(parsed.predicate, under)
    this.checkFilter(parsed.predicate, mask, under, why)
    const sort = { column: SORTS[question.sort ?? 'default'], descending: question.descending ?? false }
    const terms = relevanceTerms(parsed.predicate)
    const right = this.orders.of(mask, sort, terms).subarray(0, parsed.maxCount)
    try {
      await this.checkAnswers(params, right, why)
    } catch (error) {
      // What `last3days` means has changed since: the same question again.
      const now = this.parse(question)
      if (now && Buffer.compare(this.filter(now.predicate, under), mask) !== 0) return this.check(question, label)
      throw error
    }
    this.checkOrder(sort, terms, right, why)
  }

  private parse({ query, match, caseMode }: Question): Query | undefined {
    const parsed = parseQuery(query, {
      now: Date.now(),
      match: match ?? 'name',
      ...(caseMode === undefined ? {} : { caseMode }),
    })
    return parsed.kind === 'query' ? parsed : undefined
  }

  private filter(predicate: Predicate, under: number | undefined): Mask {
    const mask = filterEntries(this.table, predicate)
    return under === undefined ? mask : mask.map((bit, entry) => bit & Number(this.isBelow(entry, under)))
  }

  private isBelow(entry: number, place: number): boolean {
    let above = this.table.parent[entry]!
    while (above > place) above = this.table.placeParent[above]!
    return above === place
  }

  /** The fast filter itself, on random entries of both kinds. */
  private checkFilter(predicate: Predicate, mask: Mask, under: number | undefined, why: string): void {
    const { table, random } = this
    const hits = entriesOf(mask)
    const sample = Array.from({ length: NAIVE_SAMPLE }, (_, i) =>
      i % 4 === 0 && hits.length > 0 ? random.pick(hits) : random.below(table.count),
    )
    for (const entry of sample) {
      if (under !== undefined && !this.isBelow(entry, under)) continue
      this.naiveChecks++
      if (matchesNaively(predicate, table.entry(entry), this.context) === (mask[entry] === 1)) continue
      throw new Error(`the filter of this test is wrong about ${JSON.stringify(table.pathOf(entry))}; ${why}`)
    }
  }

  /** The fast orders themselves, on random neighbours and pairs. */
  private checkOrder(sort: CompleteSort, terms: RelevanceTerms, right: Uint32Array, why: string): void {
    const { table, random } = this
    if (right.length < 2) return
    for (let i = 0; i < NAIVE_SAMPLE / 10; i++) {
      const first = random.below(right.length - 1)
      const second = random.chance(0.5) ? first + 1 : first + 1 + random.below(right.length - 1 - first)
      const [a, b] = [table.entry(right[first]!), table.entry(right[second]!)]
      if (compareEntries(sort, terms, a, b) >= 0 || compareEntries(sort, terms, b, a) <= 0) {
        const paths = [right[first]!, right[second]!].map(entry => table.pathOf(entry))
        throw new Error(`the order of this test is wrong about ${JSON.stringify(paths)}; ${why}`)
      }
    }
  }

  private async checkAnswers(params: SearchParams, right: Uint32Array, why: string): Promise<void> {
    const { random } = this
    const isWhole = right.length <= WHOLE_ROWS || random.chance(WHOLE_SHARE)
    // Pages far down sort a million hits.
    const deepest = isWhole ? right.length + 5 : WHOLE_ROWS
    const page = { offset: random.below(deepest), limit: random.below(random.chance(0.5) ? 20 : 1_000) }
    await this.checkPage({ ...params, ...page }, right, why)
    await this.checkPage({ ...params, countOnly: true, limit: 0, offset: 0 }, right, why)
    if (!isWhole) return this.checkPage({ ...params, offset: 0, limit: SOME_ROWS }, right, why)
    const limit = Math.max(1_000, Math.ceil(right.length / (1 + random.below(LONG ? 2 : 3))))
    for (let offset = 0; offset < right.length; offset += limit) {
      await this.checkPage({ ...params, offset, limit }, right, why)
    }
  }

  private async checkPage(
    params: SearchParams & { offset: number; limit: number },
    right: Uint32Array,
    why: string,
  ): Promise<void> {
    const { offset, limit } = params
    const place = `${why}, rows ${offset} to ${offset + limit}`
    const answer = await this.system.client.search(params).catch(error => {
      throw new Error(`${place}: ${error}\n${this.system.log}`, { cause: error })
    })
    expect({ total: answer.total, partial: answer.partial }, place).toEqual({ total: right.length, partial: false })
    const expected = right.subarray(offset, offset + limit)
    const isRight =
      answer.rows.count === expected.length && expected.every((entry, row) => this.isAt(answer, row, entry))
    const found = isRight ? expected : this.entriesOf(answer, place)
    const wrong = isRight ? -1 : expected.findIndex((entry, row) => found[row] !== entry)
    if (wrong >= 0) {
      const [a, b] = [expected[wrong], found[wrong]].map(entry => entry !== undefined && this.describe(entry))
      throw new Error(`row ${offset + wrong} should be ${a}, is ${b}; ${place}`)
    }
    expect(found.length, place).toBe(expected.length)
    for (let i = 0; i < Math.min(expected.length, 100); i++)
      this.checkFacts(answer, this.random.below(found.length), found, place)
  }

  /** Whether a row has exactly the path of an entry: quick for what is right, in trees and in lists without drives. */
  private isAt({ rows }: SearchResult, row: number, entry: number): boolean {
    this.paths[entry] ??= Buffer.from(this.table.pathOf(entry), 'latin1')
    const path = this.paths[entry]!
    return path.compare(rows.paths, rows.pathOffsets[row], rows.pathOffsets[row + 1]) === 0
  }

  /** Numbers of the entries of a page. */
  private entriesOf({ rows }: SearchResult, why: string): number[] {
    return Array.from({ length: rows.count }, (_, row) => {
      const path = separated(latin1(rows.paths.subarray(rows.pathOffsets[row], rows.pathOffsets[row + 1])))
      const entry = this.table.find(path)
      if (entry === undefined) throw new Error(`there is no ${JSON.stringify(path)}; ${why}`)
      return entry
    })
  }

  private checkFacts(answer: SearchResult, row: number, found: ArrayLike<number>, why: string): void {
    const entry = found[row]!
    const { kind, size, modified, created } = this.table.facts[entry]!
    const { rows } = answer
    const moment = (time: { seconds: ArrayLike<number>; ticks: ArrayLike<number> } | undefined) => ({
      seconds: time?.seconds[row] ?? Number.NaN,
      ticks: time?.ticks[row] ?? 0,
    })
    expect(
      { kind: rows.kind[row], size: rows.size[row], modified: moment(rows.modified), created: moment(rows.created) },
      `${this.describe(entry)}; ${why}`,
    ).toEqual({ kind, size: this.table.isDirectory(entry) ? Number.NaN : size, modified, created })
  }

  private describe(entry: number): string {
    return JSON.stringify({ path: this.table.pathOf(entry), ...this.table.facts[entry]! })
  }
}
