import type { BrowserClient, HitRank, MarkedHit, MarkedResult } from '@hotpath/client/browser'
import { useState } from 'react'
import { isAbort } from '../search/result-pages.js'
import { requestOf } from '../search/search-request.js'
import type { SearchState } from '../state/page-state.js'
import { counted, formatCount, formatTook } from '../text/format.js'

interface RankProps {
  readonly client: Pick<BrowserClient, 'search'>
  readonly hit: MarkedHit
  readonly row: number
  readonly search: SearchState
}

type Answer = { readonly result?: MarkedResult; readonly failure?: string }

/** Why a hit stands where it stands, and how the query ran: asked for when somebody wants to know. One for each hit and search. */
export function RankExplanation({ client, hit, row, search }: RankProps) {
  const [answer, setAnswer] = useState<Answer>()
  const ask = async () => {
    try {
      const result = await client.search({ ...requestOf(search), offset: row, limit: 1, explain: true })
      setAnswer({ result })
    } catch (error) {
      if (!isAbort(error)) setAnswer({ failure: error instanceof Error ? error.message : String(error) })
    }
  }
  return (
    <details
      className="why"
      onToggle={event => {
        if (event.currentTarget.open && answer === undefined) void ask()
      }}
    >
      <summary>Why is it here?</summary>
      {answer?.failure !== undefined && <p className="none">{answer.failure}</p>}
      {answer?.result !== undefined && <Explanation result={answer.result} hit={hit} row={row} search={search} />}
    </details>
  )
}

function Explanation({ result, hit, row, search }: { readonly result: MarkedResult } & Omit<RankProps, 'client'>) {
  const explained = result.hits[0]?.id === hit.id ? result.hits[0] : undefined
  return (
    <>
      <p>
        Row {formatCount(row + 1)} of {formatCount(result.total + (result.fuzzyTotal ?? 0))}, {orderText(search)}.
      </p>
      {explained?.rank !== undefined && <RankTable rank={explained.rank} />}
      <RunFacts result={result} />
    </>
  )
}

function orderText({ sort, descending }: SearchState): string {
  if (sort === 'hot')
    return descending ? 'coldest first' : 'hottest first, then by relevance as below, from top to bottom'
  return `by ${sort === 'ext' ? 'extension' : sort}${descending ? ', descending' : ''}`
}

const PLACES = {
  whole: 'as the whole name',
  start: 'at the start of the name',
  part: 'at the start of a part of the name',
  inside: 'inside a word of the name',
} as const

function RankTable({ rank }: { readonly rank: HitRank }) {
  const rows: [string, string][] = [
    ['Heat', rank.hot > 0 ? rank.hot.toFixed(4) : '0, never opened'],
    ...(rank.place === null
      ? ([['Terms', 'none that a name can hold: newest first']] as [string, string][])
      : ([
          ['Spelling', rank.nearness === 0 ? 'as typed' : `differs (distance ${rank.nearness})`],
          ['Terms', rank.allTerms ? 'all in the name' : 'not all in the name'],
          ['Best place', PLACES[rank.place]],
          ['Name length', counted(rank.characters, 'character')],
          ['Depth', counted(rank.depth, 'component')],
        ] as [string, string][])),
  ]
  return (
    <ol className="rank">
      {rows.map(([label, value]) => (
        <li key={label}>
          <span>{label}</span>
          <span>{value}</span>
        </li>
      ))}
    </ol>
  )
}

interface Run {
  readonly segments?: number
  readonly namesMatched?: number
  readonly blocksVerified?: number
}

/** How the query ran, as far as the engine says it. */
function RunFacts({ result }: { readonly result: MarkedResult }) {
  const run = (typeof result.explanation === 'object' ? result.explanation : null) as Run | null
  const facts = [
    formatTook(result.tookMs),
    run?.segments === undefined ? '' : counted(run.segments, 'segment'),
    run?.blocksVerified === undefined ? '' : `${counted(run.blocksVerified, 'block')} of names read`,
    run?.namesMatched === undefined ? '' : `${counted(run.namesMatched, 'name')} matched`,
  ]
  return <p className="none">{facts.filter(fact => fact !== '').join(' · ')}</p>
}
