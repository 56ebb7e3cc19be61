import { belowDirectory, onlyTolerant, type Predicate, parseQuery, type QueryError } from '@hotpath/query'
import type { SearchOptions } from './search-request.js'

/** What a search looks for. */
export interface Asked {
  readonly kind: 'asked'
  readonly text: string
  /** Most hits that are wanted. */
  readonly maxCount: number
  readonly exact: Predicate
  /** What only tolerant terms find. */
  readonly tolerant: Predicate | undefined
}

/** What the text of a search asks for. */
export function askedOf(options: SearchOptions): Asked | QueryError {
  const { text, nowMs, match, caseMode, fuzzy, under } = options
  const query = parseQuery(text, { now: nowMs, match, caseMode, fuzzy })
  if (query.kind !== 'query') return query
  const within = (predicate: Predicate): Predicate =>
    under === undefined ? predicate : conjunction(predicate, belowDirectory(under))
  const tolerant = onlyTolerant(query)
  const { maxCount = Number.POSITIVE_INFINITY } = query
  return { kind: 'asked', text, maxCount, exact: within(query.predicate), tolerant: tolerant && within(tolerant) }
}

function conjunction(a: Predicate, b: Predicate): Predicate {
  if (a.kind === 'all' || b.kind === 'none') return b
  if (b.kind === 'all' || a.kind === 'none') return a
  const parts = [a, b].flatMap(part => (part.kind === 'and' ? part.parts : [part]))
  return { kind: 'and', parts }
}

/** True if other entries decide about one, also such as may not be seen. */
export function comparesEntries(predicate: Predicate): boolean {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.parts.some(comparesEntries)
    case 'not':
      return comparesEntries(predicate.part)
    default:
      return predicate.kind === 'duplicate'
  }
}
