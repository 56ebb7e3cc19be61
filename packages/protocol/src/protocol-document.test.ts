/** Pins docs/formats/protocol.md to the .proto files, the limits and the bytes that are really sent. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { EntryColumns, RefColumn, TimeColumn } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { SOCKET_NAMES } from './endpoints.js'
import { BODY_TYPES, type Body, encodeEnvelope, REPLY_TYPES } from './envelope.js'
import * as limits from './limits.js'
import type { HitColumns } from './messages/query.js'
import { wire } from './wire.js'

const base = new URL('../../../', import.meta.url)
const document = readFileSync(new URL('docs/formats/protocol.md', base), 'utf8')
const protoDirectory = new URL('proto/hotpath/v1/', base)
const protos = readdirSync(fileURLToPath(protoDirectory))
  .map(name => readFileSync(new URL(name, protoDirectory), 'utf8'))
  .join('\n')

/** Rows of the table whose first header cells are these; cells without backticks. */
function table(...headers: string[]): string[][] {
  const lines = document.split('\n')
  const start = lines.findIndex(line => line.startsWith(`| ${headers.join(' | ')} `))
  if (start < 0) throw new Error(`no table with ${headers.join(', ')}`)
  const rows: string[][] = []
  for (let i = start + 2; lines[i]?.startsWith('|'); i++) {
    const cells = lines[i]!.split('|').slice(1, -1)
    rows.push(cells.map(cell => cell.trim().replaceAll('`', '')))
  }
  return rows
}

/** Fields of a message as `.proto` text has them: name, number, and the comment before. */
function fieldsOf(message: string): { name: string; number: number; comment: string }[] {
  const body = new RegExp(`^message ${message} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(protos)?.[1]
  if (body === undefined) throw new Error(`no message ${message}`)
  const fields: { name: string; number: number; comment: string }[] = []
  let comment = ''
  for (const line of body.split('\n')) {
    const text = /^ *\/\/ (.*)$/.exec(line)?.[1]
    const field = /^ *(?:optional |repeated )?[\w.]+ (\w+) = (\d+);/.exec(line)
    if (text !== undefined) comment += ` ${text}`
    if (field) fields.push({ name: field[1]!, number: Number(field[2]), comment: comment.trim() })
    if (text === undefined) comment = ''
  }
  return fields
}

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

describe('the document', () => {
  it('lists every body with its number, and the fields of the envelope', () => {
    const fields = fieldsOf('Envelope').map(({ name, number }) => [String(number), camel(name)])
    const head = table('number', 'field').map(([number, name]) => [number, camel(name!)])
    const bodies = table('number', 'body').map(([number, name]) => [number, name])
    expect([...head, ...bodies]).toEqual(fields)
    expect(bodies.map(([, name]) => name).sort()).toEqual([...BODY_TYPES].sort())
  })

  it('says which reply answers which request', () => {
    const answered = table('number', 'body')
      .filter(([, body, , answer]) => answer !== '' && body !== 'hello')
      .map(([, body, , answer]) => [body, answer])
    expect(Object.fromEntries(answered)).toEqual(REPLY_TYPES)
  })

  it('lists every socket', () => {
    expect(table('socket', 'kind').map(([name]) => name)).toEqual([...SOCKET_NAMES])
  })

  it('lists every bound with its value', () => {
    const listed = table('name', 'value').map(([name, value]) => [name!, Number(value!.replaceAll(',', ''))])
    expect(listed).toEqual(Object.entries(limits))
  })

  it('lists every column that a .proto file describes', () => {
    const messages = [...protos.matchAll(/^message (\w+) \{$/gm)].map(([, name]) => name!)
    const described = messages.flatMap(message =>
      fieldsOf(message).flatMap(({ name, comment }) => {
        const type = /^(u8|u32|f64)\b/.exec(comment)?.[1] ?? /^(24 bytes) per row/.exec(comment)?.[1]
        return type ? [`${message}.${name} ${type}`] : []
      }),
    )
    const listed = table('message', 'column').map(([message, column, type]) => `${message}.${column} ${type}`)
    expect(listed.sort()).toEqual(described.sort())
  })
})

const ROWS = 3
const WIDTHS: Readonly<Record<string, number>> = { u8: 1, u32: 4, f64: 8, '24 bytes': 24 }

const times: TimeColumn = { seconds: new Float64Array(ROWS), ticks: new Uint32Array(ROWS) }
const refs: RefColumn = { low: new Uint32Array(ROWS), high: new Uint32Array(ROWS), birth: new Uint32Array(ROWS) }
const offsets = new Uint32Array(ROWS + 1)
const entries: EntryColumns = {
  count: ROWS,
  parent: new Uint32Array(ROWS),
  directory: new Uint32Array(ROWS),
  kind: new Uint8Array(ROWS),
  nameOffsets: offsets,
  names: new Uint8Array(0),
  size: new Float64Array(ROWS),
  modified: times,
  attributes: new Uint32Array(ROWS),
  ref: refs,
  access: { mode: new Uint32Array(ROWS), user: new Uint32Array(ROWS), group: new Uint32Array(ROWS) },
}

function sent(body: Body) {
  return wire.Envelope.decode(encodeEnvelope({ requestId: 0, sender: '', deadlineMs: 0, body }))
}

describe('columns as they are sent', () => {
  const batch = sent({
    type: 'entryBatch',
    value: {
      epoch: 1,
      sequence: 1,
      entries,
      listedDirectory: new Uint32Array(ROWS),
      listedObserved: new Float64Array(ROWS),
    },
  }).entryBatch
  const change = sent({
    type: 'changeBatch',
    value: {
      root: 'r',
      source: 's',
      sequence: 1,
      bootId: 'b',
      changes: { op: new Uint8Array(ROWS), parentRef: refs, entries, observed: new Float64Array(ROWS) },
    },
  }).changeBatch
  const command = sent({
    type: 'listCommand',
    value: { root: 'r', pathOffsets: offsets, paths: new Uint8Array(0), refs },
  }).listCommand
  const reply = sent({
    type: 'searchReply',
    value: {
      total: ROWS,
      fuzzyTotal: Number.NaN,
      clock: '',
      fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
      partial: false,
      tookMs: 0,
      explain: '',
      rows: {
        count: ROWS,
        ids: new Uint8Array(ROWS * 24),
        pathOffsets: offsets,
        paths: new Uint8Array(0),
        nameStart: new Uint32Array(ROWS),
        kind: new Uint8Array(ROWS),
        size: new Float64Array(ROWS),
        hot: new Float64Array(ROWS),
        opens: new Uint32Array(ROWS),
        opened: new Float64Array(ROWS),
        rank: {
          nearness: new Uint8Array(ROWS),
          allTerms: new Uint8Array(ROWS),
          place: new Uint8Array(ROWS),
          characters: new Uint32Array(ROWS),
          depth: new Uint32Array(ROWS),
        },
      },
    },
  }).searchReply
  const opens = sent({
    type: 'openBatch',
    value: {
      count: ROWS,
      ids: new Uint8Array(ROWS * 24),
      pathOffsets: offsets,
      paths: new Uint8Array(0),
      opened: new Float64Array(ROWS),
    },
  }).openBatch
  const hits: HitColumns = {
    count: ROWS,
    ids: new Uint8Array(ROWS * 24),
    pathOffsets: offsets,
    paths: new Uint8Array(0),
    nameStart: new Uint32Array(ROWS),
    kind: new Uint8Array(ROWS),
    size: new Float64Array(ROWS),
  }
  const live = sent({
    type: 'liveChange',
    value: {
      live: 1,
      total: ROWS,
      fuzzyTotal: Number.NaN,
      clock: '',
      fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
      partial: false,
      removed: new Uint8Array(ROWS * 24),
      changed: hits,
      changedAt: Uint32Array.of(0, 2, 4),
      added: hits,
      addedAt: Uint32Array.of(1, 3, 5),
    },
  }).liveChange
  const check = sent({
    type: 'checkBatch',
    value: {
      check: 1,
      sequence: 1,
      refs,
      modified: times,
      changed: times,
      observed: new Float64Array(ROWS),
      children: new Uint32Array(ROWS),
      digestLow: new Uint32Array(ROWS),
      digestHigh: new Uint32Array(ROWS),
      pathOffsets: offsets,
      paths: new Uint8Array(0),
    },
  }).checkBatch
  const messages: Readonly<Record<string, unknown>> = {
    TimeColumn: batch?.entries?.modified,
    RefColumn: batch?.entries?.ref,
    AccessColumn: batch?.entries?.access,
    EntryColumns: batch?.entries,
    EntryBatch: batch,
    ChangeBatch: change,
    ListCommand: command,
    CheckBatch: check,
    HitColumns: reply?.rows,
    RankColumns: reply?.rows?.rank,
    OpenBatch: opens,
    LiveChange: live,
  }
  for (const [message, column, type, values] of table('message', 'column')) {
    it(`${message}.${column}`, () => {
      const found = Object.entries(messages[message!] ?? {}).find(([name]) => name === camel(column!))?.[1]
      const count = values === 'rows + 1' ? ROWS + 1 : ROWS
      expect(found).toBeInstanceOf(Uint8Array)
      expect((found as Uint8Array).byteLength).toBe(count * WIDTHS[type!]!)
    })
  }
})
