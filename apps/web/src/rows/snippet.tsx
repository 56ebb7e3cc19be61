import type { FoundRowReply } from '@hotpath/client/browser'
import { Fragment } from 'react'
import { MarkedText } from '../text/plain-text.js'

type SnippetOf = Pick<FoundRowReply, 'snippet' | 'matched' | 'cut'>

/** The text of a row with what was found. Line feeds, which also stand between columns, begin a line, or are a sign where there is one line. */
export function Snippet({ row, inLine = false }: { readonly row: SnippetOf; readonly inLine?: boolean }) {
  const { snippet, matched, cut } = row
  let start = 0
  return (
    <>
      {cut[0] && <Cut />}
      {snippet.split('\n').map(line => {
        const from = start
        start += line.length + 1
        const spans = matched.map(([at, length]) => clipped(at - from, length))
        return (
          <Fragment key={from}>
            {from > 0 && (inLine ? <LineSign /> : <br />)}
            <MarkedText text={line} spans={spans} />
          </Fragment>
        )
      })}
      {cut[1] && <Cut />}
    </>
  )
}

/** What of a span does not stand before the line. */
function clipped(at: number, length: number): readonly [number, number] {
  return at < 0 ? [0, Math.max(0, at + length)] : [at, length]
}

function Cut() {
  return <span className="cut">…</span>
}

function LineSign() {
  return (
    <span className="cut" title="line feed">
      {' ↵ '}
    </span>
  )
}
