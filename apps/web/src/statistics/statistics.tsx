import type { BrowserClient, EntryType, StatisticsReply } from '@hotpath/client/browser'
import { useState } from 'react'
import type { HitCommands } from '../app/commands.js'
import type { IndexStatus } from '../app/index-status.js'
import type { PathRef } from '../state/path-ref.js'
import { useStore } from '../state/store.js'
import { counted, formatCount, formatShortCount, formatSize } from '../text/format.js'
import { DatabaseTable } from './database-table.js'
import { Figure, Missing } from './figure.js'
import { IndexTables } from './index-tables.js'
import { Bars, Line, ShareList } from './plots.js'
import { SizesByFolder } from './treemap.js'
import { type Answer, useAnswer } from './use-answer.js'

const AGAIN_MS = 10_000

interface StatisticsProps {
  readonly client: Pick<BrowserClient, 'statistics' | 'sizes' | 'databases'>
  readonly index: IndexStatus
  readonly commands: HitCommands
  readonly sizes: PathRef | undefined
  readonly onSizes: (under: PathRef | undefined) => void
  readonly onSearch: (under: PathRef) => void
}

/** What is in the index, and how it does. */
export function Statistics({ client, index, commands, sizes, onSizes, onSearch }: StatisticsProps) {
  const answer = useAnswer('', signal => client.statistics({ signal }), AGAIN_MS)
  const { status } = useStore(index)
  return (
    <main className="statistics" id="statistics" aria-label="Statistics">
      <div className="statistics-body">
        <Tiles status={status} answer={answer} />
        {answer.state === 'there' ? (
          <Plots statistics={answer.value} />
        ) : (
          <Figure id="types" title="Statistics of the index" className="wide">
            <Missing answer={answer} what="statistics" />
          </Figure>
        )}
        <SizesByFolder client={client} under={sizes} onUnder={onSizes} onSearch={onSearch} />
        <DatabaseTable client={client} />
        {status !== undefined && <IndexTables status={status} commands={commands} />}
      </div>
    </main>
  )
}

function Tiles({
  status,
  answer,
}: {
  readonly status: IndexStatus['status']
  readonly answer: Answer<StatisticsReply>
}) {
  const sum = (of: (root: NonNullable<IndexStatus['status']>['roots'][number]) => number) =>
    status?.roots.reduce((total, root) => total + of(root), 0) ?? 0
  const bytes = sum(root => root.indexBytes)
  const statistics = answer.state === 'there' ? answer.value : undefined
  const content = statistics?.types.reduce((total, { size }) => total + size, 0)
  const changes = statistics?.changesPerMinute.reduce((total, count) => total + count, 0)
  const entries = status?.entries ?? 0
  const tiles: readonly (readonly [string, string, string])[] = [
    ['Entries', formatCount(entries), `${formatCount(sum(root => root.directories))} folders`],
    ['Contents', content === undefined ? '–' : formatSize(content), 'size of all files'],
    ['Index', formatSize(bytes), entries === 0 ? '' : `${(bytes / entries).toFixed(1)} bytes an entry`],
    ['Segments', formatCount(sum(root => root.segments)), `${formatCount(sum(root => root.deltaRows))} rows in memory`],
    ['Changes', changes === undefined ? '–' : formatCount(changes), 'in the last hour'],
  ]
  return (
    <dl className="tiles">
      {tiles.map(([label, value, note]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
          <dd className="note">{note}</dd>
        </div>
      ))}
    </dl>
  )
}

const TYPE_LABELS: Readonly<Record<EntryType, string>> = {
  audio: 'Audio',
  video: 'Video',
  picture: 'Pictures',
  document: 'Documents',
  code: 'Code',
  archive: 'Archives',
  executable: 'Programs',
  folder: 'Folders',
  other: 'Other',
}

function Plots({ statistics }: { readonly statistics: StatisticsReply }) {
  return (
    <>
      <Types types={statistics.types} />
      <Sections sections={statistics.sections} />
      <Latency latency={statistics.latency} />
      <Changes perMinute={statistics.changesPerMinute} />
    </>
  )
}

function Types({ types }: Pick<StatisticsReply, 'types'>) {
  const [by, setBy] = useState<'count' | 'size'>('count')
  const sorted = [...types].filter(type => type.count > 0).sort((a, b) => b[by] - a[by])
  return (
    <Figure
      id="types"
      title="Entries by type"
      table={{
        heads: ['Type', 'Entries', 'Size'],
        rows: sorted.map(({ type, count, size }) => [TYPE_LABELS[type] ?? type, formatCount(count), formatSize(size)]),
      }}
    >
      <fieldset className="segmented" aria-label="Measure">
        {(['count', 'size'] as const).map(one => (
          <button key={one} type="button" aria-pressed={by === one} onClick={() => setBy(one)}>
            {one === 'count' ? 'Entries' : 'Size'}
          </button>
        ))}
      </fieldset>
      <ShareList
        shares={sorted.map(type => ({
          id: type.type,
          label: TYPE_LABELS[type.type] ?? type.type,
          value: type[by],
          text: by === 'count' ? formatCount(type.count) : formatSize(type.size),
          className: `type-${type.type}`,
        }))}
      />
    </Figure>
  )
}

function Sections({ sections }: Pick<StatisticsReply, 'sections'>) {
  const sorted = [...sections].filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes)
  const total = sorted.reduce((sum, { bytes }) => sum + bytes, 0)
  const groups = new Map<string, number>()
  for (const { group, bytes } of sorted) groups.set(group, (groups.get(group) ?? 0) + bytes)
  const shares = [...groups]
    .sort(([, a], [, b]) => b - a)
    .map(([group, bytes]) => ({ id: group, label: capital(group), value: bytes, text: formatSize(bytes) }))
  return (
    <Figure
      id="sections"
      title="What the index consists of"
      note={`${formatSize(total)} in ${counted(sorted.length, 'section')} of segments, summed by what they are for`}
      table={{
        heads: ['Section', 'For', 'Tag', 'Size', 'Share'],
        rows: sorted.map(({ section, name, group, bytes }) => [
          capital(name),
          group,
          section,
          formatSize(bytes),
          `${((bytes / total) * 100).toFixed(1)} %`,
        ]),
      }}
    >
      <ShareList shares={shares} />
    </Figure>
  )
}

/** Names and groups are lower case, as in a sentence. */
function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

function Latency({ latency }: Pick<StatisticsReply, 'latency'>) {
  const { boundsMs, counts } = latency
  const total = counts.reduce((sum, count) => sum + count, 0)
  const rangeOf = (at: number) => {
    if (at === boundsMs.length) return `over ${boundsMs.at(-1)} ms`
    return at === 0 ? `up to ${boundsMs[0]} ms` : `${boundsMs[at - 1]} to ${boundsMs[at]} ms`
  }
  const every = Math.max(1, Math.ceil(counts.length / 8))
  return (
    <Figure
      id="latency"
      title="How long searches took"
      note={`${formatCount(total)} ${total === 1 ? 'search' : 'searches'}, milliseconds in the engine`}
      table={{ heads: ['Time', 'Searches'], rows: counts.map((count, at) => [rangeOf(at), formatCount(count)]) }}
    >
      <Bars
        label={`Histogram of ${formatCount(total)} searches by time`}
        values={counts}
        names={counts.map((_, at) => (at % every !== 0 ? '' : at === boundsMs.length ? '∞' : `≤${boundsMs[at]}`))}
        titleOf={at => `${rangeOf(at)}: ${formatCount(counts[at]!)}`}
      />
    </Figure>
  )
}

function Changes({ perMinute }: { readonly perMinute: readonly number[] }) {
  const total = perMinute.reduce((sum, count) => sum + count, 0)
  return (
    <Figure
      id="changes"
      title="Changes per minute"
      note={`${formatCount(total)} in the last ${perMinute.length} minutes, ${formatShortCount(Math.max(0, ...perMinute))} at most in one`}
      table={{
        heads: ['Minutes ago', 'Changes'],
        rows: perMinute.map((count, at) => [String(perMinute.length - at), formatCount(count)]),
      }}
    >
      <Line
        label={`Changes in each of the last ${perMinute.length} minutes, ${formatCount(total)} in all`}
        values={perMinute}
        names={[`${perMinute.length} min ago`, `${Math.round(perMinute.length / 2)}`, 'now']}
      />
    </Figure>
  )
}
