import { matchedSpans, parseQuery, spansInText } from '@hotpath/query'
import type { ShowName } from './http/search-reply.js'
import type { SearchRequest } from './search-backend.js'

/** Shows names with the parts that a query asked for. The query is parsed once; marks cost little for the rows of a page. */
export function queryHighlighter({ query, match, caseMode }: SearchRequest): ShowName {
  // A query that is wrong has no rows; and what a date word means does not matter for marks.
  const parsed = parseQuery(query, { now: Date.now(), match, caseMode })
  const predicate = parsed.kind === 'query' ? parsed.predicate : undefined
  return name => {
    const found = predicate === undefined ? [] : matchedSpans(predicate, name)
    const { text, spans } = spansInText(name, found)
    return { text, matched: spans.map(({ from, to }) => [from, to - from] as const) }
  }
}
