import { matchedSpans, parseQuery } from '@hotpath/query'
import type { WantedSearch } from '../finder/results.js'
import type { MarkName } from './name-pieces.js'

/** Marks what a search of the finder asked for. */
export function markerOf({ text, fuzzy }: WantedSearch): MarkName {
  return nameMarker(text, { match: 'auto', fuzzy })
}

/** Marks in names what a query asked for. The query is parsed once. */
export function nameMarker(
  query: string,
  options: { match?: 'name' | 'auto'; caseMode?: 'ignore' | 'smart' | 'match'; fuzzy?: boolean },
): MarkName {
  // What a date word means does not matter for marks, and a query that is wrong has no rows.
  const parsed = parseQuery(query, { now: Date.now(), ...options })
  const predicate = parsed.kind === 'query' ? (parsed.tolerant ?? parsed.predicate) : undefined
  return name => (predicate === undefined ? [] : matchedSpans(predicate, name))
}
