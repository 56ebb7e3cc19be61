import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FakeBackend } from '../testing/fake-backend.js'
import { rawRequest, startTestGateway, type TestGateway } from '../testing/test-gateway.js'
import { cookieName } from './http-server.js'

/** Each row: what is sent, and what must come back. `PORT` stands for the port, `TOKEN` for the token. */
interface Row {
  readonly why: string
  readonly method?: string
  readonly target?: string
  readonly headers: Record<string, string | string[]>
  readonly status: number
}

const good = { host: '127.0.0.1:PORT', authorization: 'Bearer TOKEN' }
const own = 'http://127.0.0.1:PORT'
const cookie = 'COOKIE=TOKEN'
const rescan = { method: 'POST', target: '/api/rescan' }
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

const rows: readonly Row[] = [
  // What passes.
  { why: 'bearer, no origin', headers: good, status: 200 },
  { why: 'bearer, localhost', headers: { ...good, host: 'localhost:PORT' }, status: 200 },
  { why: 'bearer, own origin', headers: { ...good, origin: own }, status: 200 },
  {
    why: 'bearer, own origin as localhost',
    headers: { ...good, host: 'localhost:PORT', origin: 'http://localhost:PORT' },
    status: 200,
  },
  { why: 'cookie, same origin', headers: { host: good.host, cookie, 'sec-fetch-site': 'same-origin' }, status: 200 },
  { why: 'cookie among others', headers: { host: good.host, cookie: `a=b; ${cookie}; c=d` }, status: 200 },
  { why: 'cookie, address typed by hand', headers: { host: good.host, cookie, 'sec-fetch-site': 'none' }, status: 200 },
  { why: 'HEAD with bearer', method: 'HEAD', headers: good, status: 200 },
  { why: 'POST with bearer', ...rescan, headers: good, status: 202 },
  { why: 'POST with bearer and own origin', ...rescan, headers: { ...good, origin: own }, status: 202 },
  { why: 'POST with cookie and own origin', ...rescan, headers: { host: good.host, cookie, origin: own }, status: 202 },
  { why: 'health without token', target: '/health', headers: { host: good.host }, status: 200 },
  { why: 'login address', target: '/?token=TOKEN', headers: { host: good.host }, status: 303 },
  // Host.
  { why: 'rebound name', headers: { ...good, host: 'evil.example:PORT' }, status: 403 },
  { why: 'rebound name with own origin', headers: { ...good, host: 'evil.example:PORT', origin: own }, status: 403 },
  {
    why: 'rebound name, same origin',
    headers: { ...good, host: 'evil.example:PORT', origin: 'http://evil.example:PORT' },
    status: 403,
  },
  { why: 'host without port', headers: { ...good, host: '127.0.0.1' }, status: 403 },
  { why: 'host with another port', headers: { ...good, host: '127.0.0.1:1' }, status: 403 },
  { why: 'host with trailing dot', headers: { ...good, host: 'localhost.:PORT' }, status: 403 },
  { why: 'host that begins like ours', headers: { ...good, host: '127.0.0.1:PORT.evil.example' }, status: 403 },
  { why: 'host of another loopback address', headers: { ...good, host: '127.0.0.2:PORT' }, status: 403 },
  { why: 'host 0.0.0.0', headers: { ...good, host: '0.0.0.0:PORT' }, status: 403 },
  { why: 'two hosts', headers: { ...good, host: ['127.0.0.1:PORT', 'evil.example'] }, status: 403 },
  { why: 'health under a rebound name', target: '/health', headers: { host: 'evil.example:PORT' }, status: 403 },
  { why: 'login under a rebound name', target: '/?token=TOKEN', headers: { host: 'evil.example' }, status: 403 },
  { why: 'absolute target', target: 'http://127.0.0.1:PORT/api/status', headers: good, status: 400 },
  { why: 'target with two slashes', target: '//evil.example/', headers: good, status: 400 },
  // Origin.
  { why: 'foreign origin', headers: { ...good, origin: 'http://evil.example' }, status: 403 },
  { why: 'null origin', headers: { ...good, origin: 'null' }, status: 403 },
  { why: 'empty origin', headers: { ...good, origin: '' }, status: 403 },
  { why: 'https origin', headers: { ...good, origin: 'https://127.0.0.1:PORT' }, status: 403 },
  { why: 'origin of another port', headers: { ...good, origin: 'http://127.0.0.1:1' }, status: 403 },
  { why: 'localhost origin, 127.0.0.1 host', headers: { ...good, origin: 'http://localhost:PORT' }, status: 403 },
  { why: 'foreign origin on health', target: '/health', headers: { host: good.host, origin: 'null' }, status: 403 },
  { why: 'POST, foreign origin', ...rescan, headers: { ...good, origin: 'http://evil.example' }, status: 403 },
  {
    why: 'POST, cookie, foreign origin',
    ...rescan,
    headers: { host: good.host, cookie, origin: 'http://x.y' },
    status: 403,
  },
  { why: 'POST, cookie, no origin', ...rescan, headers: { host: good.host, cookie }, status: 403 },
  // Fetch metadata.
  { why: 'cross-site', headers: { ...good, 'sec-fetch-site': 'cross-site' }, status: 403 },
  { why: 'same-site (another port)', headers: { ...good, 'sec-fetch-site': 'same-site' }, status: 403 },
  { why: 'unknown fetch site', headers: { ...good, 'sec-fetch-site': 'same-origin, none' }, status: 403 },
  {
    why: 'cross-site on login',
    target: '/?token=TOKEN',
    headers: { host: good.host, 'sec-fetch-site': 'cross-site' },
    status: 403,
  },
  // Token.
  { why: 'no token', headers: { host: good.host }, status: 401 },
  { why: 'no token, own origin', headers: { host: good.host, origin: own }, status: 401 },
  { why: 'wrong token', headers: { host: good.host, authorization: 'Bearer wrong' }, status: 401 },
  { why: 'empty token', headers: { host: good.host, authorization: 'Bearer ' }, status: 401 },
  { why: 'token with a character more', headers: { host: good.host, authorization: 'Bearer TOKENx' }, status: 401 },
  { why: 'unknown scheme', headers: { host: good.host, authorization: 'Digest TOKEN' }, status: 401 },
  { why: 'token as user', headers: { host: good.host, authorization: 'BASIC-USER' }, status: 401 },
  { why: 'token as password', headers: { host: good.host, authorization: 'BASIC-PASSWORD' }, status: 200 },
  {
    why: 'a bearer of an earlier start beside a good cookie',
    headers: { host: good.host, authorization: 'Bearer x', cookie },
    status: 200,
  },
  { why: 'wrong cookie', headers: { host: good.host, cookie: 'COOKIE=wrong' }, status: 401 },
  { why: 'token in a cookie of another name', headers: { host: good.host, cookie: 'hotpath=TOKEN' }, status: 401 },
  {
    why: 'token in the address of the interface',
    target: '/api/status?token=TOKEN',
    headers: { host: good.host },
    status: 401,
  },
  { why: 'wrong login', target: '/?token=wrong', headers: { host: good.host }, status: 401 },
  {
    why: 'login beside a password of an earlier start',
    target: '/?token=TOKEN',
    headers: { host: good.host, authorization: basic('', 'old') },
    status: 303,
  },
  { why: 'POST of a login', method: 'POST', target: '/?token=TOKEN', headers: { host: good.host }, status: 401 },
  { why: 'two logins', target: '/?token=TOKEN&token=TOKEN', headers: { host: good.host }, status: 401 },
  { why: 'POST without token', ...rescan, headers: { host: good.host, origin: own }, status: 401 },
  { why: 'page without token', target: '/', headers: { host: good.host }, status: 401 },
  { why: 'metrics without token', target: '/metrics', headers: { host: good.host }, status: 401 },
  { why: 'events without token', target: '/api/events', headers: { host: good.host }, status: 401 },
  { why: 'POST to health without token', method: 'POST', target: '/health', headers: { host: good.host }, status: 401 },
  // Method.
  { why: 'OPTIONS (preflight)', method: 'OPTIONS', headers: { ...good, origin: own }, status: 405 },
  { why: 'PUT', method: 'PUT', headers: good, status: 405 },
  { why: 'DELETE', method: 'DELETE', headers: good, status: 405 },
  { why: 'TRACE', method: 'TRACE', headers: good, status: 405 },
  { why: 'POST to a reading address', method: 'POST', headers: good, status: 404 },
  { why: 'GET of an action', target: '/api/rescan', headers: good, status: 404 },
]

let gateway: TestGateway
let open: TestGateway
let backend: FakeBackend

beforeAll(async () => {
  backend = new FakeBackend(20)
  gateway = await startTestGateway(backend)
  open = await startTestGateway(new FakeBackend(20), true)
})
afterAll(async () => {
  await gateway.stop()
  await open.stop()
})

function fill({ port, token }: TestGateway, text: string): string {
  return text
    .replaceAll('PORT', String(port))
    .replace('BASIC-USER', basic(token, ''))
    .replace('BASIC-PASSWORD', basic('anybody', token))
    .replaceAll('TOKEN', token)
    .replaceAll('COOKIE', cookieName(port))
}

async function send(to: TestGateway, { method, target = '/api/status', headers }: Omit<Row, 'status' | 'why'>) {
  const filled = Object.entries(headers).map(
    ([name, value]) => [name, Array.isArray(value) ? value.map(one => fill(to, one)) : fill(to, value)] as const,
  )
  return await rawRequest(to.port, fill(to, target), {
    ...(method === undefined ? {} : { method }),
    headers: Object.fromEntries(filled),
  })
}

describe('Host × Origin × token × method', () => {
  it.each(rows)('$why → $status', async row => {
    const before = backend.rescans.length
    const reply = await send(gateway, row)
    expect(reply.status).toBe(row.status)
    expect(reply.headers['access-control-allow-origin']).toBeUndefined()
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'")
    expect(reply.headers['x-content-type-options']).toBe('nosniff')
    expect(reply.headers['referrer-policy']).toBe('no-referrer')
    if (row.status >= 400) {
      expect(backend.rescans.length).toBe(before)
      expect(reply.body).not.toContain(gateway.token)
    }
  })

  it('sets a cookie that only this server gets back, and hides the token from the address', async () => {
    const reply = await send(gateway, { target: '/?token=TOKEN', headers: { host: good.host } })
    expect(reply.headers.location).toBe('/')
    expect(reply.headers['cache-control']).toBe('no-store')
    const [setCookie = ''] = reply.headers['set-cookie'] ?? []
    expect(setCookie).toBe(`${cookieName(gateway.port)}=${gateway.token}; Path=/; HttpOnly; SameSite=Strict`)
    const again = await send(gateway, { target: '/', headers: { host: good.host, cookie: setCookie.split(';')[0]! } })
    expect(again.status).toBe(200)
    expect(again.body).toContain('<!doctype html>')
  })

  it('asks a browser for the token, and a program for a bearer', async () => {
    const page = await send(gateway, { target: '/', headers: { host: good.host, accept: 'text/html,*/*' } })
    expect(page.headers['www-authenticate']).toMatch(/^Basic /)
    const api = await send(gateway, { headers: { host: good.host, accept: 'text/html,*/*' } })
    expect(api.headers['www-authenticate']).toMatch(/^Bearer /)
  })
})

describe('open_read', () => {
  const openRows: readonly Row[] = [
    { why: 'GET without token', headers: { host: good.host }, status: 200 },
    { why: 'page without token', target: '/', headers: { host: good.host }, status: 200 },
    { why: 'rebound name', headers: { host: 'evil.example:PORT' }, status: 403 },
    { why: 'foreign origin', headers: { host: good.host, origin: 'http://evil.example' }, status: 403 },
    { why: 'cross-site', headers: { host: good.host, 'sec-fetch-site': 'cross-site' }, status: 403 },
    { why: 'a wrong token is still wrong', headers: { host: good.host, authorization: 'Bearer x' }, status: 401 },
    { why: 'a cookie of an earlier start', headers: { host: good.host, cookie: 'COOKIE=old' }, status: 200 },
    { why: 'a wrong login is still wrong', target: '/?token=x', headers: { host: good.host }, status: 401 },
    { why: 'POST without token', ...rescan, headers: { host: good.host, origin: own }, status: 401 },
    { why: 'POST with token', ...rescan, headers: good, status: 202 },
  ]
  it.each(openRows)('$why → $status', async row => {
    expect((await send(open, row)).status).toBe(row.status)
  })
})
