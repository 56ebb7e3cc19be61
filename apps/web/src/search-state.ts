/** Sorts that have a column with a head. */
export const COLUMN_KEYS = ['name', 'path', 'size', 'modified'] as const
export type ColumnKey = (typeof COLUMN_KEYS)[number]

export const SORT_KEYS = ['hot', ...COLUMN_KEYS] as const
export type SortKey = (typeof SORT_KEYS)[number]

/** What is shown: all of it is in the address, so that it can be kept, shared and gone back to. */
export interface SearchState {
  readonly text: string
  readonly sort: SortKey
  readonly descending: boolean
}

export const EMPTY_STATE: SearchState = { text: '', sort: 'hot', descending: false }

/** Reads `?q=…&sort=size-desc`; what it does not know falls back to the default. */
export function stateFromUrl(search: string): SearchState {
  const params = new URLSearchParams(search)
  const sortText = params.get('sort') ?? EMPTY_STATE.sort
  const descending = sortText.endsWith('-desc')
  const key = descending ? sortText.slice(0, -'-desc'.length) : sortText
  const sort = SORT_KEYS.find(known => known === key)
  return {
    text: params.get('q') ?? '',
    sort: sort ?? EMPTY_STATE.sort,
    descending: sort === undefined ? EMPTY_STATE.descending : descending,
  }
}

/** The query string of a state; empty for the default, so that the plain address stays plain. */
export function stateToUrl(state: SearchState): string {
  const params = new URLSearchParams()
  if (state.text !== '') params.set('q', state.text)
  if (state.sort !== EMPTY_STATE.sort || state.descending) params.set('sort', sortParameter(state))
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}

export function sortParameter({ sort, descending }: SearchState): string {
  return descending ? `${sort}-desc` : sort
}

/**
 * The state after a click on a column's head: names and paths begin at A, sizes and dates with the largest; a second click
 * turns that round, and a third one goes back to the hottest first.
 */
export function sortedBy(state: SearchState, key: ColumnKey): SearchState {
  const first = key === 'size' || key === 'modified'
  if (state.sort !== key) return { ...state, sort: key, descending: first }
  if (state.descending === first) return { ...state, descending: !first }
  return { ...state, sort: EMPTY_STATE.sort, descending: EMPTY_STATE.descending }
}
