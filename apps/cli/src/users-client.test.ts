import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QueryError, UnavailableError } from '@hotpath/client'
import { resolveConfig } from '@hotpath/service'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectIndex } from './connect.js'
import type { IndexClient } from './index-client.js'
import { connectAsUser } from './users-client.js'

const FRESH = { state: 'live', lagMs: 3, dirty: [], dirtyCount: 0 }
const HIT = {
  id: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  path: '/home/ann/r\ufffdport.txt',
  pathBytes: Buffer.from('/home/ann/r\xffport.txt', 'latin1').toString('base64'),
  name: 'r\ufffdport.txt',
  dir: '/home/ann',
  type: 'file',
  size: 42,
  modified: '2024-05-01T10:00:00.1234567Z',
  created: null,
  accessed: '2024-05-01T11:00:00Z',
  hot: 0.5,
  opens: 2,
  opened: '2024-05-02T08:00:00Z',
  matched: [],
  fuzzy: false,
  rank: { hot: 0.5, nearness: 0, allTerms: true, place: 'inside', characters: 10, depth: 3 },
}
const ROOT = {
  ...HIT,
  path: '/',
  pathBytes: undefined,
  name: '',
  type: 'directory',
  size: null,
  modified: '1969-12-31T23:59:59Z',
}
const ANSWER = {
  total: 1,
  fuzzyTotal: 1,
  clock: 'c',
  fresh: FRESH,
  partial: true,
  tookMs: 2,
  hits: [HIT, ROOT],
  explain: { plan: 'p' },
}

let folder = ''
let path = ''
let server: Server
let asked: string[]
let answers: { status: number; body: unknown }[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotpath-cli-'))
  path = join(folder, 'search.sock')
  asked = []
  answers = []
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const { status, body } = answers.shift() ?? { status: 200, body: { clock: 'now' } }
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }).listen(path)
  await once(server, 'listening')
})
afterEach(async () => {
  server.close()
  await once(server, 'close')
  rmSync(folder, { recursive: true, force: true })
})

async function connected(): Promise<IndexClient> {
  const client = await connectAsUser(path)
  asked = []
  return client
}

describe('the service of another user', () => {
  it('is asked with everything that a search says, and read to the byte', async () => {
    const client = await connected()
    answers.push({ status: 200, body: ANSWER })
    const found = await client.search({
      query: Buffer.from('r\xff & é', 'latin1'),
      limit: 100_000,
      offset: 0,
      sort: 'extension',
      descending: true,
      under: '/home',
      minClock: 'a:b',
      match: 'auto',
      caseMode: 'smart',
      fuzzy: true,
      explain: true,
    })
    expect(asked).toEqual([
      '/api/search?q=r%ff%20%26%20%e9&limit=1000&offset=0&sort=ext-desc&under=%2fhome&minClock=a%3Ab&match=auto&case=smart&fuzzy=auto&explain=1',
    ])
    expect(found).toMatchObject({ total: 1, fuzzyTotal: 1, exactRows: 1, clock: 'c', partial: true, tookMs: 2 })
    expect(found.hits[0]).toMatchObject({
      id: HIT.id,
      name: 'r\ufffdport.txt',
      directory: '/home/ann',
      kind: 'file',
      sizeBytes: 42,
      modified: { seconds: Date.UTC(2024, 4, 1, 10) / 1000, ticks: 1_234_567 },
      created: undefined,
      accessed: { seconds: Date.UTC(2024, 4, 1, 11) / 1000, ticks: 0 },
      hot: 0.5,
      opens: 2,
      opened: { seconds: Date.UTC(2024, 4, 2, 8) / 1000, ticks: 0 },
      fuzzy: false,
      rank: HIT.rank,
    })
    expect(found.explanation).toEqual({ plan: 'p' })
    expect(Buffer.from(found.hits[0]!.pathBytes).toString('latin1')).toBe('/home/ann/r\xffport.txt')
    expect(found.hits[1]).toMatchObject({ path: '/', name: '', kind: 'directory', fuzzy: true, sizeBytes: undefined })
    expect(found.hits[1]!.modified).toEqual({ seconds: -1, ticks: 0 })
  })

  it('counts without asking for rows', async () => {
    const client = await connected()
    answers.push({ status: 200, body: { ...ANSWER, hits: [], fuzzyTotal: null } })
    expect(await client.search({ query: 'a', countOnly: true, offset: 0 })).toMatchObject({
      total: 1,
      fuzzyTotal: undefined,
    })
    expect(asked).toEqual(['/api/search?q=a&count=1'])
  })

  it('is waited for while it is busy, and its errors are those of a search', async () => {
    const client = await connected()
    answers.push({ status: 429, body: {} }, { status: 200, body: ANSWER })
    expect((await client.search({ query: 'a' })).total).toBe(1)
    const error = { code: 'SYNTAX', message: 'wrong', position: 2, expected: ')' }
    answers.push({ status: 400, body: { error } })
    const failure = await client.search({ query: 'é (' }).catch((reason: unknown) => reason)
    expect(failure).toBeInstanceOf(QueryError)
    expect(failure).toMatchObject({ reason: 'SYNTAX', position: 3, expected: ')' })
    answers.push({ status: 503, body: { error: { code: 'UNAVAILABLE', message: 'away' } } })
    await expect(client.search({ query: 'a' })).rejects.toThrow(UnavailableError)
    await expect(client.status()).rejects.toThrow('only answers searches')
    answers.push({ status: 200, body: '<html>' })
    await expect(client.clock()).rejects.toThrow('is no hotpath')
  })

  it('is asked where no own one runs, if the configuration says where it is', async () => {
    const surroundings = { environment: {}, homeDirectory: folder, workingDirectory: folder }
    const data = ['dataDir', [join(folder, 'data')]] as const
    const { config } = await resolveConfig({ ...surroundings, flags: new Map([data, ['usersListen', [path]]]) })
    const client = await connectIndex(config, { start: false, say: () => {} })
    expect((await client.clock()).clock).toBe('now')
    const { config: without } = await resolveConfig({ ...surroundings, flags: new Map([data]) })
    await expect(connectIndex(without, { start: false, say: () => {} })).rejects.toThrow(UnavailableError)
    await expect(
      connectIndex({ ...config, usersListen: join(folder, 'absent') }, { start: false, say: () => {} }),
    ).rejects.toThrow('nothing answers on')
  })
})
