import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import type { PeerCredentials } from '@hotpath/platform'
import type { Viewer } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SearchAnswer, SearchRequest } from '../search-backend.js'
import { FakeBackend } from '../testing/fake-backend.js'
import { MAX_USER_CONNECTIONS, MAX_USER_REQUESTS } from './user-limits.js'
import { startUsersServer, type UsersServer } from './users-server.js'

class UsersIndex extends FakeBackend {
  readonly viewers: Viewer[] = []

  async searchAs(viewer: Viewer, asked: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
    this.viewers.push(viewer)
    return await this.search(asked, signal)
  }
}

let folder = ''
let path = ''
let backend: UsersIndex
let server: UsersServer | undefined
let peer: PeerCredentials | Error
const agents: Agent[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotpath-users-'))
  path = join(folder, 'search.sock')
  backend = new UsersIndex(20)
  peer = { pid: 1, user: 54_321, groups: [7, 8] }
})
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy()
  await server?.stop()
  server = undefined
  rmSync(folder, { recursive: true, force: true })
})

async function start(): Promise<UsersServer> {
  server = await startUsersServer({
    path,
    backend,
    highlighter: () => name => ({ text: Buffer.from(name).toString(), matched: [] }),
    log: silentLogger,
    peerOf: () => {
      if (peer instanceof Error) throw peer
      return peer
    },
  })
  return server
}

interface Reply {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: { readonly error?: { readonly code: string }; readonly total?: number; readonly hits?: unknown[] }
}

function ask(target: string, agent?: Agent, method = 'GET'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, path: target, method, agent: agent ?? false }, response => {
      const pieces: Buffer[] = []
      response.on('data', piece => pieces.push(piece))
      response.on('end', () => {
        const text = Buffer.concat(pieces).toString()
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, body: text === '' ? {} : JSON.parse(text) })
      })
    })
    sent.once('error', reject)
    sent.end()
  })
}

describe('the socket of other users', () => {
  it('is open to all, and gone when it stops', async () => {
    await start()
    expect(lstatSync(path).isSocket()).toBe(true)
    expect(lstatSync(path).mode & 0o777).toBe(0o666)
    await server!.stop()
    server = undefined
    expect(existsSync(path)).toBe(false)
  })

  it('replaces what a killed run left', async () => {
    const left = createServer().listen(path)
    await once(left, 'listening')
    // As a kill does: the name stays, nobody listens.
    const copy = `${path}.left`
    const { linkSync, renameSync } = await import('node:fs')
    linkSync(path, copy)
    left.close()
    await once(left, 'close')
    renameSync(copy, path)
    await start()
    expect((await ask('/api/search?q=report')).status).toBe(200)
  })

  it('takes the place of nothing that lives, and of no file', async () => {
    writeFileSync(path, 'precious')
    await expect(start()).rejects.toThrow(UnavailableError)
    rmSync(path)
    const other = createServer(socket => socket.destroy()).listen(path)
    await once(other, 'listening')
    await expect(start()).rejects.toThrow('somebody else listens')
    other.close()
    await once(other, 'close')
    path = join(folder, 'absent/search.sock')
    await expect(start()).rejects.toThrow(UnavailableError)
  })

  it('says who asks, whatever the request says', async () => {
    await start()
    const reply = await ask('/api/search?q=&limit=3')
    expect(reply.status).toBe(200)
    expect(reply.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'")
    expect(reply.body.hits).toHaveLength(3)
    expect(backend.viewers).toEqual([{ user: 54_321, groups: [7, 8] }])
    expect((await ask('/api/search?q=report&user=0')).status).toBe(400)
    expect((await ask('/api/search?q=report', undefined, 'HEAD')).body).toEqual({})
  })

  it('gives root, and the user of the service, everything', async () => {
    await start()
    for (const user of [0, process.geteuid!()]) {
      peer = { pid: 1, user, groups: [7] }
      expect((await ask('/api/search?q=report')).status).toBe(200)
    }
    expect(backend.viewers).toEqual([])
    expect(backend.searches).toHaveLength(2)
  })

  it('gives nobody in particular nothing', async () => {
    peer = new Error('the kernel does not say')
    await start()
    await expect(ask('/api/search?q=report')).rejects.toThrow(/ECONNRESET|hang up|EPIPE/)
    expect(backend.searches).toEqual([])
  })

  it('answers failures as the loopback address does', async () => {
    await start()
    expect(await ask('/api/search?q=(')).toMatchObject({ status: 400, body: { error: { code: 'SYNTAX' } } })
    backend.failure = new UnavailableError('away')
    expect(await ask('/api/search?q=a')).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } })
    backend.failure = new Error('/secret/path')
    const reply = await ask('/api/search?q=a')
    expect(reply.status).toBe(500)
    expect(JSON.stringify(reply.body)).not.toContain('secret')
  })

  it('bounds what one user does at once, and lets others in', async () => {
    let open = (): void => {}
    backend.gate = new Promise(resolve => {
      open = resolve
    })
    await start()
    const waiting = Array.from({ length: MAX_USER_REQUESTS }, () => ask('/api/search?q=report'))
    await expect.poll(() => backend.searches.length).toBe(MAX_USER_REQUESTS)
    expect(await ask('/api/search?q=report')).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
    peer = { pid: 1, user: 54_322, groups: [7] }
    const other = ask('/api/search?q=report')
    await expect.poll(() => backend.searches.length).toBe(MAX_USER_REQUESTS + 1)
    open()
    expect((await Promise.all([...waiting, other])).map(({ status }) => status)).toEqual(
      Array(MAX_USER_REQUESTS + 1).fill(200),
    )
    expect(server!.stats()).toEqual({ connections: expect.any(Number), refused: 1 })
  })

  it('bounds the connections of one user', async () => {
    await start()
    const sockets: Socket[] = []
    for (let i = 0; i < MAX_USER_CONNECTIONS; i++) sockets.push(connect(path))
    await expect.poll(() => server!.stats().connections).toBe(MAX_USER_CONNECTIONS)
    await expect(ask('/api/search?q=report')).rejects.toThrow(/ECONNRESET|hang up|EPIPE/)
    peer = { pid: 1, user: 54_322, groups: [7] }
    expect((await ask('/api/search?q=report')).status).toBe(200)
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => server!.stats().connections).toBe(0)
    peer = { pid: 1, user: 54_321, groups: [7] }
    expect((await ask('/api/search?q=report')).status).toBe(200)
  })

  it('gives up a search whose asker went away', async () => {
    backend.gate = new Promise(() => {})
    await start()
    const agent = new Agent()
    agents.push(agent)
    const asked = ask('/api/search?q=report', agent)
    await expect.poll(() => backend.searches.length).toBe(1)
    agent.destroy()
    await expect(asked).rejects.toThrow()
    await expect.poll(() => backend.searches[0]!.signal.aborted).toBe(true)
  })

  it('warns where its directory is closed', async () => {
    chmodSync(folder, 0o700)
    const warnings: string[] = []
    server = await startUsersServer({
      path,
      backend,
      highlighter: () => () => ({ text: '', matched: [] }),
      log: { ...silentLogger, warn: message => void warnings.push(message) },
    })
    expect(warnings).toEqual(['other users cannot reach the socket: its directory is closed to them'])
  })
})
