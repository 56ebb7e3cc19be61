import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeBackend, fakeRow, unavailable } from '../testing/fake-backend.js'
import { rawRequest, startTestGateway, type TestGateway } from '../testing/test-gateway.js'
import { MAX_CONCURRENT_REQUESTS } from './app.js'
import { MAX_STREAMS } from './event-hub.js'
import { MAX_TARGET_LENGTH } from './limits.js'

let backend: FakeBackend
let gateway: TestGateway

beforeEach(async () => {
  backend = new FakeBackend(50)
  gateway = await startTestGateway(backend)
})
afterEach(async () => {
  await gateway.stop()
})

const authorization = () => ({ authorization: `Bearer ${gateway.token}` })
const get = (target: string) => rawRequest(gateway.port, target, { headers: authorization() })
const post = (target: string, body?: string | Buffer, headers: Record<string, string> = {}) =>
  rawRequest(gateway.port, target, {
    method: 'POST',
    headers: { ...authorization(), ...headers },
    ...(body === undefined ? {} : { body }),
  })
const json = { 'content-type': 'application/json' }

/** Sends bytes as they are; resolves with all that comes back when the server closes, or `until` is in it. */
function sendRaw(text: string, until?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(gateway.port, '127.0.0.1', () => socket.write(text))
    let received = ''
    socket.on('data', piece => {
      received += piece.toString('latin1')
      if (until !== undefined && received.includes(until)) socket.destroy()
    })
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

describe('addresses', () => {
  it('refuses what it would have to ignore', async () => {
    for (const target of [
      '/api/search?q=a&fuzzy=1',
      '/api/status?x=1',
      '/api/clock?q',
      '/metrics?a=b',
      '/api/events?q=1',
    ]) {
      const reply = await get(target)
      expect(reply.status).toBe(400)
      expect(JSON.parse(reply.body).error).toMatchObject({ code: 'INVALID_INPUT', expected: expect.any(String) })
    }
  })

  it('knows nothing beside its own files', async () => {
    for (const target of [
      '/assets/../package.json',
      '/%2e%2e/token',
      '/icon.svg/',
      '/index.html',
      '/assets',
      '/api',
      '/token',
    ]) {
      expect((await get(target)).status).toBe(404)
    }
  })

  it('serves the page with validators', async () => {
    const index = (await get('/')).body
    const [script, style] = [/src="([^"]+\.js)"/, /href="([^"]+\.css)"/].map(link => link.exec(index)![1]!)
    expect((await get(style!)).headers['content-type']).toBe('text/css; charset=utf-8')
    expect((await get('/icon.svg')).headers['content-type']).toBe('image/svg+xml; charset=utf-8')
    const page = await get(script!)
    expect(page.headers['content-type']).toBe('text/javascript; charset=utf-8')
    const headers = { ...authorization(), 'if-none-match': page.headers.etag! }
    expect((await rawRequest(gateway.port, script!, { headers })).status).toBe(304)
    expect((await get('/api/status')).headers['cache-control']).toBe('no-store')
  })
})

describe('failures', () => {
  it('are typed and say nothing that is not meant for the asker', async () => {
    backend.failure = unavailable
    expect(await get('/api/search?q=a')).toMatchObject({ status: 503, body: expect.stringContaining('UNAVAILABLE') })
    backend.failure = new Error('secret path /home/ann')
    const reply = await get('/api/search?q=a')
    expect(reply.status).toBe(500)
    expect(reply.body).not.toContain('secret')
    expect((await rawRequest(gateway.port, '/health')).body).toBe('not ok\n')
  })

  it('of the query name the place', async () => {
    const reply = await get('/api/search?q=a%20(b')
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.body)).toEqual({
      error: { code: 'SYNTAX', message: 'the group is not closed', position: 2, expected: ')' },
    })
  })
})

describe('actions', () => {
  it('take a root, or nothing', async () => {
    expect(await post('/api/rescan', '{"root":"tree-1"}', json)).toMatchObject({
      status: 202,
      body: '{"roots":["tree-1"]}',
    })
    expect((await post('/api/rescan')).status).toBe(202)
    expect((await post('/api/rescan', '{}', json)).status).toBe(202)
    expect(backend.rescans).toEqual(['tree-1', undefined, undefined])
  })

  it('count an open of a hit, by its id, its path or the bytes of its path', async () => {
    const [first, second] = JSON.parse((await get('/api/search?q=report&limit=2')).body).hits
    const bytes = Buffer.from(second.path).toString('base64')
    for (const body of [{ id: first.id }, { path: second.path }, { pathBytes: bytes }]) {
      const reply = await post('/api/open', JSON.stringify(body), json)
      expect(reply).toMatchObject({ status: 200, body: '{"recorded":true}' })
    }
    expect(backend.opens).toEqual([first.id, second.id, second.id])
  })

  it('forget the opens of a hit, and of all', async () => {
    const [first, second, third] = JSON.parse((await get('/api/search?q=report&limit=3')).body).hits
    for (const { id } of [first, first, second, third]) await post('/api/open', JSON.stringify({ id }), json)
    const forget = async (body: string) => {
      const reply = await post('/api/forget', body, json)
      return [reply.status, reply.body]
    }
    expect(await forget(JSON.stringify({ id: first.id }))).toEqual([200, '{"forgotten":1}'])
    expect(await forget(JSON.stringify({ path: first.path }))).toEqual([200, '{"forgotten":0}'])
    expect(backend.opens).toEqual([second.id, third.id])
    expect(await forget('{"all":true}')).toEqual([200, '{"forgotten":2}'])
    expect(backend.opens).toEqual([])
    expect((await forget('{"path":"/home/ann/nothing"}'))[0]).toBe(404)
    for (const body of ['{}', '', '{"all":false}', '{"all":true,"id":"x"}', '{"all":1}']) {
      expect([body, (await forget(body))[0]]).toEqual([body, 400])
    }
  })

  it('refuse to open what is not indexed, and what names nothing or two things', async () => {
    for (const body of [{ id: '-'.repeat(32) }, { path: '/home/ann/nothing' }]) {
      const reply = await post('/api/open', JSON.stringify(body), json)
      expect([reply.status, JSON.parse(reply.body).error.code]).toEqual([404, 'NOT_FOUND'])
    }
    for (const body of [
      ...['', '{}', '[]', 'null', '"x"', '{"id":"short"}', '{"id":5}', '{"path":""}', '{"path":"/a\\u0000"}'],
      ...['{"pathBytes":"!"}', '{"path":"/a","id":"x"}', '{"path":"/a","when":1}', '{"query":"x"}'],
    ]) {
      const reply = await post('/api/open', body, json)
      expect([body, reply.status, JSON.parse(reply.body).error.code]).toEqual([body, 400, 'INVALID_INPUT'])
    }
    expect((await post('/api/open?x=1', '{"path":"/a"}', json)).status).toBe(400)
    expect((await get('/api/open')).status).toBe(404)
    expect(backend.opens).toEqual([])
  })

  it.each([
    ['{"root":""}', json, 400],
    ['{"root":1}', json, 400],
    ['{"root":"absent"}', json, 400],
    ['{"other":1}', json, 400],
    ['[]', json, 400],
    ['null', json, 400],
    ['{', json, 400],
    ['['.repeat(8_192), json, 400],
    [`${'['.repeat(4_096)}${']'.repeat(4_096)}`, json, 400],
    [`${'{"root":'.repeat(1_000)}1${'}'.repeat(8)}`, json, 400],
    ['{"root":"tree-1"}', { 'content-type': 'text/plain' }, 400],
    ['root=tree-1', { 'content-type': 'application/x-www-form-urlencoded' }, 400],
    ['{"root":"tree-1"}', {}, 400],
    [' '.repeat(8_193), json, 413],
  ])('refuse %.60s', async (body, headers, status) => {
    expect((await post('/api/rescan', body, headers as Record<string, string>)).status).toBe(status)
    expect(backend.rescans).toEqual([])
  })

  it('do not read an endless body', async () => {
    const head = `POST /api/rescan HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nAuthorization: Bearer ${gateway.token}\r\n`
    const chunk = `1000\r\n${' '.repeat(0x1000)}\r\n`
    const reply = await sendRaw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}${chunk}`, 'BODY_TOO_LARGE')
    expect(reply).toMatch(/^HTTP\/1\.1 413 /)
  })
})

describe('limits', () => {
  it('of addresses and headers', async () => {
    const long = `/api/search?q=${'a'.repeat(MAX_TARGET_LENGTH)}`
    expect((await get(long)).status).toBe(414)
    const headers = { ...authorization(), 'x-long': 'a'.repeat(40_000) }
    expect((await rawRequest(gateway.port, '/api/status', { headers })).status).toBe(431)
  })

  it('of requests at once: the rest is told to come back', async () => {
    let release = () => {}
    backend.gate = new Promise(resolve => {
      release = resolve
    })
    const running = Array.from({ length: MAX_CONCURRENT_REQUESTS }, () => get('/api/search?q=a'))
    await expect.poll(() => backend.searches.length).toBe(MAX_CONCURRENT_REQUESTS)
    const refused = await get('/api/search?q=a')
    expect(refused.status).toBe(503)
    expect(refused.headers['retry-after']).toBe('1')
    release()
    expect((await Promise.all(running)).every(reply => reply.status === 200)).toBe(true)
    backend.gate = undefined
    expect((await get('/api/search?q=a')).status).toBe(200)
  })

  it.each([
    ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
    ['HTTP/1.0 without host', 'GET /health HTTP/1.0\r\n\r\n'],
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a proxy request', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n'],
    ['smuggling', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('refuses %s', async (_why, text) => {
    const reply = await sendRaw(text)
    expect(reply).not.toMatch(/ 200 /)
    expect((await rawRequest(gateway.port, '/health')).status).toBe(200)
  })
})

describe('cancelling', () => {
  it('reaches the backend when the client goes away', async () => {
    backend.gate = new Promise(() => {})
    const controller = new AbortController()
    const asked = fetch(`${gateway.origin}/api/search?q=a`, { headers: authorization(), signal: controller.signal })
    await expect.poll(() => backend.searches.length).toBe(1)
    controller.abort()
    await expect(asked).rejects.toThrow()
    await expect.poll(() => backend.searches[0]?.signal.aborted).toBe(true)
    expect((await get('/metrics')).body).toMatch(/hotpath_http_requests_total\{route="\/api\/search",status="499"\} 1/)
  })
})

describe('metrics', () => {
  it('count by route, never by what a client invents', async () => {
    await get('/api/search?q=a')
    await get('/invented/by/client')
    await rawRequest(gateway.port, '/api/status')
    const { body, headers } = await get('/metrics')
    expect(headers['content-type']).toMatch(/^text\/plain/)
    expect(body).toContain('hotpath_http_requests_total{route="/api/search",status="200"} 1')
    expect(body).toContain('hotpath_http_requests_total{route="other",status="404"} 1')
    expect(body).toContain('hotpath_http_refused_total{reason="token-missing"} 1')
    expect(body).toContain('hotpath_search_engine_seconds_count 1')
    expect(body).toContain('# TYPE hotpath_entries gauge\nhotpath_entries 50\n')
    expect(body).toContain('# TYPE hotpath_watch_losses_total counter\nhotpath_watch_losses_total 2\n')
    expect(body).toContain('# TYPE hotpath_cache_hits_total counter\nhotpath_cache_hits_total{cache="results"} 7\n')
    expect(body).toContain('# TYPE hotpath_cache_bytes gauge\nhotpath_cache_bytes{cache="results"} 4096\n')
    expect(body).toContain('hotpath_index_up 1')
    expect(body).not.toContain('invented')
  })
})

describe('event streams', () => {
  const head = () =>
    `GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nAuthorization: Bearer ${gateway.token}\r\n\r\n`

  it('begin with the status and tell what changes', async () => {
    const seen = sendRaw(head(), 'event: changed')
    await expect.poll(() => gateway.hub.streamCount).toBe(1)
    backend.emit({ type: 'changed', root: 'tree-1', clock: '7' })
    const text = await seen
    expect(text).toContain('Content-Type: text/event-stream'.toLowerCase())
    expect(text).toContain('event: status\ndata: {"status":{"version":"test"')
    expect(text).toContain('event: changed\ndata: {"root":"tree-1","clock":"7"}\n\n')
    await expect.poll(() => gateway.hub.streamCount).toBe(0)
  })

  it('tell of rows of databases whoever has the token, and nobody else', async () => {
    const open = await startTestGateway(backend, true)
    const streams = [gateway, open].map(({ port, token }) => {
      const source = connect(port, '127.0.0.1')
      source.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`)
      source.write(port === open.port ? '\r\n' : `Authorization: Bearer ${token}\r\n\r\n`)
      let text = ''
      source.on('data', piece => {
        text += piece.toString('latin1')
      })
      return { source, text: () => text }
    })
    await expect.poll(() => gateway.hub.streamCount + open.hub.streamCount).toBe(2)
    for (let i = 0; i < 5; i++) backend.emit({ type: 'rows' })
    backend.emit({ type: 'changed', root: 'tree-1', clock: '7' })
    const [known, stranger] = streams
    for (const { text } of streams) await expect.poll(text).toContain('event: changed')
    expect(known!.text().match(/event: rows\ndata: \{\}\n\n/g)).toHaveLength(1)
    expect(stranger!.text()).not.toContain('rows')
    for (const { source } of streams) source.destroy()
    await open.stop()
  })

  it('do not grow for a reader that does not read', async () => {
    const socket = connect(gateway.port, '127.0.0.1', () => socket.write(head()))
    socket.on('error', () => undefined)
    socket.pause()
    await expect.poll(() => gateway.hub.streamCount).toBe(1)
    // Megabytes of events: first the socket fills, then the mailbox, then there is a resync and nothing grows.
    const root = 'r'.repeat(50_000)
    let sent = 0
    await expect
      .poll(() => {
        for (let i = 0; i < 65; i++) backend.emit({ type: 'changed', root: `${root}${sent++}`, clock: '1' })
        return gateway.hub.resyncs
      })
      .toBeGreaterThan(0)
    socket.destroy()
    await expect.poll(() => gateway.hub.streamCount).toBe(0)
  })

  it('are bounded in number', async () => {
    const sockets = Array.from({ length: MAX_STREAMS }, () => {
      const socket = connect(gateway.port, '127.0.0.1', () => socket.write(head()))
      return socket.on('error', () => undefined)
    })
    await expect.poll(() => gateway.hub.streamCount).toBe(MAX_STREAMS)
    expect((await get('/api/events')).status).toBe(503)
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => gateway.hub.streamCount).toBe(0)
  })

  it('say that the index is away', async () => {
    backend.failure = unavailable
    expect(await sendRaw(head(), 'event: away')).toContain('event: away')
  })
})

it('leaves nothing behind when it stops', async () => {
  const socket = connect(gateway.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await gateway.stop()
  expect(backend.listenerCount).toBe(0)
  await expect(rawRequest(gateway.port, '/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  backend.rows.push(fakeRow('/x', new Uint8Array([0x61]), 1))
  socket.destroy()
})

describe('sessions', () => {
  const ask = (query: string, session?: string) =>
    rawRequest(gateway.port, `/api/search?q=${query}`, {
      headers: { ...authorization(), ...(session === undefined ? {} : { 'hotpath-session': session }) },
    })

  it('have one search under way: a newer one has the older one stopped', async () => {
    let open = () => {}
    backend.gate = new Promise(resolve => {
      open = resolve
    })
    const first = ask('r', 'box-1')
    const other = ask('m', 'box-2')
    const alone = ask('n')
    await expect.poll(() => backend.searches.length).toBe(3)
    const second = ask('re', 'box-1')
    const replaced = await first
    expect([replaced.status, JSON.parse(replaced.body).error.code]).toEqual([409, 'REPLACED'])
    expect(backend.searches.filter(({ signal }) => signal.aborted).map(({ request }) => request.query)).toEqual(['r'])
    open()
    expect((await Promise.all([second, other, alone])).map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await ask('rep', 'box-1')).status).toBe(200)
  })

  it('have short names', async () => {
    expect((await ask('r', 'x'.repeat(64))).status).toBe(200)
    for (const name of ['x'.repeat(65), 'a b']) expect((await ask('r', name)).status).toBe(400)
  })
})

it('answers 429 to whoever asks too much, and says when to come again', async () => {
  await gateway.stop()
  gateway = await startTestGateway(backend, false, { rate: { perSecond: 0.01, burst: 1.9 } })
  const statuses: number[] = []
  // What the index computes costs one.
  for (let i = 0; i < 3; i++) statuses.push((await get('/api/search?q=r')).status)
  expect(statuses).toEqual([200, 200, 429])
  const refused = await get('/api/status')
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(60)
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(110)
  expect(JSON.parse(refused.body).error.code).toBe('RATE_LIMIT')
  // Probes and pages are not part of it.
  expect((await get('/health')).status).toBe(200)
  expect((await get('/metrics')).status).toBe(200)
  backend.isCached = true
  await gateway.stop()
  gateway = await startTestGateway(backend, false, { rate: { perSecond: 0.001, burst: 2 } })
  for (let i = 0; i < 30; i++) expect((await get('/api/search?q=r')).status).toBe(200)
})
