import { Kept } from './kept.js'

/** A search by its address: `?q=report&sort=size`. */
export interface SavedSearch {
  readonly url: string
  /** For people. */
  readonly title: string
}

export const MAX_HISTORY = 50
export const MAX_BOOKMARKS = 200
const MAX_TEXT = 8_192

export function savedSearches(stored: unknown, most: number): readonly SavedSearch[] | undefined {
  if (!Array.isArray(stored)) return undefined
  return stored
    .filter((one): one is SavedSearch => {
      const { url, title } = (one ?? {}) as Partial<SavedSearch>
      return typeof url === 'string' && typeof title === 'string' && url.length <= MAX_TEXT && /^(\?.*)?$/.test(url)
    })
    .slice(0, most)
    .map(({ url, title }) => ({ url, title: title.slice(0, 200) }))
}

/** With the search in front, once. */
export function remembered(all: readonly SavedSearch[], search: SavedSearch, most: number): readonly SavedSearch[] {
  return [search, ...all.filter(({ url }) => url !== search.url)].slice(0, most)
}

export class SearchList extends Kept<readonly SavedSearch[]> {
  constructor(
    name: string,
    private readonly most: number,
  ) {
    super(name, stored => savedSearches(stored, most), [])
  }

  has(url: string): boolean {
    return this.current.some(search => search.url === url)
  }

  add(search: SavedSearch): void {
    this.set(remembered(this.current, search, this.most))
  }

  remove(url: string): void {
    this.set(this.current.filter(search => search.url !== url))
  }
}
