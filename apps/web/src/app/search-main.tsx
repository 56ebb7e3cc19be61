import type { RefObject } from 'react'
import { Details, DetailsPane } from '../details/details.js'
import { ResultGrid } from '../list/result-grid.js'
import { RowDetails } from '../rows/row-details.js'
import { type RowCommands, RowSection } from '../rows/row-section.js'
import { sortedBy } from '../state/page-state.js'
import type { PathRef } from '../state/path-ref.js'
import { useStore } from '../state/store.js'
import { EmptyNote } from './notes.js'
import type { Parts } from './parts.js'

interface MainProps {
  readonly parts: Parts
  readonly grid: RefObject<HTMLDivElement | null>
  readonly onUnder: (under: PathRef) => void
  readonly onOpen: () => void
  readonly focusBox: () => void
}

/** Files, rows of databases above them or in their place, and the details of what is active. */
export function SearchMain({ parts, grid, onUnder, onOpen, focusBox }: MainProps) {
  const { address, list, position, columns, details, messages, found, commands } = parts
  const state = useStore(address).current
  const isDetailed = useStore(details).current
  useStore(list)
  useStore(found)
  const isInstead = parts.areRowsAll
  const rowCommands: RowCommands = {
    onAll: rowsFrom => address.go({ view: 'rows', rowsFrom }),
    onFiles: () => address.go({ view: 'search', rowsFrom: 0 }),
    onOpen: () => details.set(true),
    onCopy: row => void commands.copyText(row.snippet),
    onLeave: focusBox,
  }
  return (
    <main className={isDetailed ? 'files with-details' : 'files'}>
      <div className={found.active === undefined ? 'found' : 'found at-rows'}>
        <RowSection
          found={found}
          place={state.view === 'rows' ? 'view' : isInstead ? 'instead' : 'above'}
          commands={rowCommands}
        />
        <div className="list-place" hidden={isInstead}>
          <ResultGrid
            list={list}
            position={position}
            settings={columns}
            state={state}
            grid={grid}
            onSort={sort => address.go(sortedBy(address.current, sort))}
            onColumnMoved={text => messages.show(text)}
            onOpen={onOpen}
          />
          <EmptyNote list={list} state={state} />
        </div>
      </div>
      {isDetailed && (
        <DetailsPane onClose={() => details.set(false)}>
          <ActiveDetails parts={parts} onUnder={onUnder} />
        </DetailsPane>
      )}
    </main>
  )
}

/** Of what somebody went to last, a file or a row. */
function ActiveDetails({ parts, onUnder }: Pick<MainProps, 'parts' | 'onUnder'>) {
  const { list, position, client, commands, index, found } = parts
  useStore(list)
  useStore(position)
  useStore(index)
  useStore(found)
  const row = found.rows[found.active ?? (parts.areRowsAll ? 0 : -1)]
  if (row !== undefined) return <RowDetails row={row} onCopy={({ snippet }) => void commands.copyText(snippet)} />
  return (
    <Details
      client={client}
      commands={commands}
      hit={parts.areRowsAll ? undefined : list.hit(position.active)}
      row={position.active}
      search={list.shown}
      onUnder={onUnder}
    />
  )
}
