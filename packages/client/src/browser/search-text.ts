import type { Sort } from '@hotpath/protocol'
import type { RowSearchParams } from '../found-rows.js'
import type { SearchParams } from '../search-params.js'
import { percentEncoded } from './percent.js'

const SORT_NAMES: Readonly<Record<Sort, string>> = {
  default: 'hot',
  hot: 'hot',
  name: 'name',
  path: 'path',
  size: 'size',
  modified: 'modified',
  created: 'created',
  accessed: 'accessed',
  opened: 'opened',
  extension: 'ext',
}

/** A search as the parameters of `GET /api/search`, encoded; what is the server's default is left out. */
export function searchText(params: Omit<SearchParams, 'timeoutMs' | 'signal'>): string {
  const parts: string[] = []
  const add = (name: string, value: string | Uint8Array | number): void => {
    parts.push(`${name}=${percentEncoded(typeof value === 'number' ? String(value) : value)}`)
  }
  if (params.query.length > 0) add('q', params.query)
  if (params.countOnly) add('count', 1)
  else {
    const { limit, offset = 0, sort = 'default', descending = false } = params
    if (limit !== undefined) add('limit', limit)
    if (offset > 0) add('offset', offset)
    if (descending || SORT_NAMES[sort] !== 'hot') add('sort', `${SORT_NAMES[sort]}${descending ? '-desc' : ''}`)
  }
  if (params.match === 'auto') add('match', 'auto')
  if (params.caseMode !== undefined && params.caseMode !== 'ignore') add('case', params.caseMode)
  if (params.fuzzy) add('fuzzy', 'auto')
  if (params.under !== undefined && params.under.length > 0) add('under', params.under)
  if (params.minClock) add('minClock', params.minClock)
  if (params.explain) add('explain', 1)
  if (params.noCache) add('cache', 'off')
  return parts.join('&')
}

/** A search for rows as the parameters of `GET /api/rows`. */
export function rowSearchText({ query, limit, offset = 0, caseMode = 'ignore' }: RowSearchParams): string {
  const parts: string[] = []
  const add = (name: string, value: string | Uint8Array): void => void parts.push(`${name}=${percentEncoded(value)}`)
  if (query.length > 0) add('q', query)
  if (limit !== undefined) add('limit', String(limit))
  if (offset > 0) add('offset', String(offset))
  if (caseMode !== 'ignore') add('case', caseMode)
  return parts.join('&')
}
