import { byId } from './dom.js'
import { COLUMN_KEYS, type ColumnKey, type SearchState } from './search-state.js'

/** The heads of the columns, which sort. Returns a function that shows how the list is sorted. */
export function columnHeads(onSort: (key: ColumnKey) => void): (state: SearchState) => void {
  const buttons = COLUMN_KEYS.map(key => ({ key, button: byId(`sort-${key}`, HTMLButtonElement) }))
  for (const { key, button } of buttons) button.addEventListener('click', () => onSort(key))
  return state => {
    for (const { key, button } of buttons) {
      const order = key !== state.sort ? 'none' : state.descending ? 'descending' : 'ascending'
      button.parentElement?.setAttribute('aria-sort', order)
    }
  }
}
