import type { FoundRowReply } from '@hotpath/client/browser'
import { type RowList, VIEW_ROWS } from '../search/row-list.js'
import { useStore } from '../state/store.js'
import { formatCount } from '../text/format.js'
import { visibleText } from '../text/visible-text.js'
import { Icon } from '../ui/icons.js'
import { RowOptions } from './row-options.js'

/** Above the files. */
const FEW_ROWS = 3

export interface RowCommands {
  /** All of them, from this one on. */
  readonly onAll: (from: number) => void
  readonly onFiles: () => void
  readonly onOpen: () => void
  readonly onCopy: (row: FoundRowReply) => void
  readonly onLeave: () => void
}

interface SectionProps {
  readonly found: RowList
  /** Above the files, in their place where there are none, or in a view of their own. */
  readonly place: 'above' | 'instead' | 'view'
  readonly commands: RowCommands
}

/** Rows of followed databases that the search finds. Nothing at all beside files where there is none. */
export function RowSection({ found, place, commands }: SectionProps) {
  const { total, rows, failure } = useStore(found)
  const isView = place === 'view'
  if (total === 0 && !isView) return null
  const most = place === 'above' ? FEW_ROWS : rows.length
  return (
    <section id="rows" className={`rows ${place}`} aria-labelledby="rows-title">
      <header>
        <h2 id="rows-title">
          Rows of databases: <span id="rows-total">{formatCount(total)}</span>
        </h2>
        {isView ? (
          <Pages found={found} commands={commands} />
        ) : (
          total > most && (
            <button type="button" id="all-rows" className="link" onClick={() => commands.onAll(0)}>
              Show all
            </button>
          )
        )}
      </header>
      {rows.length > 0 ? (
        <RowOptions found={found} most={most} hasActive={place !== 'above'} {...commands} />
      ) : (
        isView && <NoRows found={found} why={failure} />
      )}
    </section>
  )
}

function Pages({ found, commands }: { readonly found: RowList; readonly commands: RowCommands }) {
  const { total, rows, shown } = found
  const from = shown?.offset ?? 0
  return (
    <div className="row-pages">
      {(total > rows.length || from > 0) && (
        <>
          <span id="rows-range">
            {rows.length === 0 ? 'none' : `${formatCount(from + 1)}–${formatCount(from + rows.length)}`}
          </span>
          <button
            type="button"
            className="tool small"
            aria-label="Former rows"
            title="Former rows"
            disabled={from === 0}
            onClick={() => commands.onAll(Math.max(0, from - VIEW_ROWS))}
          >
            <Icon name="up" />
          </button>
          <button
            type="button"
            className="tool small"
            aria-label="Next rows"
            title="Next rows"
            disabled={from + rows.length >= total}
            onClick={() => commands.onAll(from + VIEW_ROWS)}
          >
            <Icon name="down" />
          </button>
        </>
      )}
      <button type="button" id="to-files" className="link" onClick={commands.onFiles}>
        Files
      </button>
    </div>
  )
}

function NoRows({ found, why }: { readonly found: RowList; readonly why: string }) {
  if (found.isSearching) return null
  return (
    <div className="no-rows">
      <h3>{why === '' ? 'No row matches' : 'Rows cannot be searched now'}</h3>
      <p>
        {why === ''
          ? 'Rows are found by words, in: and table:; filters and folders are for files.'
          : `${visibleText(why)} — trying again.`}
      </p>
    </div>
  )
}
