import { InvalidInputError } from '@hotpath/model'
import {
  CASE_MODES,
  type CaseMode,
  MATCH_MODES,
  type MatchMode,
  type SearchRequest,
  SORT_KEYS,
  type SortKey,
} from '../search-backend.js'
import { decodeText, parseQueryString } from './query-string.js'

/** Rows of a page when `limit` is absent: a screen or two. */
export const DEFAULT_LIMIT = 100
/** A page of 1,000 rows with 4 KiB paths is 4 MB of JSON: the most that one answer may hold in memory here. */
export const MAX_LIMIT = 1_000
/** Entry ids are 32 bits wide, so no result has more rows. */
export const MAX_OFFSET = 0xffff_ffff

export const SEARCH_PARAMETERS = [
  'q',
  'limit',
  'offset',
  'sort',
  'minClock',
  'match',
  'case',
  'explain',
  'count',
  'under',
  'fuzzy',
  'cache',
] as const
type Name = (typeof SEARCH_PARAMETERS)[number]

/** The request behind `/api/search?…`. Throws InvalidInputError for anything that would otherwise be ignored. */
export function parseSearchParams(queryString: string): SearchRequest {
  const raw = parseQueryString(queryString)
  for (const name of raw.keys()) {
    if (!SEARCH_PARAMETERS.some(known => known === name)) {
      throw new InvalidInputError('parameter', SEARCH_PARAMETERS.join(', '), JSON.stringify(name))
    }
  }
  const text = (name: Name) => {
    const bytes = raw.get(name)
    return bytes === undefined ? undefined : decodeText(bytes, name)
  }
  const countOnly = parseFlag('count', text('count'))
  if (countOnly) {
    for (const name of ['limit', 'offset', 'sort'] as const) {
      if (raw.has(name)) throw new InvalidInputError(name, 'absent together with count=1', 'present')
    }
  }
  return {
    query: text('q') ?? '',
    limit: countOnly ? 0 : parseWhole('limit', text('limit'), DEFAULT_LIMIT, MAX_LIMIT),
    offset: parseWhole('offset', text('offset'), 0, MAX_OFFSET),
    ...parseSort(text('sort')),
    match: parseMatch(text('match')),
    caseMode: parseCase(text('case')),
    under: parseUnder(raw.get('under')),
    minClock: parseClock(text('minClock')),
    explain: parseFlag('explain', text('explain')),
    countOnly,
    fuzzy: parseFuzzy(text('fuzzy')),
    noCache: parseCache(text('cache')),
  }
}

/** The directory whose sizes are asked for; undefined: the roots. A path of a list need not be absolute. */
export function parseSizesParams(queryString: string): Uint8Array | undefined {
  const raw = parseQueryString(queryString)
  for (const name of raw.keys()) {
    if (name !== 'under') throw new InvalidInputError('parameter', 'under', JSON.stringify(name))
  }
  const path = raw.get('under')
  if (path?.length === 0 || path?.includes(0)) {
    throw new InvalidInputError('under', 'a path', JSON.stringify(Buffer.from(path).toString('utf8')))
  }
  return path
}

/** Throws InvalidInputError. */
export function parseWhole(name: string, value: string | undefined, fallback: number, max: number): number {
  if (value === undefined) return fallback
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN
  if (!(number <= max)) throw new InvalidInputError(name, `a whole number from 0 to ${max}`, JSON.stringify(value))
  return number
}

function parseSort(value: string | undefined): { sort: SortKey; descending: boolean } {
  if (value === undefined) return { sort: 'hot', descending: false }
  const descending = value.endsWith('-desc')
  const key = descending ? value.slice(0, -'-desc'.length) : value
  const sort = SORT_KEYS.find(known => known === key)
  if (sort === undefined) {
    throw new InvalidInputError('sort', `${SORT_KEYS.join(', ')}, each also with -desc`, JSON.stringify(value))
  }
  return { sort, descending }
}

function parseMatch(value: string | undefined): MatchMode {
  if (value === undefined) return 'name'
  const mode = MATCH_MODES.find(known => known === value)
  if (mode === undefined) throw new InvalidInputError('match', MATCH_MODES.join(' or '), JSON.stringify(value))
  return mode
}

/** Throws InvalidInputError. */
export function parseCase(value: string | undefined): CaseMode {
  if (value === undefined) return 'ignore'
  const mode = CASE_MODES.find(known => known === value)
  if (mode === undefined) throw new InvalidInputError('case', CASE_MODES.join(', '), JSON.stringify(value))
  return mode
}

function parseFuzzy(value: string | undefined): boolean {
  if (value === undefined) return false
  if (value === 'auto') return true
  throw new InvalidInputError('fuzzy', 'auto, or nothing', JSON.stringify(value))
}

function parseCache(value: string | undefined): boolean {
  if (value === undefined) return false
  if (value === 'off') return true
  throw new InvalidInputError('cache', 'off, or nothing', JSON.stringify(value))
}

function parseFlag(name: Name, value: string | undefined): boolean {
  if (value === undefined || value === '0') return false
  if (value === '1') return true
  throw new InvalidInputError(name, '0 or 1', JSON.stringify(value))
}

function parseUnder(value: Uint8Array | undefined): Uint8Array | undefined {
  if (value === undefined) return undefined
  if (value[0] !== 0x2f || value.includes(0)) {
    throw new InvalidInputError('under', 'an absolute path', JSON.stringify(Buffer.from(value).toString('utf8')))
  }
  return value
}

function parseClock(value: string | undefined): string | undefined {
  if (value === '') throw new InvalidInputError('minClock', 'a clock of an earlier answer', 'nothing')
  return value
}
