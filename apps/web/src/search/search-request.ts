import type { QueryError, WatchParams } from '@hotpath/client/browser'
import { filterPrefix } from '../state/filters.js'
import type { SearchState, SortName } from '../state/page-state.js'
import { bytesOf } from '../state/path-ref.js'

type Sort = NonNullable<WatchParams['sort']>

const SORT: Readonly<Record<SortName, Sort>> = {
  hot: 'default',
  name: 'name',
  path: 'path',
  size: 'size',
  modified: 'modified',
  created: 'created',
  accessed: 'accessed',
  opened: 'opened',
  ext: 'extension',
}

/** What is asked of the gateway: terms match along the path, and mistakes are forgiven. */
export function requestOf({ query, sort, descending, filters, under }: SearchState): WatchParams {
  return {
    query: filterPrefix(filters) + query,
    sort: SORT[sort],
    descending,
    match: 'auto',
    fuzzy: true,
    ...(under === undefined ? {} : { under: bytesOf(under) }),
  }
}

/** What is wrong with what was typed. */
export interface QueryProblem {
  readonly message: string
  /** UTF-16 units of what was typed; undefined if it is not about a place. */
  readonly position: number | undefined
}

/** An error in what was sent, as one in what was typed: without the filters before it. */
export function problemIn(error: QueryError, state: SearchState): QueryProblem {
  const { expected } = error
  // Its own count would be of what was sent.
  const message = error.message.replace(/^at \d+: /, '')
  const said = expected === '' || message.includes(expected) ? message : `${message}; expected ${expected}`
  const sent = new TextEncoder().encode(filterPrefix(state.filters) + state.query)
  if (error.position === undefined) return { message: said, position: undefined }
  const units = new TextDecoder('utf-8', { ignoreBOM: true }).decode(sent.subarray(0, error.position)).length
  const position = units - filterPrefix(state.filters).length
  return { message: said, position: Math.min(Math.max(0, position), state.query.length) }
}
