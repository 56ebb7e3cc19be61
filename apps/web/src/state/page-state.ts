import { AGE_FILTERS, type Filters, NO_FILTERS, SIZE_FILTERS, TYPE_FILTERS } from './filters.js'
import { decodedPathRef, type PathRef } from './path-ref.js'

export const SORTS = ['hot', 'name', 'path', 'size', 'modified', 'created', 'ext', 'opened', 'accessed'] as const
export type SortName = (typeof SORTS)[number]

/** Orders that begin with the last: what is large or new is looked for. */
const LAST_FIRST: readonly SortName[] = ['size', 'modified', 'created', 'opened', 'accessed']

export interface SearchState {
  readonly query: string
  readonly sort: SortName
  readonly descending: boolean
  readonly filters: Filters
  /** Only below this directory. */
  readonly under: PathRef | undefined
}

export const VIEWS = ['search', 'rows', 'statistics'] as const
export type View = (typeof VIEWS)[number]

/** What an address may ask for (docs/http-api.md). */
const MAX_ROWS_FROM = 2 ** 32 - 1

/** All that the address says. */
export interface PageState extends SearchState {
  readonly view: View
  /** The first row of followed databases that their view shows. */
  readonly rowsFrom: number
  /** The directory whose sizes are shown. */
  readonly sizes: PathRef | undefined
}

export const EMPTY_STATE: PageState = {
  view: 'search',
  rowsFrom: 0,
  query: '',
  sort: 'hot',
  descending: false,
  filters: NO_FILTERS,
  under: undefined,
  sizes: undefined,
}

/** The next order by a click on a head: as one looks for it, then the other way, then none. */
export function sortedBy<S extends SearchState>(state: S, sort: SortName): S {
  const first = LAST_FIRST.includes(sort)
  if (state.sort !== sort || sort === 'hot') return { ...state, sort, descending: sort === 'hot' ? false : first }
  if (state.descending === first) return { ...state, descending: !first }
  return { ...state, sort: 'hot', descending: false }
}

export function stateToUrl(state: PageState): string {
  const { query, sort, descending, filters, under, view, rowsFrom, sizes } = state
  const parts: string[] = []
  const add = (name: string, encoded: string): void => void parts.push(`${name}=${encoded}`)
  if (view !== 'search') add('view', view)
  if (view === 'rows' && rowsFrom > 0) add('from', String(rowsFrom))
  if (query !== '') add('q', new URLSearchParams({ q: query }).toString().slice(2))
  if (sort !== 'hot' || descending) add('sort', `${sort}${descending ? '-desc' : ''}`)
  if (filters.types.length > 0) add('type', filters.types.join(','))
  if (filters.age !== '') add('age', filters.age)
  if (filters.size !== '') add('size', filters.size)
  if (under !== undefined) add('under', under.encoded)
  if (sizes !== undefined) add('sizes', sizes.encoded)
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

/** What of an address makes sense. */
export function stateFromUrl(search: string): PageState {
  const params = new URLSearchParams(search)
  const sortText = params.get('sort') ?? 'hot'
  const descending = sortText.endsWith('-desc')
  const sort = SORTS.find(name => name === sortText.replace(/-desc$/, ''))
  const view = VIEWS.find(name => name === params.get('view')) ?? 'search'
  const types = params.get('type')?.split(',') ?? []
  const known = (all: readonly { readonly id: string }[], id: string | null) =>
    all.find(filter => filter.id === id)?.id ?? ''
  return {
    view,
    rowsFrom: view === 'rows' ? wholeNumber(params.get('from')) : 0,
    query: params.get('q') ?? '',
    sort: sort ?? 'hot',
    descending: sort !== undefined && descending,
    filters: {
      types: TYPE_FILTERS.map(({ id }) => id as string).filter(id => types.includes(id)),
      age: known(AGE_FILTERS, params.get('age')),
      size: known(SIZE_FILTERS, params.get('size')),
    },
    under: rawPath(search, 'under'),
    sizes: rawPath(search, 'sizes'),
  }
}

function wholeNumber(text: string | null): number {
  return text !== null && /^\d{1,10}$/.test(text) ? Math.min(Number(text), MAX_ROWS_FROM) : 0
}

/** Not through URLSearchParams, which would take the bytes for UTF-8. */
function rawPath(search: string, name: string): PathRef | undefined {
  const part = search
    .replace(/^\?/, '')
    .split('&')
    .find(one => one.startsWith(`${name}=`))
  return part === undefined ? undefined : decodedPathRef(part.slice(name.length + 1))
}

/** The address of a search alone. */
export function searchUrl(state: SearchState): string {
  return stateToUrl({ ...EMPTY_STATE, ...searchOf(state) })
}

/** Whether two states ask for the same hits. */
export function isSameSearch(a: SearchState, b: SearchState): boolean {
  return searchUrl(a) === searchUrl(b)
}

export function searchOf({ query, sort, descending, filters, under }: SearchState): SearchState {
  return { query, sort, descending, filters, under }
}
