import type { IndexStatus } from '../app/index-status.js'
import type { ResultList } from '../search/result-list.js'
import type { RowList } from '../search/row-list.js'
import { useStore } from '../state/store.js'
import { counted, describeDelay, formatCount, formatResults, formatTook } from '../text/format.js'
import { visibleText } from '../text/visible-text.js'

const STATES = {
  live: { text: 'live', title: 'Changes are followed as they happen.' },
  'catching-up': { text: 'catching up', title: 'What happened while nobody watched is not all in yet.' },
  repairing: {
    text: 'repairing',
    title: 'Events were lost or a part was damaged; what that can have hit is read again.',
  },
  unwatched: { text: 'unwatched', title: 'Nothing follows changes of this index.' },
  away: { text: 'no connection', title: 'The index does not answer. What is shown may be old.' },
} as const

interface BarProps {
  readonly list: ResultList
  readonly found: RowList
  readonly index: IndexStatus
}

/** The last line: how many, how fast, how true. */
export function StatusBar({ list, found, index }: BarProps) {
  useStore(list)
  const { total: rows } = useStore(found)
  const { status, isAway } = useStore(index)
  const fresh = status?.fresh
  const state = isAway || list.isAway ? 'away' : (fresh?.state ?? list.head?.fresh.state ?? 'away')
  const isPartial = status?.partial ?? list.head?.partial ?? false
  const fuzzy = list.head?.fuzzyTotal ?? 0
  return (
    <footer>
      <span id="total">{list.head === undefined ? '' : formatResults(list.head.total)}</span>
      {fuzzy > 0 && (
        <span id="fuzzy-total" title="Found although something is spelled otherwise; they follow the others.">
          + {formatCount(fuzzy)} similar
        </span>
      )}
      {rows > 0 && (
        <span id="row-total" title="Rows of followed databases">
          {counted(rows, 'row')}
        </span>
      )}
      <span id="took" title="Time in the engine">
        {Number.isNaN(list.tookMs) ? '' : formatTook(list.tookMs)}
      </span>
      {list.isSlow && (
        <span id="slow" className="pill busy" title="These rows take the index long; they are asked for again.">
          rows take long
        </span>
      )}
      {status !== undefined && <ScanProgress index={index} />}
      <span className="gap" />
      {status !== undefined && status.storage.state !== 'writable' && (
        <span className="pill bad" title={visibleText(status.storage.reason)}>
          disk {status.storage.state}
        </span>
      )}
      <span
        id="partial"
        className="pill busy"
        title="A part of the index is missing: the total counts what is there."
        hidden={!isPartial}
      >
        partial
      </span>
      <span
        id="fresh"
        className="pill"
        data-state={state}
        title={STATES[state].title + (fresh === undefined ? '' : describeDelay(fresh))}
      >
        {STATES[state].text}
      </span>
      <span id="indexed">{status === undefined ? '' : `${formatCount(status.entries)} indexed`}</span>
    </footer>
  )
}

function ScanProgress({ index }: { readonly index: IndexStatus }) {
  const { scan } = index
  if (scan === undefined) return null
  const { entries, expected, perSecond } = scan
  const of = expected === undefined ? '' : ` of ${formatCount(expected)}`
  const rate = perSecond > 0 ? ` · ${formatCount(Math.round(perSecond))}/s` : ''
  return (
    <span id="scan" className="scan">
      <progress
        aria-labelledby="scan-text"
        max={expected === undefined ? undefined : Math.max(expected, entries, 1)}
        value={expected === undefined ? undefined : entries}
      />
      <span id="scan-text" title={visibleText(scan.current)}>
        Indexing: {formatCount(entries)}
        {of} entries{rate}
        {timeLeft(entries, expected, perSecond)}
      </span>
    </span>
  )
}

function timeLeft(entries: number, expected: number | undefined, perSecond: number): string {
  if (expected === undefined || perSecond <= 0 || expected <= entries) return ''
  const seconds = Math.ceil((expected - entries) / perSecond)
  return seconds < 90 ? ` · ${seconds} s left` : ` · ${Math.ceil(seconds / 60)} min left`
}
