import type { BrowserClient, DatabaseReply } from '@hotpath/client/browser'
import { useRef } from 'react'
import { formatCount, formatSize } from '../text/format.js'
import { PlainText } from '../text/plain-text.js'
import { visibleText } from '../text/visible-text.js'
import { Figure } from './figure.js'
import { useAnswer } from './use-answer.js'

const AGAIN_MS = 5_000

/** Followed databases, and how they are. Nothing where none is followed. */
export function DatabaseTable({ client }: { readonly client: Pick<BrowserClient, 'databases'> }) {
  const answer = useAnswer('', signal => client.databases({ signal }), AGAIN_MS)
  const known = useRef<readonly DatabaseReply[]>([])
  if (answer.state === 'there') known.current = answer.value
  const databases = known.current
  if (databases.length === 0) return null
  return (
    <Figure id="databases" title="Followed databases" className="wide">
      {answer.state === 'failed' && <p className="none">{visibleText(answer.message)}</p>}
      <div className="table-box">
        <table>
          <thead>
            <tr>
              <th scope="col">Database</th>
              <th scope="col">State</th>
              <th scope="col">Followed by</th>
              <th scope="col">Behind</th>
              <th scope="col">Readers</th>
              <th scope="col">Log</th>
            </tr>
          </thead>
          <tbody>
            {databases.map(database => (
              <tr key={database.name}>
                <th scope="row" title={visibleText(database.path)}>
                  <PlainText text={database.name} />
                  {database.reason !== '' && (
                    <p className="reason">
                      <PlainText text={database.reason} />
                    </p>
                  )}
                </th>
                <td className="text-cell">
                  <span className={IS_WELL.includes(database.state) ? 'pill' : 'pill bad'} data-state={database.state}>
                    {database.state}
                  </span>
                </td>
                <td className="text-cell">{database.method === '' ? '–' : <PlainText text={database.method} />}</td>
                <td>{formatLag(database.lagMs)}</td>
                <td>{formatCount(database.subscribers)}</td>
                <td>{formatSize(database.logBytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Figure>
  )
}

const IS_WELL: readonly DatabaseReply['state'][] = ['live', 'catching-up']

/** `0 ms`, `950 ms`, `12.3 s`. */
function formatLag(lagMs: number): string {
  return lagMs < 1_000 ? `${Math.round(lagMs)} ms` : `${(lagMs / 1_000).toFixed(1)} s`
}
