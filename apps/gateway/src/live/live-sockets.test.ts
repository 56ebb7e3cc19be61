import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { cookieName } from '../http/http-server.js'
import type { SearchRow } from '../search-backend.js'
import { FakeBackend, fakeRow, unavailable } from '../testing/fake-backend.js'
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js'
import { MAX_QUERIES_PER_CONSUMER } from './live-hub.js'
import { FULL_BYTES } from './live-socket.js'
import { MAX_COMMAND_BYTES, MAX_SOCKETS } from './live-sockets.js'

let backend: FakeBackend
let gateway: TestGateway
const sockets: (WebSocket | Socket)[] = []

beforeEach(async () => {
  backend = new FakeBackend(50)
  gateway = await startTestGateway(backend)
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket instanceof WebSocket ? socket.terminate() : socket.destroy()
  await gateway.stop()
})

interface Message {
  readonly type: string
  readonly id: number | null
  readonly [field: string]: unknown
}

/** A WebSocket that keeps what it is told. */
async function open(): Promise<{ socket: WebSocket; messages: Message[]; say(message: unknown): void }> {
  const authorization = `Bearer ${gateway.token}`
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/api/live`, { headers: { authorization } })
  sockets.push(socket)
  const messages: Message[] = []
  socket.on('message', data => messages.push(JSON.parse(String(data))))
  await once(socket, 'open')
  return { socket, messages, say: message => socket.send(JSON.stringify(message)) }
}

/** An answer over HTTP without what only concerns the one search. */
async function pageOnly(reply: Response): Promise<object> {
  const { tookMs: _, cached: __, ...page } = (await reply.json()) as { tookMs: number; cached: boolean }
  return page
}

const row = (at: number): SearchRow => fakeRow('/d', Buffer.from(`n${at}`), at)

function change(rows: SearchRow[]): void {
  backend.rows = rows
  backend.clockValue++
  backend.emit({ type: 'changed', root: 'tree-1', clock: String(backend.clockValue) })
}

describe('a WebSocket', () => {
  it('begins with the hits of a search, as HTTP gives them, and tells what changes', async () => {
    backend.rows = [row(1), row(2)]
    const { messages, say } = await open()
    say({ type: 'subscribe', id: 7, search: 'q=n&sort=name&limit=10' })
    await expect.poll(() => messages.length).toBe(1)
    expect(messages[0]).toMatchObject({ type: 'hits', id: 7, total: 2, clock: '1', partial: false })
    expect(messages[0]?.hits).toMatchObject([
      { name: 'n1', matched: [[0, 1]] },
      { name: 'n2', path: '/d/n2' },
    ])
    change([row(2), row(3)])
    await expect.poll(() => messages.length).toBe(2)
    expect(messages[1]).toMatchObject({ type: 'change', id: 7, removed: [row(1).id], changed: [], clock: '2' })
    expect(messages[1]?.added).toMatchObject([{ at: 1, name: 'n3', matched: [[0, 1]] }])
    backend.failure = unavailable
    backend.emit({ type: 'resync', reason: 'lost' })
    await expect.poll(() => messages.at(-1)?.type).toBe('away')
    backend.failure = undefined
    backend.rows = Array.from({ length: 9 }, (_, at) => row(at))
    backend.emit({ type: 'resync', reason: 'back' })
    await expect.poll(() => messages.at(-1)).toMatchObject({ type: 'resync', reason: 'gap', total: 9 })
  })

  it('carries several subscriptions, and ends each by itself', async () => {
    backend.rows = [row(1), row(2)]
    const { socket, messages, say } = await open()
    say({ type: 'subscribe', id: 1, search: 'q=n1' })
    say({ type: 'subscribe', id: 2, search: 'q=n2' })
    await expect
      .poll(() => messages.map(({ id, total }) => [id, total]).sort())
      .toEqual([
        [1, 1],
        [2, 1],
      ])
    say({ type: 'unsubscribe', id: 1 })
    say({ type: 'unsubscribe', id: 9 })
    say({ type: 'subscribe', id: 2, search: 'q=n' })
    await expect.poll(() => messages.at(-1)).toMatchObject({ id: 2, type: 'hits', total: 2 })
    expect(gateway.live.stats().queries).toBe(1)
    socket.close()
    await expect.poll(() => gateway.live.stats().queries).toBe(0)
  })

  it('shows rows and marks as an answer over HTTP does, whatever the names are', async () => {
    const { messages, say } = await open()
    say({ type: 'subscribe', id: 0, search: 'q=hostile&limit=50' })
    await expect.poll(() => messages.length).toBe(1)
    const headers = { authorization: `Bearer ${gateway.token}` }
    const asked = await fetch(`${gateway.origin}/api/search?q=hostile&limit=50`, { headers })
    expect(messages[0]).toMatchObject(await pageOnly(asked))
  })

  it('says what is wrong, and goes on', async () => {
    const { socket, messages, say } = await open()
    const search = 'q=n'
    const wrong: [unknown, number | null][] = [
      [[], null],
      [null, null],
      ['x', null],
      [{}, null],
      [{ type: 'search', id: 1 }, 1],
      [{ type: 'subscribe', search }, null],
      [{ type: 'subscribe', id: -1, search }, null],
      [{ type: 'subscribe', id: 0.5, search }, null],
      [{ type: 'subscribe', id: 2 ** 32, search }, null],
      [{ type: 'subscribe', id: '1', search }, null],
      [{ type: 'subscribe', id: 1 }, 1],
      [{ type: 'subscribe', id: 1, search: {} }, 1],
      [{ type: 'subscribe', id: 1, search, limit: 5 }, 1],
      [{ type: 'subscribe', id: 1, search: 'q=n&limit=1001' }, 1],
      [{ type: 'subscribe', id: 1, search: 'q=n&count=1' }, 1],
      [{ type: 'subscribe', id: 1, search: 'q=n&explain=1' }, 1],
      [{ type: 'subscribe', id: 1, search: 'x=n' }, 1],
      [{ type: 'unsubscribe' }, null],
      [{ type: 'unsubscribe', id: 1, search }, 1],
    ]
    for (const [message] of wrong) say(message)
    socket.send('{')
    socket.send(Buffer.from('{}'), { binary: true })
    say({ type: 'subscribe', id: 5, search: 'q=(' })
    const expected = [...wrong.map(([, id]) => [id, 'INVALID_INPUT']), [null, 'INVALID_INPUT'], [null, 'INVALID_INPUT']]
    await expect
      .poll(() => messages.map(({ id, error }) => [id, (error as { code: string }).code]))
      .toEqual([...expected, [5, 'SYNTAX']])
    expect(messages.at(-1)?.error).toMatchObject({ position: 0, expected: ')' })
    say({ type: 'subscribe', id: 6, search })
    await expect.poll(() => messages.at(-1)).toMatchObject({ type: 'hits', id: 6 })
  })

  it('is bounded: in subscriptions, in what it may say, and in number', async () => {
    const { socket, messages, say } = await open()
    for (let id = 0; id <= MAX_QUERIES_PER_CONSUMER; id++) say({ type: 'subscribe', id, search: 'limit=0' })
    await expect.poll(() => messages.length).toBe(MAX_QUERIES_PER_CONSUMER + 1)
    const refused = messages.filter(({ type }) => type === 'error')
    expect(refused).toMatchObject([{ id: MAX_QUERIES_PER_CONSUMER, error: { code: 'UNAVAILABLE' } }])
    const closed = once(socket, 'close')
    socket.send('x'.repeat(MAX_COMMAND_BYTES + 1))
    expect((await closed)[0]).toBe(1009)
    await expect.poll(() => gateway.live.stats().queries).toBe(0)
    for (let i = 0; i < MAX_SOCKETS; i++) await open()
    expect(await handshake({})).toMatch(/^HTTP\/1\.1 503 [\s\S]*"BUSY"/)
  })

  it('is told goodbye when the gateway stops', async () => {
    const { socket } = await open()
    const closed = once(socket, 'close')
    await gateway.stop()
    expect((await closed)[0]).toBe(1001)
    gateway = await startTestGateway(backend)
  })
})

describe('a WebSocket that is not read', () => {
  it('makes nobody search and fills no memory; afterwards comes one message', async () => {
    const longNames = (from: number) =>
      Array.from({ length: 1_000 }, (_, at) => fakeRow(`/${'d'.repeat(900)}`, Buffer.from(`n${from + at}`), from + at))
    backend.rows = longNames(0)
    const { socket, messages, say } = await open()
    say({ type: 'subscribe', id: 1, search: 'q=n&limit=1000&sort=path' })
    await expect.poll(() => messages.length).toBe(1)
    socket.pause()
    const [server] = gateway.sockets()
    // Every page is another, and 2 MB long: the buffers of the system fill, then the socket counts as full.
    let rounds = 0
    await expect
      .poll(() => {
        change(longNames(1_000 * ++rounds))
        return server!.bufferedAmount > FULL_BYTES
      })
      .toBe(true)
    const { length } = backend.searches
    const buffered = server!.bufferedAmount
    for (let i = 0; i < 10_000; i++) {
      backend.emit({ type: 'changed', root: 'tree-1', clock: String(i) })
      if (i % 1_000 === 0) await new Promise(resolve => setTimeout(resolve, 25))
    }
    expect(backend.searches.length).toBe(length)
    expect(server!.bufferedAmount).toBe(buffered)
    expect(buffered).toBeLessThan(FULL_BYTES + 4_000_000)
    expect(gateway.live.stats()).toEqual({ queries: 1, heldRows: 1_000 })
    const before = messages.length
    change(longNames(1_000_000))
    socket.resume()
    await expect.poll(() => messages.at(-1)?.clock).toBe(String(backend.clockValue))
    expect(messages.at(-1)).toMatchObject({ type: 'resync', total: 1_000 })
    expect(messages.length - before).toBeLessThanOrEqual(rounds + 1)
  })

  it('is cut off if it goes on asking', async () => {
    backend.rows = Array.from({ length: 1_000 }, (_, at) => fakeRow(`/${'d'.repeat(3_000)}`, Buffer.from(`n${at}`), at))
    const { socket, say } = await open()
    socket.pause()
    const gone = once(socket, 'close')
    await expect
      .poll(() => {
        for (let id = 0; id < 8; id++) say({ type: 'subscribe', id, search: 'q=n&limit=1000' })
        for (let i = 0; i < 100; i++) socket.send('nonsense')
        return gateway.sockets().length
      })
      .toBe(0)
    socket.resume()
    await gone
  })
})

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** What is sent to open a WebSocket, and the answer; `PORT`, `TOKEN` and `COOKIE` are filled in. */
async function handshake(
  changes: Record<string, string | string[] | undefined>,
  line = 'GET /api/live HTTP/1.1',
  to = gateway,
): Promise<string> {
  const headers: Record<string, string | string[] | undefined> = {
    host: '127.0.0.1:PORT',
    authorization: 'Bearer TOKEN',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': KEY,
    ...changes,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map(one => `${name}: ${one}`))
  const text = [line, ...lines, '', '']
    .join('\r\n')
    .replaceAll('PORT', String(to.port))
    .replaceAll('TOKEN', to.token)
    .replaceAll('COOKIE', cookieName(to.port))
  const socket = connect(to.port, '127.0.0.1', () => socket.write(text))
  sockets.push(socket)
  let reply = ''
  await new Promise<void>(resolve => {
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
    socket.on('data', piece => {
      reply += piece.toString('latin1')
      if (reply.startsWith('HTTP/1.1 101')) resolve()
    })
  })
  socket.destroy()
  return reply
}

const none = { authorization: undefined }
const own = 'http://127.0.0.1:PORT'
const cookie = 'COOKIE=TOKEN'
const rows: readonly (readonly [why: string, changes: Parameters<typeof handshake>[0], status: number])[] = [
  // What passes.
  ['bearer, no origin', {}, 101],
  ['bearer, own origin', { origin: own }, 101],
  ['bearer, localhost', { host: 'localhost:PORT', origin: 'http://localhost:PORT' }, 101],
  ['cookie, own origin', { ...none, cookie, origin: own }, 101],
  ['cookie, own origin, same site', { ...none, cookie, origin: own, 'sec-fetch-site': 'same-origin' }, 101],
  ['an earlier bearer beside a good cookie and own origin', { authorization: 'Bearer x', cookie, origin: own }, 101],
  // Host.
  ['rebound name', { host: 'evil.example:PORT' }, 403],
  [
    'rebound name, same origin',
    { ...none, cookie, host: 'evil.example:PORT', origin: 'http://evil.example:PORT' },
    403,
  ],
  ['host without port', { host: '127.0.0.1' }, 403],
  ['two hosts', { host: ['127.0.0.1:PORT', 'evil.example'] }, 403],
  // Origin.
  ['cookie, no origin', { ...none, cookie }, 403],
  ['cookie, foreign origin', { ...none, cookie, origin: 'http://evil.example' }, 403],
  ['cookie, null origin', { ...none, cookie, origin: 'null' }, 403],
  ['cookie, empty origin', { ...none, cookie, origin: '' }, 403],
  ['cookie, origin of another port', { ...none, cookie, origin: 'http://127.0.0.1:1' }, 403],
  ['cookie, https origin', { ...none, cookie, origin: 'https://127.0.0.1:PORT' }, 403],
  ['cookie, localhost origin, 127.0.0.1 host', { ...none, cookie, origin: 'http://localhost:PORT' }, 403],
  ['cookie, two origins', { ...none, cookie, origin: [own, 'http://evil.example'] }, 403],
  ['bearer, foreign origin', { origin: 'http://evil.example' }, 403],
  ['cross-site', { ...none, cookie, origin: own, 'sec-fetch-site': 'cross-site' }, 403],
  ['same-site (another port)', { ...none, cookie, origin: own, 'sec-fetch-site': 'same-site' }, 403],
  // Token.
  ['no token', none, 401],
  ['no token, own origin', { ...none, origin: own }, 401],
  ['wrong token', { authorization: 'Bearer wrong' }, 401],
  ['wrong cookie, own origin', { ...none, cookie: 'COOKIE=wrong', origin: own }, 401],
  // No handshake.
  ['another version', { 'sec-websocket-version': '8' }, 400],
  ['no version', { 'sec-websocket-version': undefined }, 400],
  ['no key', { 'sec-websocket-key': undefined }, 400],
  ['a short key', { 'sec-websocket-key': 'abc' }, 400],
  ['another protocol', { upgrade: 'h2c' }, 400],
]

describe('Host × Origin × token of an upgrade', () => {
  it.each(rows.map(([why, changes, status]) => ({ why, changes, status })))('$why → $status', async row => {
    const { changes, status } = row
    const reply = await handshake(changes)
    expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(reply).not.toContain(gateway.token)
    if (status === 101) return
    expect(reply.toLowerCase()).toContain("content-security-policy: default-src 'none'")
    expect(gateway.sockets()).toEqual([])
  })

  it.each([
    ['GET //evil.example/api/live HTTP/1.1', 400],
    ['GET http://127.0.0.1:PORT/api/live HTTP/1.1', 400],
    ['GET /api/live?token=TOKEN HTTP/1.1', 400],
    ['POST /api/live HTTP/1.1', 400],
    ['POST /api/rescan HTTP/1.1', 400],
    ['PUT /api/live HTTP/1.1', 405],
    // Whoever asks for another protocol elsewhere (curl offers HTTP/2 so) is answered in this one.
    ['GET /api/status HTTP/1.1', 200],
    ['GET /health HTTP/1.1', 200],
    ['GET /api/nothing HTTP/1.1', 404],
  ])('%s → %i', async (line, status) => {
    expect(await handshake({}, line)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(backend.rescans).toEqual([])
  })

  it('needs no token where reading is open, but still no other page', async () => {
    const to = await startTestGateway(backend, true)
    const line = 'GET /api/live HTTP/1.1'
    expect(await handshake(none, line, to)).toMatch(/^HTTP\/1\.1 101 /)
    expect(await handshake({ ...none, origin: 'http://evil.example' }, line, to)).toMatch(/^HTTP\/1\.1 403 /)
    expect(await handshake({ authorization: 'Bearer x' }, line, to)).toMatch(/^HTTP\/1\.1 401 /)
    await to.stop()
  })

  it('without an upgrade is told to ask for one', async () => {
    const headers = { authorization: `Bearer ${gateway.token}` }
    const reply = await fetch(`${gateway.origin}/api/live`, { headers })
    expect([reply.status, reply.headers.get('upgrade')]).toEqual([426, 'websocket'])
    await reply.text()
  })
})
