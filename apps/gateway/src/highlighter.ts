import { matchedSpans, parseQuery, spansInText } from '@hotpath/query'
import type { ShowName } from './http/search-reply.js'
import type { SearchRequest } from './search-backend.js'

/** Shows names with the parts that a query asked for. The query is parsed once; marks cost little for the rows of a page. */
export function queryHighlighter({ query, match, caseMode, fuzzy }: SearchRequest): ShowName {
  // A query that is wrong has no rows; and what a date word means does not matter for marks.
  const parsed = parseQuery(query, { now: Date.now(), match, caseMode, fuzzy })
  // Where tolerant tests find their term as it is, they mark what exact ones mark.
  const predicate = parsed.kind === 'query' ? (parsed.tolerant ?? parsed.predicate) : undefined
  return name => {
    const found = predicate === undefined ? [] : matchedSpans(predicate, name)
    const { text, spans } = spansInText(name, found)
    return { text, matched: spans.map(({ from, to }) => [from, to - from] as const) }
  }
}
