import { Kind } from '@hotpath/model'
import {
  compareEntries,
  componentsOf,
  type Entry,
  matchesNaively,
  naiveContext,
  onlyTolerant,
  type Predicate,
  parseQuery,
  parseSort,
  relevanceTerms,
} from '@hotpath/query'
import type { WalkedEntry } from './user-process.js'

export interface Question {
  readonly q: string
  readonly sort: string
  readonly limit: number
  readonly offset: number
  readonly fuzzy?: boolean
  readonly auto?: boolean
}

export interface ExpectedAnswer {
  readonly total: number
  readonly fuzzyTotal: number | null
  readonly paths: readonly string[]
}

interface Walked extends Entry {
  readonly path: string
}

/** What the plainest code says about a search among entries that nobody ever opened. */
export class ExpectedAnswers {
  private readonly entries: readonly Walked[]
  private readonly context

  constructor(walked: readonly WalkedEntry[]) {
    this.entries = walked.map(({ path, kind, size, modifiedNs, createdNs }) => ({
      path,
      components: componentsOf(Buffer.from(path)),
      kind: kind === 'directory' ? Kind.directory : Kind.file,
      size,
      modified: timeOf(modifiedNs),
      created: timeOf(createdNs),
      root: 'r',
    }))
    this.context = naiveContext(this.entries)
  }

  get count(): number {
    return this.entries.length
  }

  of({ q, sort, limit, offset, fuzzy = false, auto = false }: Question): ExpectedAnswer {
    const query = parseQuery(q, { now: Date.now(), fuzzy, match: auto ? 'auto' : 'name' })
    if (query.kind !== 'query') throw new Error(query.message)
    const exact = this.sorted(query.predicate, sort)
    const tolerant = onlyTolerant(query)
    const page = exact.slice(offset, offset + limit)
    if (tolerant === undefined || page.length === limit) {
      return { total: exact.length, fuzzyTotal: null, paths: page.map(({ path }) => path) }
    }
    const others = this.sorted(tolerant, sort)
    const rest = others.slice(Math.max(0, offset - exact.length)).slice(0, limit - page.length)
    return { total: exact.length, fuzzyTotal: others.length, paths: [...page, ...rest].map(({ path }) => path) }
  }

  private sorted(predicate: Predicate, sort: string): Walked[] {
    const order = parseSort(sort)
    if (order === undefined) throw new Error(`no sort: ${sort}`)
    const terms = relevanceTerms(predicate)
    return this.entries
      .filter(entry => matchesNaively(predicate, entry, this.context))
      .sort((a, b) => compareEntries(order, terms, a, b))
  }
}

function timeOf(nanoseconds: string): { seconds: number; ticks: number } {
  const value = BigInt(nanoseconds)
  return { seconds: Number(value / 1_000_000_000n), ticks: Number((value % 1_000_000_000n) / 100n) }
}
