import { useEffect, useState } from 'react'
import type { ResultList } from '../search/result-list.js'
import type { RowList } from '../search/row-list.js'
import { isFiltered } from '../state/filters.js'
import type { SearchState } from '../state/page-state.js'
import { useStore } from '../state/store.js'
import { counted, formatCount, formatResults } from '../text/format.js'
import type { Messages } from '../ui/messages.js'

/** Numbers are said when they have stood for so long. */
const SAY_MS = 700

/** What stands where there is no hit. */
export function EmptyNote({ list, state }: { readonly list: ResultList; readonly state: SearchState }) {
  useStore(list)
  if (list.head === undefined || list.rows > 0 || list.isSearching) return null
  const isNarrow = isFiltered(state.filters) || state.under !== undefined
  return (
    <div id="empty" className="empty">
      <h2>Nothing matches</h2>
      <p>
        {isNarrow ? 'Filters narrow this search; without them there may be more.' : 'Fewer or shorter words find more.'}
      </p>
    </div>
  )
}

export function Toast({ messages }: { readonly messages: Messages }) {
  const { text } = useStore(messages)
  return (
    <p id="toast" className="toast" role="status" data-shown={text !== ''}>
      {text}
    </p>
  )
}

/** For screen readers: how many hits there are, once that stands still. */
export function Announcer({ list, found }: { readonly list: ResultList; readonly found: RowList }) {
  const { head } = useStore(list)
  const { total: rows } = useStore(found)
  const fuzzy = head?.fuzzyTotal ?? 0
  const parts =
    head === undefined
      ? []
      : [
          formatResults(head.total),
          fuzzy > 0 ? `${formatCount(fuzzy)} similar` : '',
          rows > 0 ? `${counted(rows, 'row')} of databases` : '',
        ]
  const text = parts.filter(part => part !== '').join(', ')
  const [said, setSaid] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), SAY_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <p id="announcer" className="unseen" role="status">
      {said}
    </p>
  )
}
