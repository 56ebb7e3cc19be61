import { Agent, request } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FakeBackend } from '../testing/fake-backend.js'
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js'
import { cookieName } from './http-server.js'

/** The whole product: whatever is combined, nothing passes but the good rows (access.test.ts has the odd single ones). */

let gateway: TestGateway
const agent = new Agent({ keepAlive: true, maxSockets: 4 })
beforeAll(async () => {
  gateway = await startTestGateway(new FakeBackend(20))
})
afterAll(async () => {
  agent.destroy()
  await gateway.stop()
})

type Place = 'own' | 'localhost' | 'foreign' | 'other-port' | 'absent' | 'null'
const HOSTS: readonly Place[] = ['own', 'localhost', 'foreign', 'other-port']
const ORIGINS: readonly Place[] = ['absent', 'own', 'localhost', 'foreign', 'other-port', 'null']
const SITES = [undefined, 'same-origin', 'none', 'same-site', 'cross-site'] as const
const TOKENS = ['bearer', 'basic', 'cookie', 'none', 'wrong', 'wrong-cookie', 'in-address'] as const
const METHODS = ['GET', 'POST', 'OPTIONS', 'PUT', 'DELETE'] as const

interface Row {
  readonly host: Place
  readonly origin: Place
  readonly site: (typeof SITES)[number]
  readonly token: (typeof TOKENS)[number]
  readonly method: (typeof METHODS)[number]
}

function* product(): Generator<Row> {
  for (const host of HOSTS) {
    for (const origin of ORIGINS) {
      for (const site of SITES) {
        for (const token of TOKENS) for (const method of METHODS) yield { host, origin, site, token, method }
      }
    }
  }
}

/** The rule in other words than those of the code. */
function mayPass({ host, origin, site, token, method }: Row): boolean {
  if (method !== 'GET' && method !== 'POST') return false
  if (host !== 'own' && host !== 'localhost') return false
  if (origin !== 'absent' && origin !== host) return false
  if (site === 'same-site' || site === 'cross-site') return false
  if (token === 'cookie') return method === 'GET' || origin === host
  return token === 'bearer' || token === 'basic'
}

function addressOf(place: Place): string {
  if (place === 'own') return `127.0.0.1:${gateway.port}`
  if (place === 'localhost') return `localhost:${gateway.port}`
  return place === 'other-port' ? '127.0.0.1:1' : `evil.example:${gateway.port}`
}

function send({ host, origin, site, token, method }: Row): Promise<number> {
  const { port, token: secret } = gateway
  const headers: Record<string, string> = { host: addressOf(host) }
  if (origin !== 'absent') headers.origin = origin === 'null' ? 'null' : `http://${addressOf(origin)}`
  if (site !== undefined) headers['sec-fetch-site'] = site
  if (token === 'bearer') headers.authorization = `Bearer ${secret}`
  if (token === 'basic') headers.authorization = `Basic ${Buffer.from(`x:${secret}`).toString('base64')}`
  if (token === 'wrong') headers.authorization = `Bearer ${secret.slice(1)}`
  if (token === 'cookie') headers.cookie = `${cookieName(port)}=${secret}`
  if (token === 'wrong-cookie') headers.cookie = `${cookieName(port)}=${secret.slice(1)}`
  const target = method === 'POST' ? '/api/rescan' : '/api/status'
  const path = token === 'in-address' ? `${target}?token=${secret}` : target
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent, setHost: false }, response => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
    sent.once('error', reject)
    sent.end()
  })
}

it('passes the good rows of Host × Origin × Sec-Fetch-Site × token × method, and no other', async () => {
  const rows = [...product()]
  const wrong: string[] = []
  let passed = 0
  for (let from = 0; from < rows.length; from += 64) {
    const some = rows.slice(from, from + 64)
    const statuses = await Promise.all(some.map(send))
    for (const [i, row] of some.entries()) {
      const status = statuses[i]!
      const isGood = mayPass(row)
      if (isGood) passed++
      const expected = isGood ? [row.method === 'POST' ? 202 : 200] : [401, 403, 405]
      if (!expected.includes(status)) wrong.push(`${JSON.stringify(row)}: ${status}`)
    }
  }
  expect(wrong).toEqual([])
  expect(rows.length).toBe(4 * 6 * 5 * 7 * 5)
  // Two hosts, each with two origins, three sites, and three tokens for GET; for POST the cookie needs its origin.
  expect(passed).toBe(2 * 3 * (2 * 3 + 2 * 2 + 1))
})
