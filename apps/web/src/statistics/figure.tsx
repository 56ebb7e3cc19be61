import type { ReactNode } from 'react'
import { visibleText } from '../text/visible-text.js'
import type { Answer } from './use-answer.js'

interface FigureProps {
  readonly id: string
  readonly title: string
  readonly note?: string
  readonly className?: string
  readonly children: ReactNode
  /** The same as a table, for whoever does not see the drawing. */
  readonly table?: DataTable
}

export interface DataTable {
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A drawing with its title, and the numbers behind it. */
export function Figure({ id, title, note, className = '', children, table }: FigureProps) {
  return (
    <section className={`card ${className}`} id={id} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {note !== undefined && <p>{note}</p>}
      </header>
      {children}
      {table !== undefined && (
        <details className="numbers">
          <summary>As a table</summary>
          <div className="table-box">
            <table>
              <thead>
                <tr>
                  {table.heads.map(head => (
                    <th key={head} scope="col">
                      {head}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {table.rows.map(([first, ...rest], row) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name
                  <tr key={row}>
                    <th scope="row">{visibleText(first ?? '')}</th>
                    {rest.map((cell, at) => (
                      <td key={table.heads[at + 1]}>{cell}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </section>
  )
}

/** What stands where an answer is not there. */
export function Missing({ answer, what }: { readonly answer: Answer<unknown>; readonly what: string }) {
  if (answer.state === 'waiting') return <div className="placeholder" aria-busy="true" />
  if (answer.state === 'unknown') return <p className="none">This gateway does not offer {what} (404).</p>
  return <p className="none">{answer.state === 'failed' ? visibleText(answer.message) : ''}</p>
}
