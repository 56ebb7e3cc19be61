/** One short line for a message, for people who watch the traffic. Nothing in it can act on a terminal. */
import type { EntryColumns } from '@hotpath/model'
import { type Body, type BodyType, decodeEnvelope } from './envelope.js'
import type { HitColumns } from './messages/query.js'
import type { RowsPage, RowsPart } from './messages/rows.js'
import { groupsOf } from './rows/row-part.js'

const MAX_TEXT = 60
const MAX_ITEMS = 3
const MAX_LINE = 600
const MAX_DEPTH = 4

/** C0, DEL, C1, and what changes the direction of text or looks like nothing. */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffd]/g

function quote(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
  return JSON.stringify(cut).replace(UNSAFE, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Text where the bytes are UTF-8; other bytes show as \xNN. */
function quoteBytes(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, MAX_TEXT * 4))
  const text = head.toString()
  if (!text.includes('\ufffd')) return quote(text)
  let escaped = ''
  for (const byte of head.subarray(0, MAX_TEXT)) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
    escaped += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return `"${escaped}${bytes.byteLength > MAX_TEXT ? '…' : ''}"`
}

function someOf(offsets: Uint32Array, bytes: Uint8Array, count: number): string {
  const shown: string[] = []
  for (let i = 0; i < Math.min(count, MAX_ITEMS); i++)
    shown.push(quoteBytes(bytes.subarray(offsets[i]!, offsets[i + 1]!)))
  return `[${shown.join(', ')}${count > MAX_ITEMS ? ', …' : ''}]`
}

function describeRows(rows: EntryColumns | HitColumns): string {
  const columns = (['modified', 'changed', 'created', 'accessed', 'attributes', 'access', 'ref'] as const).filter(
    name => name in rows,
  )
  const extra = columns.length > 0 ? ` +${columns.join('+')}` : ''
  const items =
    'names' in rows
      ? someOf(rows.nameOffsets, rows.names, rows.count)
      : someOf(rows.pathOffsets, rows.paths, rows.count)
  return `${rows.count} rows ${items}${extra}`
}

function isRows(value: object): value is EntryColumns | HitColumns {
  return 'count' in value && ('nameOffsets' in value || 'pathOffsets' in value)
}

function describeValue(value: unknown, depth = 0): string {
  if (typeof value === 'string') return quote(value)
  if (value instanceof Uint8Array) return quoteBytes(value)
  if (value instanceof Uint32Array || value instanceof Float64Array) {
    const shown = [...value.subarray(0, MAX_ITEMS)].join(', ')
    return `${value.length}×[${shown}${value.length > MAX_ITEMS ? ', …' : ''}]`
  }
  if (Array.isArray(value)) {
    if (depth >= MAX_DEPTH) return `${value.length} items`
    const shown = value.slice(0, MAX_ITEMS).map(item => describeValue(item, depth + 1))
    return `${value.length}×[${shown.join(', ')}${value.length > MAX_ITEMS ? ', …' : ''}]`
  }
  if (typeof value !== 'object' || value === null) return String(value)
  if (isRows(value)) return describeRows(value)
  if (depth >= MAX_DEPTH) return '{…}'
  return `{${describeFields(value, depth + 1)}}`
}

function describeFields(value: object, depth = 0): string {
  return Object.entries(value)
    .filter(([, field]) => !isAtRest(field))
    .map(([name, field]) => `${name}=${describeValue(field, depth)}`)
    .join(' ')
}

/** Fields that say nothing are left out. */
function isAtRest(field: unknown): boolean {
  if (field === '' || field === 0 || field === false || field === undefined) return true
  if (Array.isArray(field) || field instanceof Uint8Array) return field.length === 0
  return false
}

/** How many changes of which tables; what is in the rows is nobody's business who only watches the traffic. */
function describeRowChanges({ changes, ...rest }: RowsPart | RowsPage): string {
  let groups = `${changes.byteLength} bytes`
  try {
    const counts = groupsOf(changes).map(({ table, count }) => `${quote(table)}×${count}`)
    groups += ` ${counts.slice(0, MAX_ITEMS).join(' ')}${counts.length > MAX_ITEMS ? ' …' : ''}`
  } catch {
    groups += ' that are no changes'
  }
  return `${describeFields(rest)} changes=${groups}`
}

/** Bodies whose content is bytes that mean nothing to people, or another message. */
const SPECIAL: { readonly [Key in BodyType]?: (body: Body) => string } = {
  rowsPart: body => (body.type === 'rowsPart' ? describeRowChanges(body.value) : ''),
  rowsPage: body => (body.type === 'rowsPage' ? describeRowChanges(body.value) : ''),
  fragment: body =>
    body.type === 'fragment'
      ? `index=${body.value.index} ${body.value.data.byteLength} of ${body.value.totalBytes} bytes`
      : '',
  tapCopy: body =>
    body.type === 'tapCopy'
      ? `${body.value.direction} ${quote(body.value.endpoint)} dropped=${body.value.dropped}: ${describeEnvelope(body.value.envelope)}`
      : '',
}

/** `#7 searchRequest 34 bytes from "…": text="report" limit=100`. Never throws: what cannot be read is said. */
export function describeEnvelope(bytes: Uint8Array): string {
  let line: string
  try {
    const { requestId, sender, deadlineMs, body } = decodeEnvelope(bytes)
    const content = SPECIAL[body.type]?.(body) ?? describeFields(body.value)
    const id = requestId === 0 ? '' : `#${requestId} `
    const deadline = deadlineMs === 0 ? '' : ` within ${Math.round(deadlineMs)} ms`
    line = `${id}${body.type} ${bytes.byteLength} bytes from ${quote(sender)}${deadline}${content ? `: ${content}` : ''}`
  } catch (error) {
    line = `unreadable, ${bytes.byteLength} bytes: ${quote(error instanceof Error ? error.message : 'garbage')}`
  }
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line
}
