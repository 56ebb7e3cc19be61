import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import {
  type LiveReason,
  noHits,
  type Outcome,
  type Peer,
  RouterServer,
  type SearchError,
  type SearchReply,
  type SearchRequest,
  unexpected,
} from '@hotpath/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Client, connect } from './client.js'
import type { WatchHandlers } from './live-watches.js'
import { QueryError } from './query-error.js'

let directory: string
let gateway: FakeGateway
let client: Client
const endpoint = () => `ipc://${join(directory, 'gateway.sock')}`

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-'))
  gateway = await new FakeGateway().start()
  client = await connect({ endpoint: endpoint() })
})
afterEach(async () => {
  await client.close()
  await gateway.server.stop()
  rmSync(directory, { recursive: true, force: true })
})

const fresh = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const

function reply(total: number, error?: SearchError): SearchReply {
  const rest = { fuzzyTotal: Number.NaN, clock: 'c', fresh, partial: false, tookMs: 0, rows: noHits(), explain: '' }
  return { total, ...rest, ...(error === undefined ? {} : { error }) }
}

const errorOf = (code: string): SearchError => ({ code, message: code, position: Number.NaN, expected: '' })

/** Keeps what it is asked, and pushes what a test says. */
class FakeGateway {
  readonly seen: string[] = []
  readonly searches: SearchRequest[] = []
  answer: () => SearchReply = () => reply(1)
  peer: Peer | undefined
  live = 0
  readonly server = new RouterServer({
    endpoint: endpoint(),
    identity: { stage: 'gateway', instance: randomUUID(), pid: process.pid },
    onMessage: ({ body, peer }): Outcome => {
      this.seen.push(body.type)
      if (body.type === 'liveAck' || body.type === 'liveClose') return undefined
      if (body.type !== 'liveOpen') throw unexpected(body.type)
      this.peer = peer
      this.live = body.value.live
      this.searches.push(body.value.search)
      return { type: 'liveReply', value: { live: this.live, reply: this.answer() } }
    },
  })

  async start(): Promise<this> {
    await this.server.start()
    return this
  }

  change(total: number, live = this.live): void {
    const none = { changed: noHits(), changedAt: new Uint32Array(0), added: noHits(), addedAt: new Uint32Array(0) }
    const head = { total, fuzzyTotal: Number.NaN, clock: 'c', fresh, partial: false, removed: new Uint8Array(0) }
    this.server.send(this.peer!, { type: 'liveChange', value: { live, ...head, ...none } })
  }

  resync(reason: LiveReason, answer: SearchReply): void {
    this.server.send(this.peer!, { type: 'liveResync', value: { live: this.live, reason, reply: answer } })
  }

  get acks(): number {
    return this.seen.filter(type => type === 'liveAck').length
  }
}

/** Writes down what is called. */
function recorder(): { calls: string[]; handlers: WatchHandlers } {
  const calls: string[] = []
  const handlers: WatchHandlers = {
    onHits: ({ total }) => void calls.push(`hits ${total}`),
    onChange: ({ total }) => void calls.push(`change ${total}`),
    onResync: ({ total }, reason) => void calls.push(`${reason} ${total}`),
    onAway: () => void calls.push('away'),
  }
  return { calls, handlers }
}

describe('a watch', () => {
  it('hands over hits, changes and resyncs, and asks for more after each', async () => {
    const { calls, handlers } = recorder()
    const watch = await client.live({ query: 'x', limit: 9, minClock: 'c1' }, handlers)
    expect(calls).toEqual(['hits 1'])
    expect(gateway.searches[0]).toMatchObject({ limit: 9, minClock: 'c1' })
    await expect.poll(() => gateway.acks).toBe(1)
    gateway.change(2)
    gateway.change(99, 12345)
    gateway.resync('many', reply(3))
    gateway.resync('away', reply(0, errorOf('UNAVAILABLE')))
    gateway.resync('fresh-instance', reply(3))
    await expect.poll(() => gateway.acks).toBe(5)
    expect(calls).toEqual(['hits 1', 'change 2', 'many 3', 'away', 'fresh-instance 3'])
    watch.close()
    await watch.ended
    await expect.poll(() => gateway.seen.at(-1)).toBe('liveClose')
    gateway.change(4)
    await expect(client.status()).rejects.toThrow()
    expect(calls.length).toBe(5)
  })

  it('asks for more only when the handler is done', async () => {
    let release = () => {}
    const { calls, handlers } = recorder()
    await client.live(
      { query: 'x' },
      {
        ...handlers,
        onChange: () => new Promise<void>(resolve => (release = resolve)),
      },
    )
    await expect.poll(() => gateway.acks).toBe(1)
    gateway.change(2)
    // Answered after the change: it has come, and nothing was asked for.
    await expect(client.status()).rejects.toThrow()
    await expect(client.status()).rejects.toThrow()
    expect([gateway.acks, calls]).toEqual([1, ['hits 1']])
    release()
    await expect.poll(() => gateway.acks).toBe(2)
  })

  it('is opened again after the gateway was restarted, without the clock', async () => {
    const { calls, handlers } = recorder()
    await client.live({ query: 'x', minClock: 'c1' }, handlers)
    await gateway.server.stop()
    gateway = new FakeGateway()
    gateway.answer = () => reply(7)
    await gateway.start()
    await expect.poll(() => calls).toEqual(['hits 1', 'reconnected 7'])
    expect(gateway.searches[0]?.minClock).toBe('')
    await expect.poll(() => gateway.acks).toBe(1)
    gateway.change(8)
    await expect.poll(() => calls.at(-1)).toBe('change 8')
  })

  it('waits for an index that is away when it is opened again', async () => {
    const { calls, handlers } = recorder()
    await client.live({ query: 'x' }, handlers)
    await gateway.server.stop()
    gateway = new FakeGateway()
    let attempts = 0
    gateway.answer = () => (attempts++ === 0 ? reply(0, errorOf('UNAVAILABLE')) : reply(2))
    await gateway.start()
    await expect.poll(() => calls, { timeout: 10_000 }).toEqual(['hits 1', 'reconnected 2'])
    expect(attempts).toBe(2)
  })

  it('does not begin where the query is wrong or nothing answers', async () => {
    gateway.answer = () => reply(0, { ...errorOf('SYNTAX'), position: 3 })
    const { calls, handlers } = recorder()
    await expect(client.live({ query: '(' }, handlers)).rejects.toMatchObject({ reason: 'SYNTAX', position: 3 })
    gateway.answer = () => reply(0, errorOf('DEADLINE'))
    await expect(client.live({ query: 'x' }, handlers)).rejects.toThrow(UnavailableError)
    await expect(client.live({ query: 'x', limit: 1e9 }, handlers)).rejects.toThrow('limit')
    expect(calls).toEqual([])
  })

  it('ends with what ended it', async () => {
    const { handlers } = recorder()
    const first = await client.live({ query: 'x' }, handlers)
    gateway.resync('ended', reply(0, errorOf('SYNTAX')))
    await expect(first.ended).rejects.toThrow(QueryError)
    const second = await client.live(
      { query: 'x' },
      {
        ...handlers,
        onChange: () => {
          throw new Error('mine')
        },
      },
    )
    await expect.poll(() => gateway.acks).toBe(2)
    gateway.change(1)
    await expect(second.ended).rejects.toThrow('mine')
    await expect.poll(() => gateway.seen.at(-1)).toBe('liveClose')
    const third = await client.live({ query: 'x' }, handlers)
    await client.close()
    await expect(third.ended).rejects.toThrow(UnavailableError)
    await expect(client.live({ query: 'x' }, handlers)).rejects.toThrow(UnavailableError)
  })
})
