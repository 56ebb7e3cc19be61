import { readFileSync } from 'node:fs'
import {
  type DatabaseInfo,
  eventJson,
  ROWS_RESET_REASONS,
  type RowsEvent,
  type RowsTransactionEvent,
} from '@hotpath/protocol'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { MAX_QUERIES, MAX_QUERIES_PER_CONSUMER } from '../live/live-hub.js'
import { parseCommand } from '../live/live-json.js'
import { RESYNC_REASONS } from '../live/live-message.js'
import { MIN_PAUSE_MS, PAUSE_PER_COST } from '../live/live-query.js'
import { MAX_COMMAND_BYTES, MAX_SOCKETS } from '../live/live-sockets.js'
import { PARAMETERS } from '../rows/changes-params.js'
import { FRESH_STATES, MATCH_MODES, SORT_KEYS, STORAGE_STATES } from '../search-backend.js'
import { FakeBackend, unavailable } from '../testing/fake-backend.js'
import { rawRequest, startTestGateway } from '../testing/test-gateway.js'
import { MAX_CONCURRENT_REQUESTS } from './app.js'
import { databasesReply } from './databases-reply.js'
import { MAX_STREAMS } from './event-hub.js'
import type { PageEvent } from './event-mailbox.js'
import { MAX_BODY_BYTES } from './json-body.js'
import { MAX_TARGET_LENGTH } from './limits.js'
import { DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, SEARCH_PARAMETERS } from './search-params.js'

/** As the engine names them. */
const ENTRY_TYPES = ['audio', 'video', 'picture', 'document', 'code', 'archive', 'executable', 'folder', 'other']

const text = readFileSync(new URL('../../../../docs/http-api.md', import.meta.url), 'utf8')
const section = (title: string) => text.split('\n## ').find(part => part.startsWith(title)) ?? ''
const firstCells = (part: string) => [...part.matchAll(/^\| `([^|]+)` \|/gm)].map(([, cell]) => cell)

/** The document is what people write programs by: it must not drift from the code. */
describe('docs/http-api.md', () => {
  it('lists the parameters of a search, their values and bounds', () => {
    const part = section('`GET /api/search`')
    const table = part.slice(0, part.indexOf('```json'))
    expect(firstCells(table).sort()).toEqual([...SEARCH_PARAMETERS].sort())
    for (const word of [...SORT_KEYS, ...MATCH_MODES]) expect(table).toContain(`\`${word}\``)
    for (const number of [DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET]) expect(table).toContain(number.toLocaleString('en-US'))
    for (const state of FRESH_STATES) expect(part).toContain(`\`${state}\``)
  })

  it('shows an answer with the fields that an answer has', async () => {
    const gateway = await startTestGateway(new FakeBackend(30))
    const headers = { authorization: `Bearer ${gateway.token}` }
    const reply = JSON.parse((await rawRequest(gateway.port, '/api/search?q=report&limit=1', { headers })).body)
    const status = JSON.parse((await rawRequest(gateway.port, '/api/status', { headers })).body)
    await gateway.stop()
    const example = JSON.parse(/```json\n([\s\S]+?)```/.exec(section('`GET /api/search`'))?.[1] ?? '')
    expect(Object.keys(example)).toEqual(Object.keys(reply))
    expect(Object.keys(example.hits[0])).toEqual(Object.keys(reply.hits[0]))
    const other = section('Other addresses')
    for (const state of STORAGE_STATES) expect(other).toContain(`\`${state}\``)
    for (const key of [...Object.keys(status), ...Object.keys(status.roots[0]), ...Object.keys(status.stages[0])]) {
      expect(other).toMatch(new RegExp(`\\b${key}\\b`))
    }
  })

  it('shows rows of databases as they are answered', async () => {
    const gateway = await startTestGateway(new FakeBackend(1))
    const headers = { authorization: `Bearer ${gateway.token}` }
    const ask = (target: string) => rawRequest(gateway.port, target, { headers })
    const found = JSON.parse((await ask('/api/rows?q=invoice')).body)
    const one = JSON.parse((await ask('/api/rows?q=invoice&offset=1&limit=1&case=smart')).body)
    const syntax = await ask('/api/rows?q=(')
    const bad = await Promise.all(
      ['limit=1001', 'sort=name', 'q=a&q=b', 'case=x'].map(each => ask(`/api/rows?${each}`)),
    )
    await gateway.stop()
    expect(JSON.parse(/```json\n([\s\S]+?)```/.exec(section('Rows of databases'))?.[1] ?? '')).toEqual(found)
    expect(one).toEqual({ ...found, rows: [found.rows[1]] })
    expect([syntax.status, JSON.parse(syntax.body).error.code]).toEqual([400, 'SYNTAX'])
    expect(bad.map(({ status }) => status)).toEqual([400, 400, 400, 400])
  })

  it('shows statistics and sizes with the fields that they have', async () => {
    const gateway = await startTestGateway(new FakeBackend(30))
    const ask = async (target: string) => {
      const headers = { authorization: `Bearer ${gateway.token}` }
      const { status, body } = await rawRequest(gateway.port, target, { headers })
      return { status, body: JSON.parse(body) }
    }
    await ask('/api/search?q=report')
    const statistics = (await ask('/api/statistics')).body
    const sizes = (await ask('/api/sizes?under=/home/ann')).body
    const roots = (await ask('/api/sizes')).body
    expect((await ask('/api/sizes?under=/nowhere')).status).toBe(404)
    for (const bad of ['under=', 'under=%00', 'limit=3', 'under=/a&under=/b']) {
      expect((await ask(`/api/sizes?${bad}`)).status).toBe(400)
    }
    expect((await ask('/api/statistics?x=1')).status).toBe(400)
    await gateway.stop()

    const part = section('Statistics')
    const [first, second] = [...part.matchAll(/```json\n([\s\S]+?)```/g)].map(([, json]) => JSON.parse(json!))
    expect(Object.keys(first)).toEqual(Object.keys(statistics))
    for (const key of ['types', 'sections', 'segments'] as const) {
      expect(Object.keys(first[key][0])).toEqual(Object.keys(statistics[key][0]))
    }
    const { boundsMs, counts } = statistics.latency
    expect(counts.length).toBe(boundsMs.length + 1)
    // One search of 0.42 ms, as the backend says.
    expect(counts.reduce((sum: number, count: number) => sum + count)).toBe(1)
    expect(Object.keys(second)).toEqual(Object.keys(sizes))
    expect(sizes).toEqual({
      clock: '1',
      path: '/home/ann',
      count: 6,
      size: 90,
      children: [
        { path: '/home/ann/docs', name: 'docs', type: 'directory', count: 3, size: 40 },
        {
          path: '/home/ann/\ufffd.txt',
          pathBytes: Buffer.from('/home/ann/\xff.txt', 'latin1').toString('base64'),
          name: '\ufffd.txt',
          type: 'file',
          count: 0,
          size: 40,
        },
      ],
      rest: { count: 1, size: 10 },
    })
    expect(second.children[0]).toEqual(sizes.children[0])
    expect(roots.path).toBe('')
    for (const type of ENTRY_TYPES) expect(part).toContain(`\`${type}\``)
  })

  it('shows the messages of a subscription with the fields that they have', async () => {
    const part = section('Subscriptions')
    const [subscribe, unsubscribe, change] = [...part.matchAll(/```json\n([\s\S]+?)```/g)].map(([, json]) => json!)
    expect(parseCommand(subscribe!)).toMatchObject({
      type: 'subscribe',
      id: 1,
      request: { query: 'report', limit: 50 },
    })
    expect(parseCommand(unsubscribe!)).toEqual({ type: 'unsubscribe', id: 1 })

    const backend = new FakeBackend(30)
    const gateway = await startTestGateway(backend)
    const headers = { authorization: `Bearer ${gateway.token}` }
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/api/live`, { headers })
    const messages: Record<string, unknown>[] = []
    socket.on('message', data => messages.push(JSON.parse(String(data))))
    socket.on('open', () => socket.send('{"type":"subscribe","id":1,"search":"limit=20&sort=path"}'))
    await expect.poll(() => messages.length).toBe(1)
    backend.rows = backend.rows.slice(1)
    backend.emit({ type: 'changed', root: 'tree-1', clock: '2' })
    await expect.poll(() => messages.length).toBe(2)
    backend.failure = unavailable
    backend.emit({ type: 'resync', reason: 'lost' })
    await expect.poll(() => messages.length).toBe(3)
    backend.failure = undefined
    backend.rows = []
    backend.emit({ type: 'resync', reason: 'back' })
    await expect.poll(() => messages.length).toBe(4)
    socket.send('{}')
    await expect.poll(() => messages.length).toBe(5)
    await gateway.stop()

    const example = JSON.parse(change!)
    const told = messages[1] as { added: object[] }
    expect(Object.keys(example)).toEqual(Object.keys(told))
    expect(Object.keys(example.added[0])).toEqual(Object.keys(told.added[0]!))
    const rows = new Map([...part.matchAll(/^\| `([\w-]+)` \| (.*?) \|/gm)].map(([, type, fields]) => [type!, fields!]))
    const [hits, , away, resync, error] = messages.map(message => Object.keys(message).slice(2))
    const documented = (type: string) =>
      [
        ...rows
          .get(type)!
          .split(', all as')[0]!
          .matchAll(/`(\w+)`/g),
      ].map(([, name]) => name)
    expect(messages.map(({ type }) => type)).toEqual(['hits', 'change', 'away', 'resync', 'error'])
    expect(documented('hits')).toEqual(hits)
    expect(resync).toEqual(['reason', ...hits!])
    expect(away).toEqual([])
    expect(documented('error')[0]).toBe(error![0])
    expect(RESYNC_REASONS.every(reason => rows.has(reason))).toBe(true)
  })

  it('shows the messages with changes of rows, with the fields that they have', () => {
    const part = section('Changes of rows')
    const rows = new Map([...part.matchAll(/^\| `(\w[\w-]*)` \| (.*?) \|/gm)].map(([, name, cell]) => [name!, cell!]))
    for (const name of PARAMETERS) expect(rows.has(name)).toBe(true)
    for (const reason of ROWS_RESET_REASONS) expect(rows.has(reason)).toBe(true)
    const example = /```json\n([\s\S]+?)```/.exec(part)![1]!
    const change: RowsTransactionEvent['changes'][number] = {
      ...{ table: 'messages', operation: 'update', key: 17n },
      old: [17n, 'helo', null],
      new: [17n, 'hello', 1.5],
    }
    const of = { database: 'chat', cursor: '5e884898b9f5a9f03d0f7a21.1043' }
    const tables = new Map([['messages', { name: 'messages', columns: ['id', 'text', 'seen'] }]])
    const transaction: RowsEvent = {
      ...{
        type: 'transaction',
        ...of,
        sequence: 1_043,
        committed: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
        method: 'pages',
      },
      ...{ merged: false, changes: [change], tables, more: false },
    }
    expect(JSON.parse(example)).toEqual(JSON.parse(eventJson(transaction)))
    const events: RowsEvent[] = [
      transaction,
      { type: 'state', ...of, state: 'live', reason: '' },
      { type: 'reset', ...of, reason: 'behind' },
      { type: 'rows', ...of, rows: [], tables, more: true },
    ]
    for (const event of events) {
      const told = Object.keys(JSON.parse(eventJson(event)))
      const documented = [...rows.get(event.type)!.matchAll(/`(\w+)`/g)].map(([, name]) => name)
      expect(['type', 'database', 'cursor', ...documented.filter(name => name !== 'values')]).toEqual(told)
    }
    const info: DatabaseInfo = {
      ...{ name: 'x', path: 'x', state: 'live', reason: '', method: '', lagMs: 0, subscribers: 0, adHoc: false },
      logBytes: 0,
    }
    for (const field of Object.keys(databasesReply([info]).databases[0]!))
      expect(part.split('`GET /api/databases`')[1]).toMatch(new RegExp(`\\b${field}\\b`))
  })

  it('says what every event is', () => {
    const types: Record<PageEvent['type'], true> = {
      changed: true,
      rows: true,
      status: true,
      away: true,
      resync: true,
      'fresh-instance': true,
    }
    const reasons: Record<Extract<PageEvent, { type: 'fresh-instance' }>['reason'], true> = {
      loss: true,
      downtime: true,
      damage: true,
    }
    const rows = new Map(
      [...section('Events').matchAll(/^\| `([\w-]+)` \| (.*)/gm)].map(([, type, row]) => [type, row]),
    )
    expect([...rows.keys()].sort()).toEqual(Object.keys(types).sort())
    for (const reason of Object.keys(reasons)) expect(rows.get('fresh-instance')).toContain(`\`${reason}\``)
  })

  it('names the limits', () => {
    const failures = section('Failures')
    for (const limit of [MAX_BODY_BYTES, MAX_TARGET_LENGTH]) expect(failures).toContain(limit.toLocaleString('en-US'))
    expect(failures).toContain(`more than ${MAX_CONCURRENT_REQUESTS} requests`)
    expect(failures).toContain(`more than ${MAX_STREAMS} event streams`)
    expect(failures).toContain(`more than ${MAX_SOCKETS} WebSockets`)
    const live = section('Subscriptions')
    expect(live).toContain(`At most ${MAX_SOCKETS} sockets`)
    expect(live).toContain(`at most ${MAX_QUERIES_PER_CONSUMER} subscriptions, ${MAX_QUERIES} in all`)
    expect(live).toContain(`at most ${MAX_COMMAND_BYTES.toLocaleString('en-US')} bytes`)
    expect(live).toContain(`not within ${MIN_PAUSE_MS} ms after the last time, nor within ${PAUSE_PER_COST} times`)
  })
})
