import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidInputError, UnavailableError } from '@hotpath/model'
import {
  type Body,
  DealerPeer,
  EventSubscriber,
  MAX_LIVE,
  openBatch,
  readEndpointsFile,
  searchRequest,
} from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Gateway, startGateway } from './compose.js'
import { FakeStore, testDirectory, testIdentity } from './testing/fake-store.js'
import { rawRequest } from './testing/test-gateway.js'

let directory: Awaited<ReturnType<typeof testDirectory>>
let store: FakeStore
let gateway: Gateway
const closers: (() => Promise<void>)[] = []

beforeEach(async () => {
  directory = await testDirectory()
  store = await new FakeStore(directory.endpoints).start()
  gateway = await startGateway({
    dataDir: directory.path,
    port: 0,
    openRead: false,
    endpoints: directory.endpoints,
    identity: testIdentity('gateway'),
    version: '1.2.3',
    log: silentLogger,
  })
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await gateway.stop()
  await store.stop()
  await directory.remove()
})

const token = () => readFileSync(join(directory.path, 'token'), 'utf8').trim()

async function get(target: string): Promise<{ status: number; json: Record<string, unknown> }> {
  const reply = await rawRequest(gateway.port, target, { headers: { authorization: `Bearer ${token()}` } })
  return { status: reply.status, json: JSON.parse(reply.body) }
}

function client(onMessage: (body: Body) => void = () => undefined): DealerPeer {
  const peer = new DealerPeer({
    onMessage,
    endpoint: directory.endpoints.gateway,
    identity: testIdentity('client'),
    expects: 'gateway',
  })
  peer.start()
  closers.push(() => peer.stop())
  return peer
}

describe('HTTP over the store', () => {
  it('answers a search with rows, marks, times and the bytes of names that are no text', async () => {
    store.names = [
      new TextEncoder().encode('Résumé report.txt'),
      new Uint8Array([...Buffer.from('report-'), 0xff, 0xfe]),
      new TextEncoder().encode('other'),
    ]
    const { status, json } = await get('/api/search?q=report&limit=10')
    expect(status).toBe(200)
    expect(json).toMatchObject({ total: 2, clock: '1', partial: false, tookMs: 0.25 })
    expect(json.fresh).toEqual({ state: 'live', lagMs: 0, dirty: [], dirtyCount: 0 })
    expect(json.hits).toEqual([
      {
        id: Buffer.from([1, ...new Array(23).fill(0)]).toString('base64url'),
        path: '/r/Résumé report.txt',
        name: 'Résumé report.txt',
        dir: '/r',
        type: 'file',
        size: 42,
        modified: '2024-05-01T10:00:00.1234567Z',
        created: null,
        accessed: null,
        hot: 0,
        opens: 0,
        opened: null,
        fuzzy: false,
        matched: [[7, 6]],
      },
      expect.objectContaining({
        name: 'report-\ufffd\ufffd',
        pathBytes: Buffer.from([...Buffer.from('/r/report-'), 0xff, 0xfe]).toString('base64'),
        matched: [[0, 6]],
      }),
    ])
  })

  it('names the place of an error in characters', async () => {
    const { status, json } = await get(`/api/search?q=${encodeURIComponent('é𝄞 (x')}`)
    expect(status).toBe(400)
    expect(json).toEqual({
      error: { code: 'SYNTAX', message: 'the group is not closed', position: 4, expected: ')' },
    })
  })

  it('gives totals alone, explanations, the barrier and the status', async () => {
    store.names = [new TextEncoder().encode('a'), new TextEncoder().encode('b')]
    expect((await get('/api/search?q=&count=1')).json).toMatchObject({ total: 2, hits: [] })
    expect((await get('/api/search?q=a&explain=1')).json).toMatchObject({ total: 1, explain: { plan: 'fake' } })
    expect((await get('/api/clock')).json).toEqual({ clock: '1', notCovered: ['list-1'] })
    expect((await get('/api/statistics')).json).toMatchObject({
      types: [{ type: 'folder', count: 3, size: 0 }],
      changesPerMinute: [4, 5],
    })
    expect((await get('/api/sizes')).json).toMatchObject({
      count: 1,
      children: [{ path: '/a', name: 'a', type: 'directory', size: 7 }],
    })
    expect((await get('/api/sizes?under=/b')).status).toBe(404)
    const { json } = await get('/api/status')
    expect(json).toMatchObject({ version: '1.2.3', entries: 2 })
    expect(json.roots).toMatchObject([{ id: 'tree-1', mechanism: 'inotify', segments: 2, scan: null }])
    expect(json.stages).toMatchObject([{ stage: 'gateway', pid: process.pid, state: 'ready' }])
  })

  it('hands a scan on', async () => {
    const headers = { authorization: `Bearer ${token()}`, 'content-type': 'application/json' }
    const reply = await rawRequest(gateway.port, '/api/rescan', { method: 'POST', headers, body: '{"root":"tree-1"}' })
    expect(reply.status).toBe(202)
    expect(store.rescans).toEqual(['tree-1'])
  })

  it('hands an open on', async () => {
    const headers = { authorization: `Bearer ${token()}`, 'content-type': 'application/json' }
    const open = async (body: object) =>
      (await rawRequest(gateway.port, '/api/open', { method: 'POST', headers, body: JSON.stringify(body) })).status
    const id = Buffer.alloc(24, 0xfb).toString('base64url')
    const none = Buffer.alloc(24).toString('base64url')
    expect(await open({ id })).toBe(200)
    expect(await open({ path: '/r/b' })).toBe(200)
    expect(await open({ path: '/r/?' })).toBe(404)
    expect(store.opens).toEqual([
      { id, path: '' },
      { id: none, path: '/r/b' },
      { id: none, path: '/r/?' },
    ])
  })

  it('hands on what is to be forgotten', async () => {
    const headers = { authorization: `Bearer ${token()}`, 'content-type': 'application/json' }
    const forget = (body: object) =>
      rawRequest(gateway.port, '/api/forget', { method: 'POST', headers, body: JSON.stringify(body) })
    const id = Buffer.alloc(24, 0xfb).toString('base64url')
    expect(await forget({ id })).toMatchObject({ status: 200, body: '{"forgotten":1}' })
    expect((await forget({ path: '/r/b' })).status).toBe(200)
    expect((await forget({ path: '/r/?' })).status).toBe(404)
    expect((await forget({ all: true })).status).toBe(200)
    expect(store.forgotten).toEqual([id, '/r/b', '/r/?', 'all'])
  })

  it('is healthy with the store and not without it', async () => {
    expect((await rawRequest(gateway.port, '/health')).body).toBe('ok\n')
    expect(gateway.health()).toMatchObject([{ ok: true }])
    await store.stop()
    const reply = await rawRequest(gateway.port, '/health')
    expect(reply).toMatchObject({ status: 503, body: 'not ok\n' })
  })
})

describe('files in the data directory', () => {
  it('say where the gateway is, for their owner alone', () => {
    expect(readEndpointsFile(directory.path)).toMatchObject({
      pid: process.pid,
      http: `http://127.0.0.1:${gateway.port}`,
      sockets: directory.endpoints,
    })
    expect(statSync(join(directory.path, 'token')).mode & 0o777).toBe(0o600)
    expect(token()).toMatch(/^[\w-]{43}$/)
    expect(gateway.url).toBe(`http://127.0.0.1:${gateway.port}/?token=${token()}`)
  })
})

describe('native clients', () => {
  it('ask what they would ask of the store', async () => {
    store.names = ['ab', 'b', 'c'].map(name => new TextEncoder().encode(name))
    const peer = client()
    expect((await peer.request('searchRequest', searchRequest('b'))).total).toBe(2)
    const batch = await peer.request('searchBatch', { requests: ['a', 'b', 'c', 'd'].map(text => searchRequest(text)) })
    expect(batch.replies.map(reply => reply.total)).toEqual([1, 2, 1, 0])
    expect((await peer.request('clockRequest', {})).clock).toBe('1')
    expect((await peer.request('statusRequest', {})).stages.map(stage => stage.stage)).toEqual(['gateway'])
    expect((await peer.request('rescanRequest', { root: '' })).roots).toEqual(['tree-1'])
    const opened = openBatch({ path: new TextEncoder().encode('/r/b') })
    expect(await peer.request('openBatch', opened)).toEqual({ recorded: 1, unknown: 0, dropped: 0 })
    expect((await peer.request('searchRequest', searchRequest('('))).error).toMatchObject({ code: 'SYNTAX' })
  })

  it('travel together while the store is busy, and their batches stay whole', async () => {
    let release = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    store.beforeSearch = () => gate
    const peers = [client(), client(), client()]
    await Promise.all(peers.map(peer => peer.ready()))
    const asked = peers.flatMap((peer, who) =>
      Array.from({ length: 40 }, (_, at) => peer.request('searchRequest', searchRequest(`${who}-${at}`))),
    )
    await expect.poll(() => store.messages.length).toBe(8)
    release()
    await Promise.all(asked)
    expect(store.messages.flat().length).toBe(120)
    expect(store.messages.length).toBeLessThan(40)
  })

  it('are refused what a client may not send', async () => {
    const peer = client()
    await expect(peer.request('shutdownRequest', { reason: 'test' })).rejects.toThrow(InvalidInputError)
  })

  it('may wait for a clock without holding up others', async () => {
    let release = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    store.beforeSearch = ({ body }) => (body.type === 'searchRequest' && body.value.minClock !== '' ? gate : undefined)
    const peer = client()
    const waiting = Array.from({ length: 20 }, () =>
      peer.request('searchRequest', searchRequest('w', { minClock: '9' })),
    )
    const batch = peer.request('searchBatch', { requests: [searchRequest('w', { minClock: '9' }), searchRequest('x')] })
    expect((await peer.request('searchRequest', searchRequest('now'))).total).toBe(0)
    release()
    await Promise.all([...waiting, batch])
  })
})

describe('subscriptions of native clients', () => {
  const name = (text: string) => new TextEncoder().encode(text)
  const changed = () =>
    store.publish({ kind: 'changes', changes: { root: 'tree-1', added: 1, removed: 0, updated: 0 } })
  const queries = () => gateway.stats().find(metric => metric.name === 'hotpath_live_queries')?.value
  const open = (peer: DealerPeer, live: number, text: string, rest = {}) =>
    peer.request('liveOpen', { live, search: searchRequest(text, rest) })

  it('begin with the hits; then one message at a time, when the last one was taken', async () => {
    store.names = ['a1', 'a2', 'a3'].map(name)
    const pushed: Body[] = []
    const peer = client(body => pushed.push(body))
    const { live, reply } = await open(peer, 7, 'a', { minClock: '1' })
    expect([live, reply.total, reply.rows.count, reply.clock]).toEqual([7, 3, 3, '1'])
    store.names = [...store.names, name('a4')]
    changed()
    const { length } = store.messages
    // Other traffic passes meanwhile: not taken means not searched.
    await peer.request('statusRequest', {})
    changed()
    await peer.request('statusRequest', {})
    expect([pushed.length, store.messages.length]).toEqual([0, length])
    await peer.send('liveAck', { live: 7 })
    await expect.poll(() => pushed.length).toBe(1)
    expect(pushed[0]).toMatchObject({
      type: 'liveChange',
      value: { live: 7, total: 4, clock: '3', changed: { count: 0 }, added: { count: 1 }, addedAt: Uint32Array.of(3) },
    })
    await peer.send('liveAck', { live: 7 })
    store.names = []
    store.publish({ kind: 'generation', generation: { root: 'tree-1', epoch: 2, partial: false } })
    await expect.poll(() => pushed.length).toBe(2)
    expect(pushed[1]).toMatchObject({ type: 'liveChange', value: { total: 0, removed: { length: 96 } } })
    await peer.send('liveAck', { live: 7 })
    store.names = Array.from({ length: 60 }, (_, at) => name(`a${at}`))
    changed()
    await expect.poll(() => pushed.length).toBe(3)
    expect(pushed[2]).toMatchObject({ type: 'liveResync', value: { live: 7, reason: 'many', reply: { total: 60 } } })
    await peer.send('liveClose', { live: 7 })
    await expect.poll(queries).toBe(0)
  })

  it('end with their client, are bounded, and replace each other', async () => {
    const peer = client()
    for (let live = 0; live < MAX_LIVE; live++) await open(peer, live, 'a')
    await open(peer, 3, 'b')
    expect(queries()).toBe(MAX_LIVE)
    await expect(open(peer, 99, 'a')).rejects.toThrow(UnavailableError)
    await peer.stop()
    await expect.poll(queries).toBe(0)
  })

  it('say what is wrong with the search', async () => {
    const peer = client()
    expect((await open(peer, 1, 'é(')).reply.error).toMatchObject({ code: 'SYNTAX', position: 2, expected: ')' })
    for (const wrong of [{ limit: 1_001 }, { countOnly: true }, { explain: true }]) {
      await expect(open(peer, 1, 'a', wrong)).rejects.toThrow(InvalidInputError)
    }
    expect(queries()).toBe(0)
  })

  it('are told what changed while the store was away', async () => {
    store.names = ['a1', 'a2'].map(name)
    const pushed: Body[] = []
    const peer = client(body => pushed.push(body))
    await open(peer, 1, 'a')
    await peer.send('liveAck', { live: 1 })
    await store.stop()
    store = new FakeStore(directory.endpoints)
    store.clockValue = 50
    store.names = ['a1', 'a2', 'a3'].map(name)
    await store.start()
    await expect.poll(() => pushed.length).toBe(1)
    expect(pushed[0]).toMatchObject({ type: 'liveChange', value: { total: 3, clock: '50', added: { count: 1 } } })
  })
})

describe('a store that goes away', () => {
  const restart = async () => {
    await store.stop()
    const names = store.names
    store = new FakeStore(directory.endpoints)
    store.names = names
    await store.start()
  }

  it('is asked again when it is back, once, by whoever was waiting', async () => {
    store.names = [new TextEncoder().encode('x')]
    const stuck = new Promise<void>(() => {})
    store.beforeSearch = () => stuck
    const peer = client()
    const native = peer.request('searchRequest', searchRequest('x'))
    const http = get('/api/search?q=x')
    await expect.poll(() => store.messages.flat().length).toBe(2)
    await restart()
    expect((await native).total).toBe(1)
    expect((await http).json).toMatchObject({ total: 1 })
  })

  it('may go away again and again while many ask: every search is answered, or says UNAVAILABLE', async () => {
    store.names = [new TextEncoder().encode('x')]
    const rounds = process.env.SOAK === '1' ? 100 : 4
    let asking = true
    const outcomes = { answered: 0, unavailable: 0 }
    const note = (isAnswered: boolean) => outcomes[isAnswered ? 'answered' : 'unavailable']++
    const natives = [client(), client(), client()].map(async peer => {
      while (asking) {
        const batch = peer.request('searchBatch', { requests: [searchRequest('x'), searchRequest('x')] })
        const replies = await batch.then(
          ({ replies }) => replies,
          error => {
            expect(error).toBeInstanceOf(UnavailableError)
            return []
          },
        )
        for (const reply of replies) expect(reply.total).toBe(1)
        note(replies.length === 2)
      }
    })
    const pages = [1, 2].map(async () => {
      while (asking) {
        const { status, json } = await get('/api/search?q=x')
        expect(status === 200 ? json.total : json).toEqual(
          status === 200 ? 1 : { error: { code: 'UNAVAILABLE', message: expect.any(String) } },
        )
        note(status === 200)
      }
    })
    for (let round = 1; round <= rounds; round++) {
      const before = outcomes.answered
      await expect.poll(() => outcomes.answered).toBeGreaterThan(before + 20)
      await restart()
    }
    await expect.poll(() => gateway.health()[0]?.ok).toBe(true)
    asking = false
    await Promise.all([...natives, ...pages])
    expect(outcomes.answered).toBeGreaterThan(20 * rounds)
    expect(gateway.stats().find(({ name }) => name === 'hotpath_relay_waiting_searches')?.value).toBe(0)
  })

  it('shows in the metrics when it stays away', async () => {
    await store.stop()
    const reply = await rawRequest(gateway.port, '/metrics', { headers: { authorization: `Bearer ${token()}` } })
    expect(reply.body).toContain('hotpath_index_up 0')
    expect(reply.body).toContain('hotpath_store_connected 0')
  })

  it('is not asked twice to do something', async () => {
    await store.stop()
    const peer = client()
    await peer.ready()
    const rescan = peer.request('rescanRequest', { root: '' }, { timeoutMs: 20_000 }).catch((error: unknown) => error)
    store = new FakeStore(directory.endpoints)
    await store.start()
    expect(await rescan).toEqual({ roots: ['tree-1'] })
    expect(store.rescans.length).toBe(1)
  })
})

describe('events', () => {
  /** Reads Server-Sent Events until `done` says so. */
  async function readEvents(done: (text: string) => boolean): Promise<string> {
    const controller = new AbortController()
    const response = await fetch(`http://127.0.0.1:${gateway.port}/api/events`, {
      headers: { authorization: `Bearer ${token()}` },
      signal: controller.signal,
    })
    let text = ''
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
      text += piece
      if (done(text)) break
    }
    controller.abort()
    return text
  }

  it('reach pages, with the status, and a restart of the store is a resync', async () => {
    const seen = readEvents(text => ['resync', 'changed', 'status'].every(type => text.includes(`event: ${type}\n`)))
    const publish = setInterval(
      () => store.publish({ kind: 'changes', changes: { root: 'tree-1', added: 1, removed: 0, updated: 0 } }),
      20,
    )
    closers.push(async () => clearInterval(publish))
    await store.stop()
    store = await new FakeStore(directory.endpoints).start()
    const text = await seen
    expect(text).toMatch(/event: status\ndata: \{"status":\{"version":"1\.2\.3"/)
    expect(text).toMatch(/event: changed\ndata: \{"root":"tree-1","clock":"\d+"\}/)
  })

  it('tell of a gap in the changes of a root by its name', async () => {
    const seen = readEvents(text => text.includes('event: fresh-instance\n'))
    const freshInstance = { root: 'tree-1', reason: 'downtime' } as const
    const publish = setInterval(() => store.publish({ kind: 'freshInstance', freshInstance }), 20)
    closers.push(async () => clearInterval(publish))
    const text = await seen
    expect(text).toMatch(/event: fresh-instance\ndata: \{"root":"tree-1","reason":"downtime","clock":"\d+"\}/)
  })

  it('reach native clients, gaps included', async () => {
    const events: string[] = []
    const gaps: string[] = []
    const subscriber = new EventSubscriber({
      endpoint: directory.endpoints['gateway-events'],
      onEvent: event => events.push(event.detail.kind),
      onGap: gap => gaps.push(gap.reason),
    })
    subscriber.start()
    closers.push(() => subscriber.stop())
    await subscriber.ready()
    const change = () =>
      store.publish({ kind: 'changes', changes: { root: 'tree-1', added: 1, removed: 0, updated: 0 } })
    const after = (seen: readonly string[]) => () => {
      change()
      return seen.length
    }
    await expect.poll(after(events)).toBeGreaterThan(0)
    expect(gaps).toEqual([])
    await store.stop()
    store = await new FakeStore(directory.endpoints).start()
    await expect.poll(after(gaps)).toBeGreaterThan(0)
    expect(gaps[0]).toBe('restarted')
  })
})

it('a second gateway cannot take the port', async () => {
  const other = await testDirectory()
  closers.push(() => other.remove())
  const start = startGateway({
    dataDir: other.path,
    port: gateway.port,
    openRead: false,
    endpoints: other.endpoints,
    identity: testIdentity('gateway'),
    version: '1',
    log: silentLogger,
  })
  await expect(start).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

describe('kept answers', () => {
  const bearer = () => ({ headers: { authorization: `Bearer ${token()}` } })
  const metric = async (name: string) => {
    const { body } = await rawRequest(gateway.port, '/metrics', bearer())
    return Number(new RegExp(`^hotpath_answers_${name} (\\S+)$`, 'm').exec(body)?.[1])
  }
  /** As HTTP asks. */
  const hottest = (text: string) => searchRequest(text, { sort: 'hot' })
  const totals = async (peer: DealerPeer, ...texts: string[]) =>
    (await peer.request('searchBatch', { requests: texts.map(hottest) })).replies.map(
      ({ total, cached }) => `${total}${cached ? ' kept' : ''}`,
    )
  /** The first answers may come before the events of the store are heard: nothing is kept until then. */
  const untilKept = (text: string) =>
    expect.poll(async () => (await get(`/api/search?q=${text}`)).json.cached).toBe(true)

  beforeEach(async () => {
    store.names = [Buffer.from('a1'), Buffer.from('a2')]
    await untilKept('a')
    store.messages.length = 0
  })

  it('are shared by HTTP and native clients, in whole messages and parts of them', async () => {
    const peer = client()
    expect(await totals(peer, 'a', 'a')).toEqual(['2 kept', '2 kept'])
    expect(await totals(peer, 'a', 'a1')).toEqual(['2 kept', '1'])
    expect(await peer.request('searchRequest', hottest('a1'))).toMatchObject({ total: 1, cached: true })
    expect((await get('/api/search?q=a1')).json).toMatchObject({ total: 1, cached: true, hits: [{ name: 'a1' }] })
    expect(store.messages).toEqual([['a1']])
    expect(await metric('hits_total')).toBeGreaterThanOrEqual(5)
    expect(gateway.stats().find(({ name }) => name === 'hotpath_answers_kept')).toMatchObject({
      value: 2,
      kind: 'gauge',
    })
  })

  it('are not what whoever wants none gets', async () => {
    expect((await get('/api/search?q=a&cache=off')).json).toMatchObject({ total: 2, cached: false })
    const off = { ...hottest('a'), noCache: true }
    expect((await client().request('searchRequest', off)).cached).toBeUndefined()
    expect(store.messages).toEqual([['a'], ['a']])
    expect(await metric('bypassed_total')).toBe(2)
    expect((await get('/api/search?q=a&cache=on')).status).toBe(400)
  })

  it('are given up when the store says so, also those on their way', async () => {
    const peer = client()
    const untilEmptied = () => expect.poll(() => metric('kept')).toBe(0)
    expect(await totals(peer, 'a')).toEqual(['2 kept'])
    store.names = [Buffer.from('a1')]
    store.publish({ kind: 'outdated' })
    await untilEmptied()
    const emptied = await metric('emptied_total')
    // What is kept meanwhile shows when the word is heard.
    expect(await totals(peer, 'a1')).toEqual(['1'])
    // Computed before the next change, told after it.
    store.beforeSearch = async () => {
      store.beforeSearch = () => undefined
      store.publish({ kind: 'outdated' })
      await untilEmptied()
    }
    expect(await totals(peer, 'a')).toEqual(['1'])
    expect(await totals(peer, 'a')).toEqual(['1'])
    expect(await totals(peer, 'a')).toEqual(['1 kept'])
    expect(await metric('emptied_total')).toBe(emptied + 1)
  })

  it('are given up with the store, until the next one is heard', async () => {
    const peer = client()
    await store.stop()
    store = await new FakeStore(directory.endpoints).start()
    store.names = [Buffer.from('a1')]
    await expect.poll(() => totals(peer, 'a')).toEqual(['1 kept'])
    expect(store.messages[0]).toEqual(['a'])
    expect(await totals(peer, 'a')).toEqual(['1 kept'])
  })
})

it('a native client that asks too much is told so, its kept answers are not counted', async () => {
  await gateway.stop()
  gateway = await startGateway({
    dataDir: directory.path,
    port: 0,
    openRead: false,
    endpoints: directory.endpoints,
    identity: testIdentity('gateway'),
    version: '1.2.3',
    log: silentLogger,
    nativeRate: { perSecond: 0.001, burst: 3 },
  })
  const [greedy, modest] = [client(), client()]
  const batch = (...texts: string[]) => ({ requests: texts.map(text => searchRequest(text)) })
  expect((await greedy.request('searchBatch', batch('a', 'b', 'c'))).replies.length).toBe(3)
  await expect(greedy.request('searchBatch', batch('d'))).rejects.toMatchObject({ remoteCode: 'RATE_LIMIT' })
  expect((await modest.request('searchRequest', searchRequest('e'))).total).toBe(0)
})
