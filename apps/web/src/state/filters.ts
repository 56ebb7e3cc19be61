/** Filters are parts of the query language that stand before what was typed (docs/query.md). */
export interface Filter {
  readonly id: string
  readonly label: string
  readonly query: string
}

/** Any of those that are on. */
export const TYPE_FILTERS = [
  { id: 'folder', label: 'Folders', query: 'folder:' },
  { id: 'document', label: 'Documents', query: 'doc:' },
  { id: 'picture', label: 'Pictures', query: 'pic:' },
  { id: 'audio', label: 'Audio', query: 'audio:' },
  { id: 'video', label: 'Video', query: 'video:' },
  { id: 'code', label: 'Code', query: 'code:' },
  { id: 'archive', label: 'Archives', query: 'zip:' },
] as const satisfies readonly Filter[]

export const AGE_FILTERS = [
  { id: 'today', label: 'Today', query: 'dm:today' },
  { id: 'week', label: 'Last 7 days', query: 'dm:last7days' },
  { id: 'month', label: 'Last 30 days', query: 'dm:last30days' },
  { id: 'year', label: 'This year', query: 'dm:thisyear' },
] as const satisfies readonly Filter[]

export const SIZE_FILTERS = [
  { id: 'empty', label: 'Empty', query: 'empty:' },
  { id: '1mb', label: 'Over 1 MB', query: 'size:>1mb' },
  { id: '100mb', label: 'Over 100 MB', query: 'size:>100mb' },
  { id: '1gb', label: 'Over 1 GB', query: 'size:>1gb' },
] as const satisfies readonly Filter[]

export interface Filters {
  /** In the order of TYPE_FILTERS. */
  readonly types: readonly string[]
  /** `` for any. */
  readonly age: string
  readonly size: string
}

export const NO_FILTERS: Filters = { types: [], age: '', size: '' }

export function isFiltered({ types, age, size }: Filters): boolean {
  return types.length > 0 || age !== '' || size !== ''
}

export function withType(filters: Filters, id: string, on: boolean): Filters {
  const ids = new Set(filters.types)
  if (on) ids.add(id)
  else ids.delete(id)
  return { ...filters, types: TYPE_FILTERS.map(filter => filter.id as string).filter(one => ids.has(one)) }
}

/** What stands before the query; `` without filters. Positions of errors count it. */
export function filterPrefix({ types, age, size }: Filters): string {
  const find = (all: readonly Filter[], id: string) => all.find(filter => filter.id === id)?.query ?? ''
  const parts = [types.map(id => find(TYPE_FILTERS, id)).join('|'), find(AGE_FILTERS, age), find(SIZE_FILTERS, size)]
  const said = parts.filter(part => part !== '')
  return said.length === 0 ? '' : `${said.join(' ')} `
}
