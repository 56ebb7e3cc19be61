import { Kind } from '@hotpath/model'
import { Random } from '@hotpath/testing'
import { type BenchQuery, type BenchSort, benchSort } from '../queries.js'
import type { SyntheticEntry } from './synthetic-tree.js'

/** Entries from which queries are drawn: enough that 500 queries seldom meet twice. */
export const SAMPLE_PATHS = 4_000

/** Parts per hundred of each kind: what people type, and what is hard. */
const SHARES = {
  substring: 20,
  token: 25,
  prefix: 15,
  absent: 5,
  short: 5,
  wildcard: 5,
  separator: 8,
  combined: 8,
  negated: 3,
  extension: 3,
  size: 1,
  date: 1,
  type: 1,
} as const
type QueryKind = keyof typeof SHARES

/** By name most often, as people leave it. */
const SORTS: readonly BenchSort[] = [
  'hot',
  'hot',
  'name',
  'name',
  'path',
  'modified-desc',
  'size-desc',
  'size',
  'ext',
].map(name => benchSort(name)!)

/** A mix of queries that the sampled entries suggest; equal for equal arguments. */
export function sampleQueries(entries: readonly SyntheticEntry[], seed: number, count: number): BenchQuery[] {
  const random = new Random(seed)
  const queries: BenchQuery[] = []
  for (const [group, share] of Object.entries(SHARES) as [QueryKind, number][]) {
    for (let i = Math.round((share * count) / 100); i > 0; i--) {
      queries.push({ group, text: queryOf(group, entries, random), sort: random.pick(SORTS) })
    }
  }
  // Mixed, so that no kind has the caches of the processor for itself.
  for (let i = queries.length - 1; i > 0; i--) {
    const other = random.below(i + 1)
    const query = queries[i]!
    queries[i] = queries[other]!
    queries[other] = query
  }
  return queries
}

function queryOf(kind: QueryKind, entries: readonly SyntheticEntry[], random: Random): string {
  const entry = random.pick(entries)
  const components = entry.path.split('/')
  const name = components[components.length - 1]!.toLowerCase()
  const token = (text = name): string => random.pick(text.split(/[^a-z0-9]+/).filter(part => part !== '')) ?? 'a'
  const plain = (text: string): string => text.replaceAll(/[^a-z0-9_.-]/g, '') || 'a'
  switch (kind) {
    case 'substring': {
      const start = random.below(Math.max(1, name.length - 4))
      return plain(name.slice(start, start + 4 + random.below(7)))
    }
    case 'token':
      return token()
    case 'prefix': {
      const word = token()
      return word.slice(0, Math.max(3, random.below(word.length + 1)))
    }
    case 'absent':
      return `q${token()}zqx`
    case 'short':
      return token().slice(0, 1 + random.below(2))
    case 'wildcard':
      return `${token()}*${name.includes('.') ? name.slice(name.lastIndexOf('.')) : ''}`
    case 'separator': {
      const parent = components[components.length - 2] || 'usr'
      return `${plain(parent.toLowerCase())}/${token()}`
    }
    case 'combined':
      return `${token()} ${token(random.pick(entries).path.split('/').at(-1)!.toLowerCase())}`
    case 'negated':
      return `${token()} !${token()}`
    case 'extension':
      return `ext:${random.pick(['html', 'png', 'py', 'h', 'js', 'gz'])} ${token().slice(0, 3)}`
    case 'size':
      return `${token()} size:>${1 + random.below(900)}kb`
    case 'date':
      return `${token()} dm:${2006 + random.below(18)}`
    case 'type':
      return `${entry.kind === Kind.directory ? 'folder' : 'file'}:${token()}`
  }
}
