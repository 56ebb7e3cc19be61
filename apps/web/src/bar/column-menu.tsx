import { COLUMNS, type Column, type ColumnSettings, shownColumns } from '../state/columns.js'
import { type SearchState, SORTS, type SortName } from '../state/page-state.js'
import { useStore } from '../state/store.js'
import { Icon } from '../ui/icons.js'
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
            {[...shownColumns(current), ...COLUMNS.filter(({ id }) => !current.shown.includes(id))].map(
              ({ id, label }) => (
                <ColumnLine key={id} id={id} label={label} settings={settings} />
              ),
            )}
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

/** Whether a column is shown, and its place, for whoever drags nothing. */
function ColumnLine({ id, label, settings }: Pick<Column, 'id' | 'label'> & Pick<ColumnMenuProps, 'settings'>) {
  const { shown } = settings.current
  const at = shown.indexOf(id)
  return (
    <div className="column-line">
      <label>
        <input
          type="checkbox"
          checked={at >= 0}
          disabled={id === 'name'}
          onChange={event => settings.show(id, event.target.checked)}
        />
        {label}
      </label>
      {at >= 0 && (
        <>
          <button
            type="button"
            className="tool small"
            aria-label={`Move ${label} left`}
            title="Move left"
            aria-disabled={at === 0}
            onClick={() => settings.move(id, at - 1)}
          >
            <Icon name="up" />
          </button>
          <button
            type="button"
            className="tool small"
            aria-label={`Move ${label} right`}
            title="Move right"
            aria-disabled={at === shown.length - 1}
            onClick={() => settings.move(id, at + 1)}
          >
            <Icon name="down" />
          </button>
        </>
      )}
    </div>
  )
}
