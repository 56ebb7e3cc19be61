/**
 * Changes of rows as JSON texts, exact (docs/http-api.md): what JSON numbers cannot hold, or texts cannot, is an object with one member.
 * Texts are put together here because a real stays a real: 1 is an integer, 1.0 is not, and JSON.stringify knows no difference.
 */
import type { FollowedTable } from '@hotpath/model'
import type { RowsEvent } from './row-events.js'
import { type DeliveredChange, type DeliveredKey, type DeliveredValue, isInvalidText } from './row-values.js'

const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER)

export function valueJson(value: DeliveredValue): string {
  if (value === null) return 'null'
  if (typeof value === 'bigint')
    return value <= MAX_EXACT && value >= -MAX_EXACT ? String(value) : `{"integer":"${value}"}`
  if (typeof value === 'number') return realJson(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return `{"blob":"${base64(value)}"}`
  if (isInvalidText(value)) return `{"text":"${base64(value.invalidText)}"}`
  return `{"omitted":"${value.omitted}","bytes":${value.bytes}}`
}

function realJson(value: number): string {
  if (!Number.isFinite(value)) return `{"real":"${value}"}`
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

/** The values of a row by the names of their columns; a value without a column has the number of its place. */
export function rowJson(columns: readonly string[], values: readonly DeliveredValue[]): string {
  const members = values.map((value, i) => `${JSON.stringify(columns[i] ?? `column ${i + 1}`)}:${valueJson(value)}`)
  return `{${members.join(',')}}`
}

/** A rowid as a number, the columns of a primary key as an object. */
export function keyJson(key: DeliveredKey, table: FollowedTable | undefined): string {
  return typeof key === 'bigint' ? valueJson(key) : rowJson(table?.primaryKey ?? [], key)
}

export function changeJson(change: DeliveredChange, table: FollowedTable | undefined): string {
  const { operation, key } = change
  const columns = table?.columns ?? []
  const old = change.old === undefined ? '' : `,"old":${rowJson(columns, change.old)}`
  const values = change.new === undefined ? '' : `,"new":${rowJson(columns, change.new)}`
  return `{"table":${JSON.stringify(change.table)},"operation":"${operation}","key":${keyJson(key, table)}${old}${values}}`
}

/** Milliseconds since 1970 as ISO 8601; null beyond what that can say. */
export function timeJson(milliseconds: number): string {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime()) ? 'null' : `"${date.toISOString()}"`
}

/** One JSON text without line breaks. */
export function eventJson(event: RowsEvent): string {
  if (event.type === 'error') {
    const { code, message } = event.error
    return JSON.stringify({ type: 'error', error: { code, message } })
  }
  const { type, database, cursor } = event
  const head = `{"type":"${type}","database":${JSON.stringify(database)},"cursor":${cursor ? `"${cursor}"` : 'null'}`
  switch (event.type) {
    case 'state':
      return `${head},"state":"${event.state}","reason":${JSON.stringify(event.reason)}}`
    case 'reset':
      return `${head},"reason":"${event.reason}"}`
    case 'rows': {
      const { rows, tables, more } = event
      const list = rows.map(({ table, key, new: values = [] }) => {
        const described = tables.get(table)
        const row = rowJson(described?.columns ?? [], values)
        return `{"table":${JSON.stringify(table)},"key":${keyJson(key, described)},"values":${row}}`
      })
      return `${head},"rows":[${list.join(',')}],"more":${more}}`
    }
    case 'transaction': {
      const { sequence, committed, method, merged, changes, tables, more } = event
      const facts = `"sequence":${sequence},"time":${timeJson(committed)},"method":"${method}","merged":${merged}`
      const list = changes.map(change => changeJson(change, tables.get(change.table)))
      return `${head},${facts},"changes":[${list.join(',')}],"more":${more}}`
    }
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
