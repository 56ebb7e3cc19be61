import type { ChangesEvent, DeliveredChange, DeliveredKey, DeliveredValue } from '@hotpath/client'
import { eventJson, valueJson } from '@hotpath/protocol'
import { escapeForTerminal } from '@hotpath/service'
import { escapeJson } from './safe-json.js'

/** Units of a text that a person is shown, and bytes of a blob. */
const SHOWN_UNITS = 200
const SHOWN_BYTES = 16
const SIGNS = { insert: '+', update: '~', delete: '-' } as const

type Tables = Extract<ChangesEvent, { type: 'transaction' }>['tables']

/** One line of JSON. */
export function eventLine(event: ChangesEvent): string {
  return `${escapeJson(eventJson(event))}\n`
}

/** Lines for a person, escaped, and what is to be said beside them. */
export function eventLines(event: ChangesEvent): { readonly lines: readonly string[]; readonly remark?: string } {
  const { database } = event
  switch (event.type) {
    case 'state': {
      const why = event.reason === '' ? '' : `: ${event.reason}`
      return { lines: [], remark: `${database}: ${event.state}${why}` }
    }
    case 'reset':
      return { lines: [], ...(event.reason !== 'initial' && { remark: `${database}: ${RESETS[event.reason]}` }) }
    case 'rows':
      return { lines: event.rows.map(row => `${database} ${describe('=', row, event.tables)}\n`).map(escapeLine) }
    case 'transaction': {
      const at = clockTime(event.committed)
      const merged = event.merged ? ' (merged)' : ''
      const head = `${at} ${database}${merged}`
      return { lines: event.changes.map(change => escapeLine(`${head} ${describeChange(change, event.tables)}\n`)) }
    }
  }
}

const RESETS = {
  behind: 'changes came faster than they were read, and were missed; it goes on now',
  epoch: 'the log of changes began anew; what happened before is not known',
  damage: 'a part of the log of changes is damaged; it goes on now',
} as const

function describeChange(change: DeliveredChange, tables: Tables): string {
  return describe(SIGNS[change.operation], change, tables)
}

/** Sign, table, key, and the values: of an update those that differ. */
function describe(sign: string, { table, key, old, new: values }: DeliveredChange, tables: Tables): string {
  const described = tables.get(table)
  const columns = (values ?? old ?? []).map((_, i) => described?.columns[i] ?? `column ${i + 1}`)
  const shown = columns.flatMap((column, i) => {
    if (old === undefined || values === undefined) return [`${column}=${shownValue((values ?? old)![i]!)}`]
    const [before, after] = [old[i]!, values[i]!]
    return valueJson(before) === valueJson(after) ? [] : [`${column}=${shownValue(before)} → ${shownValue(after)}`]
  })
  return `${sign} ${table} ${shownKey(key)}${shown.length === 0 ? '' : `  ${shown.join(' ')}`}`
}

function shownKey(key: DeliveredKey): string {
  return typeof key === 'bigint' ? String(key) : `(${key.map(shownValue).join(', ')})`
}

function shownValue(value: DeliveredValue): string {
  if (typeof value === 'string')
    return value.length > SHOWN_UNITS ? `${JSON.stringify(value.slice(0, SHOWN_UNITS))}…` : JSON.stringify(value)
  if (typeof value === 'bigint') return String(value)
  if (value === null) return 'NULL'
  if (typeof value === 'number') return Number.isFinite(value) ? valueJson(value) : String(value)
  if (value instanceof Uint8Array) return shownBytes('x', value)
  if ('invalidText' in value) return shownBytes('invalid text x', value.invalidText)
  return `<${value.omitted} of ${value.bytes} bytes>`
}

function shownBytes(prefix: string, bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, SHOWN_BYTES)).toString('hex')
  return `${prefix}'${hex}'${bytes.length > SHOWN_BYTES ? `… (${bytes.length} bytes)` : ''}`
}

/** Local time of the day, with milliseconds. */
function clockTime(milliseconds: number): string {
  const date = new Date(milliseconds)
  const two = (value: number) => String(value).padStart(2, '0')
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`
}

/** All but the end of the line. */
function escapeLine(line: string): string {
  return `${escapeForTerminal(line.slice(0, -1))}\n`
}
