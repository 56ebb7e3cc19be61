import {
  type BrowserClient,
  CancelledError,
  connect,
  type MarkedHit,
  pageAfter,
  QueryError,
  RequestError,
  UnavailableError,
} from '@hotpath/client/browser'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { FakeBackend, fakeRow, unavailable } from './testing/fake-backend.js'
import { startTestGateway, type TestGateway } from './testing/test-gateway.js'

const ENTRIES = 200
const QUICK = { firstMs: 5, mostMs: 20 }

/** The browser's door in Node, against the real HTTP side. */
describe('the client for browsers', () => {
  let backend: FakeBackend
  let gateway: TestGateway
  let client: BrowserClient

  beforeEach(async () => {
    backend = new FakeBackend(ENTRIES)
    gateway = await startTestGateway(backend)
    client = connect({ url: gateway.origin, token: gateway.token, WebSocket, backOff: QUICK })
  })
  afterEach(async () => {
    client.close()
    await gateway.stop()
  })

  it('searches and gives the hits of the client for Node', async () => {
    const result = await client.search({ query: 'invoice', limit: 2, sort: 'size', descending: true, fuzzy: true })
    expect(backend.searches.at(-1)?.request).toMatchObject({ sort: 'size', descending: true, fuzzy: true, limit: 2 })
    expect(result).toMatchObject({ fuzzyTotal: 0, partial: false, clock: '1', tookMs: 0.123 })
    expect(result.hits).toHaveLength(2)
    const [hit] = result.hits
    const row = backend.rows.find(one => one.id === hit!.id)!
    expect(Buffer.from(hit!.pathBytes)).toEqual(Buffer.from(row.path))
    expect(hit!.nameStart).toBe(row.path.length - row.nameSizeBytes)
    expect(hit).toMatchObject({ kind: 'file', sizeBytes: row.sizeBytes, modified: row.modified, created: row.created })
    expect(hit!.matched).toEqual([[0, 7]])
    expect(hit!.path).toBe(`${hit!.directory}/${hit!.name}`)
  })

  it('finds rows of followed databases, a page of them', async () => {
    const { total, rows } = await client.searchRows({ query: 'invoice' })
    expect([total, rows.map(({ key }) => key)]).toEqual([2, [7, [1, 'ä', 0.5]]])
    const second = await client.searchRows({ query: 'invoice', limit: 1, offset: 1, caseMode: 'smart' })
    expect(second).toMatchObject({ total: 2, tookMs: 0.25, rows: [rows[1]] })
    expect(rows[0]).toMatchObject({ database: 'chat', table: 'message', matched: [[4, 7]], cut: [false, true] })
    const error = await client.searchRows({ query: '(' }).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(QueryError)
    backend.failure = unavailable
    await expect(client.searchRows({ query: 'x', timeoutMs: 40 })).rejects.toBeInstanceOf(UnavailableError)
  })

  it('keeps bytes that are no UTF-8, both ways', async () => {
    const { hits } = await client.search({ query: 'hostile', under: new Uint8Array([0x2f, 0xff]), limit: 100 })
    expect(backend.searches.at(-1)?.request.under).toEqual(new Uint8Array([0x2f, 0xff]))
    const broken = hits.find(hit => hit.name.endsWith('.bin'))!
    const row = backend.rows.find(one => one.id === broken.id)!
    expect(Buffer.from(broken.pathBytes)).toEqual(Buffer.from(row.path))
    expect(broken.nameStart).toBe(row.path.length - row.nameSizeBytes)
  })

  it('says where a query is wrong, in bytes as the client for Node does', async () => {
    const error = await client.search({ query: 'é (x' }).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(QueryError)
    expect(error).toMatchObject({ reason: 'SYNTAX', position: 3, expected: ')' })
  })

  it('asks again while the index is away, and gives up after its time', async () => {
    backend.failure = unavailable
    const search = client.search({ query: 'main' })
    await expect.poll(() => backend.searches.length).toBeGreaterThan(2)
    backend.failure = undefined
    expect((await search).total).toBeGreaterThan(0)
    backend.failure = unavailable
    await expect(client.status({ timeoutMs: 60 })).rejects.toThrow(UnavailableError)
    const nobody = connect({ url: 'http://127.0.0.1:9', token: 'x', WebSocket, backOff: QUICK })
    await expect(nobody.search({ query: '', timeoutMs: 60 })).rejects.toThrow(UnavailableError)
  })

  it('is cancelled, and tells the gateway', async () => {
    backend.gate = new Promise(() => {})
    const stopping = new AbortController()
    const search = client.search({ query: 'main', signal: stopping.signal })
    await expect.poll(() => backend.searches.length).toBe(1)
    stopping.abort()
    await expect(search).rejects.toThrow(CancelledError)
    await expect.poll(() => backend.searches[0]?.signal.aborted).toBe(true)
    await expect(client.search({ query: '', signal: stopping.signal })).rejects.toThrow(CancelledError)
  })

  it('stops a search when a newer one for the same comes', async () => {
    backend.gate = new Promise(() => {})
    const older = client.search({ query: 'ma', replaces: 'box' })
    const other = client.search({ query: 'other', replaces: 'elsewhere' }).catch(() => undefined)
    await expect.poll(() => backend.searches.length).toBe(2)
    const stopping = new AbortController()
    const newer = client.search({ query: 'main', replaces: 'box', signal: stopping.signal })
    await expect(older).rejects.toThrow(CancelledError)
    await expect.poll(() => backend.searches.map(({ signal }) => signal.aborted)).toEqual([true, false, false])
    stopping.abort()
    await expect(newer).rejects.toThrow(CancelledError)
    client.close()
    void other
  })

  it('refuses a wrong token and unknown addresses with what the gateway says', async () => {
    const stranger = connect({ url: gateway.origin, token: 'wrong', WebSocket, backOff: QUICK })
    await expect(stranger.status()).rejects.toMatchObject({ status: 401, reason: 'UNAUTHORIZED' })
    const refused = await client.search({ query: '', limit: 5_000 }).catch((caught: unknown) => caught)
    expect(refused).toBeInstanceOf(RequestError)
    expect(refused).toMatchObject({ status: 400, reason: 'INVALID_INPUT' })
  })

  it('counts opens, by id and by path, and tells the status', async () => {
    const { id, path } = backend.rows[20]!
    expect(await client.recordOpen({ id })).toBe(true)
    expect(await client.recordOpen({ path: new Uint8Array(path) })).toBe(true)
    expect(await client.recordOpen({ path: '/nowhere' })).toBe(false)
    expect(backend.opens).toEqual([id, id])
    expect(await client.status()).toMatchObject({ entries: ENTRIES, fresh: { state: 'live' } })
    expect(client.fileUrl('/a/b?')).toBe(`${gateway.origin}/api/file?path=/a/b%3F`)
  })

  /** Follows a search; `page` is what the messages make of it. */
  function follow(query: string) {
    const seen = { page: [] as readonly MarkedHit[], log: [] as string[], total: Number.NaN }
    const watch = client.live(
      { query, limit: 50, sort: 'name' },
      {
        onHits: result => {
          seen.log.push('hits')
          seen.page = result.hits
          seen.total = result.total
        },
        onChange: change => {
          seen.log.push('change')
          seen.page = pageAfter(change, seen.page)
          seen.total = change.total
        },
        onResync: (result, reason) => {
          seen.log.push(`resync ${reason}`)
          seen.page = result.hits
          seen.total = result.total
        },
        onAway: () => void seen.log.push('away'),
      },
    )
    return { seen, watch }
  }

  it('follows a search, and no longer when told so', async () => {
    const { seen, watch } = follow('photo')
    await expect.poll(() => seen.log).toEqual(['hits'])
    const before = seen.page.length
    backend.rows = [...backend.rows, fakeRow('/home/ann', Buffer.from('photo-000.jpg'), ENTRIES)]
    backend.clockValue++
    backend.emit({ type: 'changed', root: 'tree-1', clock: '2' })
    await expect.poll(() => seen.log).toEqual(['hits', 'change'])
    expect(seen.page).toHaveLength(before + 1)
    expect(seen.page[0]?.name).toBe('photo-000.jpg')
    expect(seen.total).toBe(before + 1)
    watch.close()
    await watch.ended
    backend.rows = backend.rows.slice(0, -1)
    backend.emit({ type: 'changed', root: 'tree-1', clock: '3' })
    await client.status()
    expect(seen.log).toEqual(['hits', 'change'])
  })

  it('comes back when the connection is lost, with the whole page', async () => {
    const states: string[] = []
    client.onConnectionState(state => void states.push(state))
    const { seen } = follow('photo')
    await expect.poll(() => seen.log).toEqual(['hits'])
    for (const socket of gateway.sockets()) socket.terminate()
    await expect.poll(() => seen.log).toEqual(['hits', 'away', 'resync reconnected'])
    expect(states).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open'])
    expect(client.connectionState).toBe('open')
  })

  it('ends a subscription that is refused, and all when it is closed', async () => {
    const refused = follow('a (')
    await expect(refused.watch.ended).rejects.toMatchObject({ reason: 'SYNTAX', position: 2 })
    const { seen, watch } = follow('photo')
    await expect.poll(() => seen.log).toEqual(['hits'])
    client.close()
    await expect(watch.ended).rejects.toThrow(UnavailableError)
    await expect.poll(() => gateway.sockets().length).toBe(0)
  })
})
