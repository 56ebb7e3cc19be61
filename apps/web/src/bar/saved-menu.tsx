import type { SearchList } from '../state/saved-searches.js'
import { useStore } from '../state/store.js'
import { visibleText } from '../text/visible-text.js'
import { Icon } from '../ui/icons.js'
import { Menu } from '../ui/menu.js'

interface SavedProps {
  readonly list: SearchList
  readonly kind: 'bookmarks' | 'history'
  readonly onGo: (url: string) => void
}

const WORDS = {
  bookmarks: { label: 'Bookmarks', none: 'No bookmarks yet. The star in the box keeps a search.', clear: 'Remove all' },
  history: {
    label: 'History',
    none: 'Nothing yet. Searches from which something was opened, and those that were looked at, are listed here.',
    clear: 'Clear history',
  },
} as const

/** Searches that were kept, in this browser alone. */
export function SavedMenu({ list, kind, onGo }: SavedProps) {
  const { current } = useStore(list)
  const { label, none, clear } = WORDS[kind]
  return (
    <Menu icon={kind === 'history' ? 'history' : 'star'} label={label}>
      {close => (
        <>
          <h2>{label}</h2>
          {current.length === 0 ? (
            <p className="none">{none}</p>
          ) : (
            <ul className="saved">
              {current.map(({ url, title }) => (
                <li key={url}>
                  <button
                    type="button"
                    className="go"
                    onClick={() => {
                      close()
                      onGo(url)
                    }}
                  >
                    <Icon name={kind === 'history' ? 'search' : 'star'} />
                    <span>{visibleText(title)}</span>
                  </button>
                  <button
                    type="button"
                    className="tool small"
                    aria-label={`Remove ${visibleText(title)}`}
                    title="Remove"
                    onClick={() => list.remove(url)}
                  >
                    <Icon name="clear" />
                  </button>
                </li>
              ))}
            </ul>
          )}
          {current.length > 0 && (
            <button type="button" className="wide" onClick={() => list.clear()}>
              {clear}
            </button>
          )}
        </>
      )}
    </Menu>
  )
}
