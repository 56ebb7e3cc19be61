import type { FoundRow, FoundRows } from '@hotpath/client'
import { valueJson } from '@hotpath/protocol'
import { escapeForTerminal } from '@hotpath/service'
import { escapeJson } from './safe-json.js'

/** A row as a line of text: what separates lines and columns is a space. */
export function rowLine(row: FoundRow, isColoured: boolean): string {
  const { database, table, snippet, matched, isCut } = row
  const place = escapeForTerminal(`${database}/${table} ${keyText(row)}`)
  let text = ''
  let at = 0
  const add = (to: number) => {
    text += escapeForTerminal(snippet.slice(at, to).replace(/\s+/g, ' '))
    at = to
  }
  for (const { from, to } of isColoured ? matched : []) {
    add(from)
    text += MARK
    add(to)
    text += UNMARK
  }
  add(snippet.length)
  return `${isColoured ? `${DIM}${place}${UNMARK}` : place}: ${isCut.start ? '…' : ''}${text}${isCut.end ? '…' : ''}\n`
}

const DIM = '\u001b[2m'
const MARK = '\u001b[1;31m'
const UNMARK = '\u001b[0m'

/** Rows as lines of text. */
export function rowLines(isColoured: boolean): (found: FoundRows) => string {
  return ({ rows }) => rows.map(row => rowLine(row, isColoured)).join('')
}

/** A row as the HTTP interface writes it. */
export function rowJson({ database, table, snippet, matched, isCut, ...row }: FoundRow): string {
  const spans = matched.map(({ from, to }) => [from, to - from])
  const place = `"database":${JSON.stringify(database)},"table":${JSON.stringify(table)},"key":${keyText(row)}`
  const text = `"snippet":${JSON.stringify(snippet)},"matched":${JSON.stringify(spans)},"cut":[${isCut.start},${isCut.end}]`
  return escapeJson(`{${place},${text}}`)
}

/** `total` and `rows` of found rows, as members of an object. */
export function rowMembers({ total, rows }: FoundRows): string {
  return `"rowTotal":${total},"rows":[${rows.map(row => `\n${rowJson(row)}`).join(',')}${rows.length === 0 ? '' : '\n'}]`
}

function keyText({ key }: Pick<FoundRow, 'key'>): string {
  return typeof key === 'bigint' ? valueJson(key) : `[${key.map(valueJson).join(',')}]`
}
