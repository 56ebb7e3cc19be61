import { COLUMNS, type ColumnSettings } from '../state/columns.js'
import { type SearchState, SORTS, type SortName } from '../state/page-state.js'
import { useStore } from '../state/store.js'
import { Menu } from '../ui/menu.js'

const SORT_LABELS: Readonly<Record<SortName, string>> = {
  hot: 'Heat, then relevance',
  name: 'Name',
  path: 'Path',
  size: 'Size',
  modified: 'Modified',
  created: 'Created',
  ext: 'Extension',
  opened: 'Last opened',
  accessed: 'Last accessed',
}

interface ColumnMenuProps {
  readonly settings: ColumnSettings
  readonly state: SearchState
  readonly onSort: (sort: SortName, descending: boolean) => void
}

/** Which columns are shown, and every order there is. */
export function ColumnMenu({ settings, state, onSort }: ColumnMenuProps) {
  const { current } = useStore(settings)
  return (
    <Menu icon="columns" label="Columns and order">
      {() => (
        <>
          <h2>Columns</h2>
          <div className="checks">
            {COLUMNS.map(({ id, label }) => (
              <label key={id}>
                <input
                  type="checkbox"
                  checked={current.shown.includes(id)}
                  disabled={id === 'name'}
                  onChange={event => settings.show(id, event.target.checked)}
                />
                {label}
              </label>
            ))}
          </div>
          <button type="button" className="wide" onClick={() => settings.clear()}>
            Reset columns
          </button>
          <h2>Order</h2>
          <div className="order">
            <select
              aria-label="Sort by"
              value={state.sort}
              onChange={event => onSort(event.target.value as SortName, state.descending)}
            >
              {SORTS.map(sort => (
                <option key={sort} value={sort}>
                  {SORT_LABELS[sort]}
                </option>
              ))}
            </select>
            <label>
              <input
                type="checkbox"
                checked={state.descending}
                onChange={event => onSort(state.sort, event.target.checked)}
              />
              Reversed
            </label>
          </div>
        </>
      )}
    </Menu>
  )
}
