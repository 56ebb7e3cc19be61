import type { RefObject } from 'react'
import type { ListPosition } from '../list/list-position.js'
import { rowId } from '../list/result-row.js'
import type { Failure, ResultList } from '../search/result-list.js'
import { useStore } from '../state/store.js'
import { visibleText } from '../text/visible-text.js'
import { Icon } from '../ui/icons.js'

interface BoxProps {
  readonly list: ResultList
  readonly position: ListPosition
  readonly query: string
  readonly box: RefObject<HTMLInputElement | null>
  readonly isBookmarked: boolean
  /** The list is on the page. */
  readonly isListed: boolean
  readonly onType: (query: string) => void
  readonly onBookmark: () => void
}

/** The box. It keeps the focus while one walks through the list, and says which row is active. */
export function SearchBox({ list, position, query, box, isBookmarked, isListed, onType, onBookmark }: BoxProps) {
  useStore(list)
  useStore(position)
  const isWrong = list.failure?.kind === 'query'
  return (
    <div role="search" className={isWrong ? 'box wrong' : 'box'}>
      <Icon name="search" className="glass" />
      <input
        ref={box}
        id="query"
        type="text"
        role="combobox"
        aria-label="Search files and folders"
        aria-haspopup="grid"
        aria-expanded={isListed}
        aria-controls="results"
        aria-autocomplete="list"
        aria-describedby="error"
        aria-invalid={isWrong || undefined}
        aria-activedescendant={!isListed || position.active < 0 ? undefined : rowId(position.active)}
        placeholder="Search files and folders"
        autoComplete="off"
        autoCapitalize="off"
        autoCorrect="off"
        spellCheck={false}
        maxLength={4096}
        // biome-ignore lint/a11y/noAutofocus: the page is for typing into it
        autoFocus
        value={query}
        onChange={event => onType(event.target.value)}
      />
      {query === '' ? (
        <span className="key" aria-hidden="true">
          /
        </span>
      ) : (
        <button
          type="button"
          className="tool small"
          aria-label="Clear the search"
          title="Clear (Esc)"
          onClick={() => onType('')}
        >
          <Icon name="clear" />
        </button>
      )}
      <button
        type="button"
        id="bookmark"
        className={isBookmarked ? 'tool small starred' : 'tool small'}
        aria-label="Bookmark this search"
        aria-pressed={isBookmarked}
        title={isBookmarked ? 'Remove the bookmark' : 'Bookmark this search'}
        onClick={onBookmark}
      >
        <Icon name="star" />
      </button>
    </div>
  )
}

/** What is wrong, with a caret under the place. */
export function ErrorLine({ failure, query }: { readonly failure: Failure | undefined; readonly query: string }) {
  return (
    <div id="error" className="error" role="alert" hidden={failure === undefined}>
      {failure !== undefined && <FailureText failure={failure} query={query} />}
    </div>
  )
}

function FailureText({ failure, query }: { readonly failure: Failure; readonly query: string }) {
  if (failure.kind === 'signed-out') {
    return <p>Signed out: hotpath was started again. Open the address that it printed (it ends in ?token=…).</p>
  }
  if (failure.kind === 'away') return <p>{visibleText(failure.message)} — trying again.</p>
  const { message, position } = failure.problem
  if (position === undefined) return <p>{visibleText(message)}</p>
  return (
    <>
      {/* The text of the box once more, unseen: so the caret stands below the place in the box. */}
      <div className="pointer" aria-hidden="true" data-position={position}>
        <span className="echo">{visibleText(query.slice(0, position))}</span>
        <span className="caret">▲</span>
      </div>
      <p>
        {visibleText(message)} <span className="where">at character {position + 1}</span>
      </p>
    </>
  )
}
