import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ChangesEvent, connect, type RowChanges } from '@hotpath/client'
import { connect as connectBrowser, type RowChangesMessage } from '@hotpath/client/browser'
import { FakeDatabases } from '@hotpath/journal-watcher/testing'
import type { RowChange } from '@hotpath/model'
import { socketEndpoints } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Gateway, startGateway } from '../compose.js'
import { rawRequest } from '../testing/test-gateway.js'

const MESSAGES = { name: 'messages', columns: ['id', 'text'] }

let databases: FakeDatabases
let endpoints: ReturnType<typeof socketEndpoints>
let server: Awaited<ReturnType<FakeDatabases['serve']>>
let gateway: Gateway
const closers: (() => unknown)[] = []

beforeEach(async () => {
  databases = new FakeDatabases()
  const runtime = join(databases.directory, 'run')
  mkdirSync(runtime, { mode: 0o700 })
  endpoints = socketEndpoints(runtime)
  server = await databases.serve(endpoints['watcher-rows'])
  gateway = await start()
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await gateway.stop()
  await server.stop()
  databases.close()
})

function start(port = 0, openRead = false): Promise<Gateway> {
  return startGateway({
    dataDir: databases.directory,
    port,
    openRead,
    endpoints,
    identity: { stage: 'gateway', instance: randomUUID(), pid: process.pid },
    version: 'test',
    log: silentLogger,
  })
}

function insert(rowid: number, text = `text ${rowid}`): RowChange {
  return { table: 'messages', operation: 'insert', key: BigInt(rowid), new: [BigInt(rowid), text] }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 2))
}

const tokenOf = (): string => new URL(gateway.url).searchParams.get('token')!

interface Message {
  readonly type: string
  readonly cursor: string | null
  readonly sequence: number
  readonly state: string
  readonly reason: string
  readonly changes: { key: unknown; new: { text: string } }[]
  readonly error: { code: string; message: string }
}

/** A WebSocket at /api/changes. */
class Listener {
  readonly texts: string[] = []
  readonly socket: WebSocket
  closed = 0

  constructor(query: string) {
    this.socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/api/changes${query}`, {
      headers: { authorization: `Bearer ${tokenOf()}` },
    })
    this.socket.on('message', data => this.texts.push(String(data)))
    this.socket.on('close', code => {
      this.closed = code
    })
    this.socket.on('error', () => {})
    closers.push(() => this.socket.terminate())
  }

  get messages(): Message[] {
    return this.texts.map(text => JSON.parse(text) as Message)
  }

  ofType(type: string): Message[] {
    return this.messages.filter(message => message.type === type)
  }
}

describe('/api/changes', () => {
  it('tells transactions with exact values', async () => {
    const chat = databases.add('chat')
    const columns = ['a', 'b', 'c', 'd', 'e', 'f', 'g', '__proto__']
    chat.commit([], {
      tables: [
        { name: 't', columns },
        { name: 'k', columns: ['x', 'y'], primaryKey: ['x', 'y'] },
      ],
    })
    const listener = new Listener('?database=chat')
    await until(() => listener.texts.length === 1)
    const { epoch } = chat.log!
    expect(listener.messages[0]).toEqual({
      type: 'state',
      database: 'chat',
      cursor: `${epoch}.1`,
      state: 'live',
      reason: '',
    })
    const blob = Uint8Array.of(1, 2, 255)
    const old = [
      1n,
      2n ** 60n,
      1,
      Number.POSITIVE_INFINITY,
      'ü\u0000"',
      null,
      blob,
      { invalidText: Uint8Array.of(0xff) },
    ]
    const changed = [-1n, -(2n ** 63n), 0.5, -0, '', null, new Uint8Array(0), 'x']
    chat.commit(
      [
        { table: 't', operation: 'update', key: 2n ** 53n, old, new: changed },
        { table: 'k', operation: 'delete', key: ['p', 1n], old: ['p', 1n] },
      ],
      { committed: Date.UTC(2026, 0, 2, 3, 4, 5, 678) },
    )
    await until(() => listener.texts.length === 2)
    expect(listener.texts[1]).toBe(
      `{"type":"transaction","database":"chat","cursor":"${epoch}.2","sequence":2,"time":"2026-01-02T03:04:05.678Z",` +
        '"method":"pages","merged":false,"changes":[{"table":"t","operation":"update","key":{"integer":"9007199254740992"},' +
        '"old":{"a":1,"b":{"integer":"1152921504606846976"},"c":1.0,"d":{"real":"Infinity"},"e":"ü\\u0000\\"","f":null,' +
        '"g":{"blob":"AQL/"},"__proto__":{"text":"/w=="}},' +
        '"new":{"a":-1,"b":{"integer":"-9223372036854775808"},"c":0.5,"d":-0.0,"e":"","f":null,"g":{"blob":""},"__proto__":"x"}},' +
        '{"table":"k","operation":"delete","key":{"x":"p","y":1},"old":{"x":"p","y":1}}],"more":false}',
    )
  })

  it('goes on behind a cursor, of each database its own, also over a restart of either side', async () => {
    const chat = databases.add('chat')
    const mail = databases.add('mail')
    for (const database of [chat, mail]) database.commit([insert(1)], { tables: [MESSAGES] })
    for (let i = 2; i < 5; i++) chat.commit([insert(i)])
    const query = `?cursor=${chat.log!.epoch}.2&cursor=${mail.log!.epoch}.0`
    const listener = new Listener(query)
    await until(() => listener.ofType('transaction').length === 3)
    expect(
      listener
        .ofType('transaction')
        .map(({ sequence }) => sequence)
        .sort(),
    ).toEqual([1, 3, 4])
    await server.stop()
    chat.commit([insert(5)])
    await until(() => listener.ofType('state').some(({ state }) => state === 'unavailable'))
    server = await databases.serve(endpoints['watcher-rows'])
    chat.commit([insert(6)])
    await until(() => listener.ofType('transaction').length === 5)
    expect(
      listener
        .ofType('transaction')
        .slice(3)
        .map(({ sequence }) => sequence),
    ).toEqual([5, 6])
    expect(listener.ofType('reset')).toEqual([])
    const { cursor } = listener.ofType('transaction').at(-1)!
    await gateway.stop()
    await until(() => listener.closed === 1001)
    chat.commit([insert(7)])
    gateway = await start()
    const next = new Listener(`?database=chat&cursor=${cursor}`)
    await until(() => next.ofType('transaction').length === 1)
    expect(next.ofType('transaction')[0]).toMatchObject({ sequence: 7, changes: [{ key: 7, new: { text: 'text 7' } }] })
  })

  it('tells all rows with initial=1', async () => {
    const chat = databases.add('chat')
    chat.commit([insert(1), insert(2)], { tables: [MESSAGES] })
    const listener = new Listener('?initial=1&table=MESSAGES')
    await until(() => listener.texts.length >= 5)
    expect(listener.messages.slice(1, 4)).toMatchObject([
      { type: 'reset', reason: 'initial', cursor: null },
      {
        type: 'rows',
        cursor: null,
        more: true,
        rows: [
          { table: 'messages', key: 1, values: { id: 1, text: 'text 1' } },
          { table: 'messages', key: 2, values: { id: 2, text: 'text 2' } },
        ],
      },
      { type: 'rows', cursor: `${chat.log!.epoch}.1`, more: false, rows: [] },
    ])
  })

  it('holds a bounded part of what a socket does not take, and resynchronises it', async () => {
    const chat = databases.add('chat', { retainedBytes: 4_000_000, graceMs: -1 })
    const listener = new Listener('?database=chat')
    await until(() => listener.texts.length === 1)
    listener.socket.pause()
    const text = 'x'.repeat(100_000)
    chat.commit([], { tables: [MESSAGES] })
    for (let i = 0; i < 400; i++) {
      chat.commit([insert(i, text)])
      if (i % 10 === 0) await new Promise(resolve => setTimeout(resolve, 1))
    }
    listener.socket.resume()
    await until(() => listener.ofType('reset').length > 0)
    // What comes before the last reset is not told, if there is another one.
    while (!listener.texts.at(-1)!.includes('the end')) {
      chat.commit([insert(1_000, 'the end')])
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    // What is missing was said to be, and nothing comes twice.
    let known = 0
    for (const { type, sequence, cursor, reason } of listener.messages.slice(1)) {
      if (type === 'reset') {
        expect(reason).toBe('behind')
        known = Number(cursor!.split('.')[1])
      } else if (type === 'transaction') expect(sequence).toBe(++known)
    }
    expect(known).toBeGreaterThan(401)
    // The credit, and what the system's buffers of two sockets take.
    expect(listener.ofType('transaction').length * text.length).toBeLessThan(20_000_000)
  })

  it('says what is wrong, and asks for a token even where reading needs none', async () => {
    databases.add('chat')
    const failures: [string, string][] = [
      ['?database=mail', 'database'],
      ['?cursor=17', 'cursor'],
      ['?initial=yes', 'initial'],
      ['?limit=1', 'parameter'],
    ]
    for (const [query, what] of failures) {
      const listener = new Listener(query)
      await until(() => listener.closed !== 0)
      expect(listener.ofType('error')[0]!.error).toMatchObject({ code: 'INVALID_INPUT' })
      expect(listener.ofType('error')[0]!.error.message).toContain(what)
    }
    await gateway.stop()
    gateway = await start(0, true)
    const status = async (target: string): Promise<number> => (await rawRequest(gateway.port, target)).status
    expect([await status('/api/databases'), await status('/api/changes')]).toEqual([200, 401])
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/api/changes`)
    const answer = await new Promise<number>(resolve => {
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
      socket.on('error', () => {})
    })
    socket.terminate()
    expect(answer).toBe(401)
  })

  it('lists databases, and counts those of the configuration', async () => {
    const chat = databases.add('a "b"')
    databases.add('/tmp/other.db', {}, true)
    chat.commit([insert(1)], { tables: [MESSAGES] })
    const headers = { authorization: `Bearer ${tokenOf()}` }
    const { body } = await rawRequest(gateway.port, '/api/databases', { headers })
    expect(JSON.parse(body)).toMatchObject({
      databases: [
        { name: 'a "b"', state: 'live', sequence: 1, cursor: `${chat.log!.epoch}.1`, subscribers: 0, adHoc: false },
        { name: '/tmp/other.db', adHoc: true, sequence: 0 },
      ],
    })
    const { body: metrics } = await rawRequest(gateway.port, '/metrics', { headers })
    expect(metrics.match(/^hotpath_database_.*/gm)).toEqual([
      'hotpath_database_live{database="a \\"b\\""} 1',
      'hotpath_database_sequence{database="a \\"b\\""} 1',
      'hotpath_database_lag_seconds{database="a \\"b\\""} 0',
      'hotpath_database_subscribers{database="a \\"b\\""} 0',
      `hotpath_database_log_bytes{database="a \\"b\\""} ${chat.log!.bytes}`,
    ])
  })
})

describe('changes of the native client', () => {
  async function clientOf() {
    const client = await connect({ endpoint: endpoints.gateway })
    closers.push(() => client.close())
    return client
  }

  async function take(changes: RowChanges, count: number, type: ChangesEvent['type']): Promise<ChangesEvent[]> {
    const found: ChangesEvent[] = []
    for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => changes.next() }) }) {
      if (event.type === type) found.push(event)
      if (found.length === count) break
    }
    return found
  }

  it('come each once, over restarts of gateway and watcher, in the midst of a transaction', async () => {
    const chat = databases.add('chat')
    const client = await clientOf()
    const changes = await client.changes({ databases: ['chat'], windowBytes: 300_000 })
    const long = Array.from({ length: 1_500 }, (_, i) => insert(i, 'z'.repeat(1_000)))
    chat.commit(long, { tables: [MESSAGES] })
    const parts = await take(changes, 2, 'transaction')
    expect(parts).toMatchObject([{ more: true }, { more: true }])
    await gateway.stop()
    await server.stop()
    server = await databases.serve(endpoints['watcher-rows'])
    gateway = await start()
    for (;;) {
      const [part] = await take(changes, 1, 'transaction')
      parts.push(part!)
      if (part!.type === 'transaction' && !part!.more) break
    }
    expect(parts.flatMap(part => (part.type === 'transaction' ? part.changes : []))).toEqual(long)
    chat.commit([insert(2_000)])
    const [last] = await take(changes, 1, 'transaction')
    expect(last).toMatchObject({ sequence: 2, cursor: `${chat.log!.epoch}.2`, changes: [insert(2_000)] })
    await changes.return()
    await until(() => server.stats().find(({ name }) => name === 'hotpath_rows_subscriptions')!.value === 0)
  })

  it('follow a database by its path, and are refused what is none', async () => {
    const client = await clientOf()
    const path = join(databases.directory, 'x.db')
    const changes = await client.changes({ follow: { path, tables: ['messages'], keyFile: '/home/ann/key' } })
    expect(changes.databases).toMatchObject([{ name: path, adHoc: true }])
    databases.databases()[0]!.commit([insert(1)], { tables: [MESSAGES] })
    expect(await take(changes, 1, 'transaction')).toMatchObject([{ database: path, changes: [insert(1)] }])
    // The watcher that comes next is asked to follow it, too.
    await server.stop()
    databases.remove(path)
    server = await databases.serve(endpoints['watcher-rows'])
    await until(() => databases.followed.length === 2)
    expect(await client.databases()).toMatchObject([{ name: path, subscribers: 1 }])
    await expect(client.changes({ follow: { path: '/x.txt' } })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await client.close()
    await expect(changes.next()).rejects.toThrow('closed')
  })
})

describe('changes of the client for browsers', () => {
  it('come each once, over restarts of the gateway, in the midst of a transaction', async () => {
    const chat = databases.add('chat')
    const { port } = gateway
    const seen: RowChangesMessage[] = []
    let away = 0
    // The token is another with each start: what a page has in its cookie.
    const sockets: WebSocket[] = []
    class Socket extends WebSocket {
      constructor(url: string) {
        super(url, { headers: { authorization: `Bearer ${tokenOf()}` } })
        sockets.push(this)
      }
    }
    const client = connectBrowser({
      url: `http://127.0.0.1:${port}`,
      token: 'x',
      WebSocket: Socket as typeof WebSocket,
      backOff: { firstMs: 5, mostMs: 20 },
    })
    closers.push(() => client.close())
    const watch = client.changes(
      { databases: ['chat'] },
      {
        onMessage: message => {
          seen.push(message)
          // The second part is the last before the connection breaks.
          if (message.type === 'transaction' && message.more && transactions().length === 2) sockets[0]!.terminate()
        },
        onAway: () => away++,
      },
    )
    const transactions = () => seen.filter(message => message.type === 'transaction')
    await until(() => seen.length === 1)
    chat.commit(
      Array.from({ length: 1_500 }, (_, i) => insert(i, 'z'.repeat(1_000))),
      { tables: [MESSAGES] },
    )
    await until(() => transactions().at(-1)?.more === false)
    expect(transactions().flatMap(({ changes }) => changes.map(({ key }) => key))).toEqual(
      Array.from({ length: 1_500 }, (_, i) => i),
    )
    expect(away).toBe(1)
    await gateway.stop()
    chat.commit([insert(7_000)])
    gateway = await start(port)
    await until(() => transactions().at(-1)!.sequence === 2)
    expect(transactions().at(-1)!.changes).toEqual([
      { table: 'messages', operation: 'insert', key: 7_000, new: { id: 7_000, text: 'text 7000' } },
    ])
    watch.close()
    await watch.ended
    const refused = client.changes({ databases: ['mail'] }, { onMessage: () => {} })
    await expect(refused.ended).rejects.toMatchObject({ code: 'REQUEST', reason: 'INVALID_INPUT' })
  })
})
