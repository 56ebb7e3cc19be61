import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseRange } from '../desktop/served-file.js'
import { FakeBackend, fakeRow } from '../testing/fake-backend.js'
import { rawRequest, startTestGateway, type TestGateway } from '../testing/test-gateway.js'

const BAD_NAME = Buffer.concat([Buffer.from("a'b (1)*"), Buffer.of(0xff)])

let directory: string
let backend: FakeBackend
let gateway: TestGateway
const done: string[] = []
const desktop = {
  async open(path: Uint8Array) {
    if (Buffer.from(path).toString().includes('locked')) throw new UnavailableError('exit code 4')
    done.push(`open ${Buffer.from(path).toString('latin1')}`)
  },
  async reveal(path: Uint8Array) {
    done.push(`reveal ${Buffer.from(path).toString('latin1')}`)
  },
}

beforeEach(() => {
  done.length = 0
  directory = mkdtempSync(join(tmpdir(), 'hotpath-file-'))
  backend = new FakeBackend(0)
  for (const name of ['digits.txt', 'locked', 'empty'])
    writeFileSync(join(directory, name), name === 'empty' ? '' : '0123456789')
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), BAD_NAME]), 'bytes')
  utimesSync(join(directory, 'digits.txt'), 1_700_000_000, 1_700_000_000)
  mkdirSync(join(directory, 'sub'))
  symlinkSync('digits.txt', join(directory, 'link'))
  const names = ['digits.txt', 'locked', 'empty', 'sub', 'link', 'gone'].map(name => Buffer.from(name))
  backend.rows = [...names, BAD_NAME].map((name, i) => fakeRow(directory, name, i))
})
afterEach(async () => {
  await gateway.stop()
  rmSync(directory, { recursive: true, force: true })
})

const authorization = () => ({ authorization: `Bearer ${gateway.token}` })
const codeOf = (body: string) => JSON.parse(body).error.code
const escaped = (name: Buffer) =>
  [...Buffer.from(`${directory}/`), ...name].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')

describe('launching', () => {
  const launch = (body: object) => {
    const headers = { ...authorization(), 'content-type': 'application/json' }
    return rawRequest(gateway.port, '/api/launch', { method: 'POST', headers, body: JSON.stringify(body) })
  }

  it('opens and shows what is indexed and there, and counts it as an open', async () => {
    gateway = await startTestGateway(backend, false, { desktop })
    const file = join(directory, 'digits.txt')
    expect(await launch({ path: file, action: 'open' })).toMatchObject({ status: 200, body: '{"launched":true}' })
    const pathBytes = Buffer.concat([Buffer.from(`${directory}/`), BAD_NAME]).toString('base64')
    expect((await launch({ pathBytes, action: 'reveal' })).status).toBe(200)
    expect(done).toEqual([`open ${file}`, `reveal ${directory}/${BAD_NAME.toString('latin1')}`])
    expect(backend.opens).toEqual([backend.rows[0]!.id, backend.rows[6]!.id])
    const status = JSON.parse((await rawRequest(gateway.port, '/api/status', { headers: authorization() })).body)
    expect(status.features).toEqual({ launch: true, download: false })
  })

  it('refuses what is not indexed, not there, or cannot be opened', async () => {
    gateway = await startTestGateway(backend, false, { desktop })
    expect((await launch({ path: '/etc/passwd', action: 'open' })).status).toBe(404)
    expect((await launch({ path: join(directory, 'gone'), action: 'open' })).status).toBe(404)
    expect((await launch({ path: join(directory, 'locked'), action: 'open' })).status).toBe(503)
    for (const body of [{}, { path: '/a' }, { path: '/a', action: 'run' }, { path: 'a', action: 'open' }]) {
      expect((await launch(body)).status).toBe(400)
    }
    expect((await launch({ id: backend.rows[0]!.id, action: 'open' })).status).toBe(400)
    expect(done).toEqual([])
  })

  it('is off without a desktop', async () => {
    gateway = await startTestGateway(backend)
    const reply = await launch({ path: join(directory, 'digits.txt'), action: 'open' })
    expect([reply.status, codeOf(reply.body), backend.opens]).toEqual([403, 'DISABLED', []])
  })
})

describe('downloads', () => {
  const get = (name: string | Buffer, headers: Record<string, string> = {}, method = 'GET') =>
    rawRequest(gateway.port, `/api/file?path=${escaped(Buffer.from(name))}`, {
      headers: { ...authorization(), ...headers },
      method,
    })

  it('are off unless they are switched on', async () => {
    gateway = await startTestGateway(backend)
    const reply = await get('digits.txt')
    expect([reply.status, codeOf(reply.body)]).toEqual([403, 'DISABLED'])
  })

  it('send an indexed file to be saved, never to be shown', async () => {
    gateway = await startTestGateway(backend, false, { download: true })
    const reply = await get('digits.txt')
    expect([reply.status, reply.body]).toEqual([200, '0123456789'])
    expect(reply.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': "attachment; filename*=UTF-8''digits.txt",
      'content-length': '10',
      'accept-ranges': 'bytes',
      'last-modified': 'Tue, 14 Nov 2023 22:13:20 GMT',
      'x-content-type-options': 'nosniff',
    })
    expect(await get('empty')).toMatchObject({ status: 200, body: '' })
    expect(await get('digits.txt', {}, 'HEAD')).toMatchObject({ status: 200, body: '' })
    const odd = await get(BAD_NAME)
    expect([odd.body, odd.headers['content-disposition']]).toEqual([
      'bytes',
      "attachment; filename*=UTF-8''a%27b%20%281%29%2A%EF%BF%BD",
    ])
    expect(backend.opens).toHaveLength(4)
  })

  it('send ranges', async () => {
    gateway = await startTestGateway(backend, false, { download: true })
    const range = async (range: string) => {
      const { status, headers, body } = await get('digits.txt', { range })
      return [status, headers['content-range'], body]
    }
    expect(await range('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234'])
    expect(await range('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await range('bytes=-3')).toEqual([206, 'bytes 7-9/10', '789'])
    expect(await range('bytes=0-1,3-4')).toEqual([200, undefined, '0123456789'])
    expect(await range('bytes=10-')).toEqual([416, 'bytes */10', ''])
  })

  it('send nothing but regular files that are indexed, and nothing behind a link', async () => {
    gateway = await startTestGateway(backend, false, { download: true })
    execFileSync('mkfifo', [join(directory, 'gone')])
    for (const name of ['sub', 'link', 'gone', 'other', '../../etc/passwd']) expect((await get(name)).status).toBe(404)
    for (const query of ['', 'path=a', 'path=/a%00', 'path=/a&x=1', 'id=x']) {
      const reply = await rawRequest(gateway.port, `/api/file?${query}`, { headers: authorization() })
      expect([query, reply.status]).toEqual([query, 400])
    }
  })

  it('need the token even where reading needs none', async () => {
    gateway = await startTestGateway(backend, true, { download: true })
    const target = `/api/file?path=${escaped(Buffer.from('digits.txt'))}`
    expect((await rawRequest(gateway.port, target)).status).toBe(401)
    expect((await rawRequest(gateway.port, '/api/search?q=')).status).toBe(200)
    expect((await get('digits.txt')).status).toBe(200)
  })
})

it.each([
  [undefined, 10, undefined],
  ['bytes=-', 10, undefined],
  ['lines=1-2', 10, undefined],
  ['bytes=4-2', 10, undefined],
  ['bytes=0-99', 10, { start: 0, end: 10 }],
  ['bytes=-99', 10, { start: 0, end: 10 }],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
])('the range %s of %i bytes is %o', (header, sizeBytes, expected) => {
  expect(parseRange(header, sizeBytes)).toEqual(expected)
})
