import type { Sort } from '@hotpath/client'

/** Names of sorts, as people write them, and what they are called on the wire. */
export const SORTS: Readonly<Record<string, Sort>> = {
  hot: 'hot',
  name: 'name',
  path: 'path',
  size: 'size',
  modified: 'modified',
  created: 'created',
  accessed: 'accessed',
  opened: 'opened',
  ext: 'extension',
}
const DESCENDING = '-desc'

/** Everything that `--sort` takes. */
export const SORT_NAMES: readonly string[] = Object.keys(SORTS).flatMap(name => [name, `${name}${DESCENDING}`])

/** Reads `size` or `size-desc`; undefined if it is neither. */
export function parseSort(text: string): { sort: Sort; descending: boolean } | undefined {
  const descending = text.endsWith(DESCENDING)
  const name = descending ? text.slice(0, -DESCENDING.length) : text
  const sort = Object.hasOwn(SORTS, name) ? SORTS[name] : undefined
  return sort === undefined ? undefined : { sort, descending }
}
