import type { MarkedHit } from '@hotpath/client/browser'
import { useEffect, useRef } from 'react'
import { ColumnMenu } from '../bar/column-menu.js'
import { FilterBar } from '../bar/filter-bar.js'
import { HelpDialog } from '../bar/help-dialog.js'
import { SavedMenu } from '../bar/saved-menu.js'
import { ErrorLine, SearchBox } from '../bar/search-box.js'
import { StatusBar } from '../bar/status-bar.js'
import { ThemeButton } from '../bar/theme-button.js'
import { ROW_OPTIONS_ID } from '../rows/row-options.js'
import { searchUrl, stateFromUrl } from '../state/page-state.js'
import { folderOf, type PathRef, pathRef } from '../state/path-ref.js'
import { useStore } from '../state/store.js'
import { Statistics } from '../statistics/statistics.js'
import { Icon, IconShapes } from '../ui/icons.js'
import { keyHandler } from './keyboard.js'
import { Announcer, Toast } from './notes.js'
import type { Parts } from './parts.js'
import { SearchMain } from './search-main.js'
import { titleOf } from './search-title.js'

/** The page: what is shown, and what leads from one part to another. */
export function App({ parts }: { readonly parts: Parts }) {
  const {
    address,
    list,
    position,
    found,
    index,
    columns,
    theme,
    details,
    bookmarks,
    history,
    commands,
    messages,
    client,
  } = parts
  const state = useStore(address).current
  const isDetailed = useStore(details).current
  useStore(bookmarks)
  const box = useRef<HTMLInputElement>(null)
  const grid = useRef<HTMLDivElement>(null)
  const help = useRef<HTMLDialogElement>(null)
  const url = searchUrl(state)

  const focusBox = () => {
    box.current?.focus()
    box.current?.select()
  }
  const goUnder = (under: PathRef | undefined) => {
    address.go({ under, view: 'search', sizes: undefined, ...(under === undefined ? {} : { query: '' }) })
    focusBox()
  }
  const activeHit = () => list.hit(position.active)
  const openActive = () => {
    const hit = activeHit()
    if (hit !== undefined) openHit(parts, hit)
  }

  useEffect(() => {
    const handler = keyHandler({
      position,
      box,
      grid,
      isListed: () => address.current.view === 'search' && !parts.areRowsAll,
      enterRows: () => {
        if (parts.areRowsAll) focusRows()
        return parts.areRowsAll
      },
      focusRows,
      open: () => {
        const hit = list.hit(position.active)
        if (hit !== undefined) openHit(parts, hit)
      },
      reveal: () => {
        const hit = list.hit(position.active)
        if (hit !== undefined && commands.canLaunch) void commands.launch(hit, 'reveal')
      },
      copy: () => {
        const hit = list.hit(position.active)
        if (hit !== undefined) void commands.copyPath(hit)
      },
      searchFolder: () => {
        const hit = list.hit(position.active)
        if (hit !== undefined) address.go({ under: folderOf(hit), query: '', view: 'search' })
      },
      toggleDetails: () => details.set(!details.current),
      toggleHelp: () => (help.current?.open ? help.current.close() : help.current?.showModal()),
      go: view => address.go({ view, rowsFrom: 0 }),
      clear: () => {
        const had = address.current.query !== ''
        if (had) address.type('')
        return had
      },
      focusBox: () => {
        box.current?.focus()
        box.current?.select()
      },
    })
    addEventListener('keydown', handler)
    return () => removeEventListener('keydown', handler)
  }, [position, list, commands, address, details, parts])

  const isSearch = state.view !== 'statistics'
  return (
    <>
      <IconShapes />
      <header className="top">
        <h1>
          <img src="/icon.svg" alt="" width="22" height="22" />
          <span>hotpath</span>
        </h1>
        <div className="box-place">
          <SearchBox
            list={list}
            position={position}
            query={state.query}
            box={box}
            isBookmarked={bookmarks.has(url)}
            isListed={state.view === 'search'}
            onType={query => address.type(query)}
            onBookmark={() =>
              bookmarks.has(url) ? bookmarks.remove(url) : bookmarks.add({ url, title: titleOf(state) })
            }
          />
          <Errors parts={parts} />
        </div>
        <nav className="tools" aria-label="Page">
          <span className="segmented">
            <button
              type="button"
              aria-pressed={state.view === 'search'}
              title="Files (Alt+1)"
              onClick={() => address.go({ view: 'search', rowsFrom: 0 })}
            >
              <Icon name="search" /> <span className="word">Files</span>
            </button>
            <button
              type="button"
              id="to-statistics"
              aria-pressed={!isSearch}
              title="Statistics (Alt+2)"
              onClick={() => address.go({ view: 'statistics' })}
            >
              <Icon name="chart" /> <span className="word">Statistics</span>
            </button>
          </span>
          <SavedMenu kind="bookmarks" list={bookmarks} onGo={url => address.go({ ...stateFromUrl(url) })} />
          <SavedMenu kind="history" list={history} onGo={url => address.go({ ...stateFromUrl(url) })} />
          <ThemeButton theme={theme} />
          <button
            type="button"
            id="to-help"
            className="tool"
            aria-label="Help"
            title="Help (? or F1)"
            onClick={() => help.current?.showModal()}
          >
            <Icon name="help" />
          </button>
        </nav>
      </header>
      {isSearch ? (
        <>
          <div className="bar">
            <FilterBar
              filters={state.filters}
              under={state.under}
              onFilters={filters => address.go({ filters })}
              onUnder={under => address.go({ under })}
            />
            <span className="bar-tools">
              <ColumnMenu
                settings={columns}
                state={state}
                onSort={(sort, descending) => address.go({ sort, descending })}
              />
              <button
                type="button"
                id="to-details"
                className="tool"
                aria-label="Details"
                aria-pressed={isDetailed}
                title="Details (Alt+I)"
                onClick={() => details.set(!isDetailed)}
              >
                <Icon name="panel" />
              </button>
            </span>
          </div>
          <SearchMain parts={parts} grid={grid} onUnder={goUnder} onOpen={openActive} focusBox={focusBox} />
        </>
      ) : (
        <Statistics
          client={client}
          index={index}
          commands={commands}
          sizes={state.sizes}
          onSizes={sizes => address.go({ sizes })}
          onSearch={under => goUnder(under)}
        />
      )}
      <StatusBar list={list} found={found} index={index} />
      <HelpDialog
        dialog={help}
        onExample={query => {
          address.go({ view: 'search', query })
          focusBox()
        }}
      />
      <Toast messages={messages} />
      <Announcer list={list} found={found} />
    </>
  )
}

function focusRows(): void {
  document.getElementById(ROW_OPTIONS_ID)?.focus()
}

/** On the machine, where that is allowed; else one goes into a folder, and has the path of a file. */
function openHit(parts: Parts, hit: MarkedHit): void {
  const { address, commands } = parts
  parts.remember()
  if (hit.kind === 'directory' && !commands.canLaunch) {
    void commands.record(hit)
    address.go({ under: pathRef(hit.pathBytes), query: '' })
  } else void commands.open(hit)
}

function Errors({ parts: { list, address } }: { readonly parts: Parts }) {
  useStore(list)
  return <ErrorLine failure={list.failure} query={address.current.query} />
}
