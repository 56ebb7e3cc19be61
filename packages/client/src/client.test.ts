import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancelledError, InvalidInputError, UnavailableError } from '@hotpath/model'
import {
  type Body,
  EventPublisher,
  type ForgetRequest,
  type IncomingMessage,
  noHits,
  type Outcome,
  RouterServer,
  type SearchReply,
  type SearchRequest,
  type Stage,
  unexpected,
  writeEndpointsFile,
} from '@hotpath/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Client, connect } from './client.js'
import { QueryError } from './query-error.js'

let directory: string
const closers: (() => Promise<unknown>)[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-'))
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  rmSync(directory, { recursive: true, force: true })
})

const endpoint = () => `ipc://${join(directory, 'gateway.sock')}`
const eventsEndpoint = () => `ipc://${join(directory, 'events.sock')}`
const identity = (stage: Stage) => ({ stage, instance: randomUUID(), pid: process.pid })

function reply(total: number): SearchReply {
  return {
    total,
    fuzzyTotal: Number.NaN,
    clock: `c${total}`,
    fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
    partial: false,
    tookMs: 0.5,
    rows: noHits(),
    explain: '',
  }
}

/** Counts messages; the answer to a search has the search's limit as total. */
class FakeGateway {
  readonly batches: number[] = []
  readonly server: RouterServer

  constructor(
    private readonly answer: (
      request: SearchRequest,
      message: IncomingMessage,
    ) => SearchReply | Promise<SearchReply> = ({ limit }) => reply(limit),
    private readonly other: (body: Body) => Outcome = body => {
      throw unexpected(body.type)
    },
  ) {
    this.server = new RouterServer({
      endpoint: endpoint(),
      identity: identity('gateway'),
      onMessage: message => this.handle(message),
    })
  }

  async start(): Promise<this> {
    await this.server.start()
    closers.push(() => this.server.stop())
    return this
  }

  private async handle(message: IncomingMessage): Promise<Outcome> {
    const { body } = message
    if (body.type === 'searchRequest') {
      this.batches.push(1)
      return { type: 'searchReply', value: await this.answer(body.value, message) }
    }
    if (body.type === 'searchBatch') {
      this.batches.push(body.value.requests.length)
      const replies = await Promise.all(body.value.requests.map(request => this.answer(request, message)))
      return { type: 'searchBatchReply', value: { replies } }
    }
    return this.other(body)
  }
}

async function client(): Promise<Client> {
  const client = await connect({ endpoint: endpoint(), eventsEndpoint: eventsEndpoint() })
  closers.push(() => client.close())
  return client
}

describe('search', () => {
  it('gives rows with paths as bytes and as text', async () => {
    const paths = Buffer.concat([
      Buffer.from('/home/ann/'),
      Buffer.from([0xe9, 0x2e, 0x63]),
      Buffer.from('/etc/'),
      Buffer.from('x'),
    ])
    await new FakeGateway(() => ({
      ...reply(2),
      rows: {
        count: 2,
        ids: new Uint8Array(48).fill(7, 0, 24).fill(8, 24),
        pathOffsets: Uint32Array.of(0, 13, 19),
        paths,
        nameStart: Uint32Array.of(10, 1),
        kind: Uint8Array.of(0, 1),
        size: Float64Array.of(12, Number.NaN),
        modified: { seconds: Float64Array.of(1_700_000_000, Number.NaN), ticks: Uint32Array.of(5, 0) },
      },
      explain: '{"plan":"name"}',
    })).start()
    const result = await (await client()).search({ query: 'x', explain: true })
    expect(result).toMatchObject({ total: 2, clock: 'c2', partial: false, tookMs: 0.5, explanation: { plan: 'name' } })
    expect(result.hits).toMatchObject([
      {
        id: Buffer.alloc(24, 7).toString('base64url'),
        path: '/home/ann/\ufffd.c',
        name: '\ufffd.c',
        directory: '/home/ann',
        kind: 'file',
        sizeBytes: 12,
        modified: { seconds: 1_700_000_000, ticks: 5 },
        created: undefined,
        accessed: undefined,
      },
      { name: 'etc/x', directory: '/', kind: 'directory', sizeBytes: undefined, modified: undefined },
    ])
    expect(Buffer.from(result.hits[0]!.pathBytes)).toEqual(paths.subarray(0, 13))
    expect(result.hits).toBe(result.hits)
  })

  it('records opens by id and by path', async () => {
    const seen: { id: string; path: string }[] = []
    const answers = [
      { recorded: 1, unknown: 0, dropped: 0 },
      { recorded: 0, unknown: 1, dropped: 0 },
      { recorded: 0, unknown: 0, dropped: 1 },
    ]
    await new FakeGateway(undefined, body => {
      if (body.type !== 'openBatch') throw unexpected(body.type)
      const { ids, paths, opened } = body.value
      expect(opened).toEqual(Float64Array.of(Number.NaN))
      seen.push({ id: Buffer.from(ids).toString('base64url'), path: Buffer.from(paths).toString() })
      return { type: 'openReply', value: answers.shift()! }
    }).start()
    const to = await client()
    const id = Buffer.alloc(24, 5).toString('base64url')
    expect(await to.recordOpen({ id })).toBe(true)
    expect(await to.recordOpen({ path: '/a' })).toBe(false)
    await expect(to.recordOpen({ path: Buffer.from('/b') })).rejects.toThrow(UnavailableError)
    await expect(to.recordOpen({ id: 'short' })).rejects.toThrow(InvalidInputError)
    const none = Buffer.alloc(24).toString('base64url')
    expect(seen).toEqual([
      { id, path: '' },
      { id: none, path: '/a' },
      { id: none, path: '/b' },
    ])
  })

  it('forgets opens of a hit, of a path and of all', async () => {
    const seen: ForgetRequest[] = []
    await new FakeGateway(undefined, body => {
      if (body.type !== 'forgetRequest') throw unexpected(body.type)
      seen.push(body.value)
      return { type: 'forgetReply', value: { forgotten: 7, known: seen.length !== 2 } }
    }).start()
    const to = await client()
    const id = Buffer.alloc(24, 5)
    expect(await to.forgetOpens({ id: id.toString('base64url') })).toBe(7)
    expect(await to.forgetOpens({ path: '/a' })).toBeUndefined()
    expect(await to.forgetOpens('all')).toBe(7)
    await expect(to.forgetOpens({ id: 'short' })).rejects.toThrow(InvalidInputError)
    expect(seen.map(({ id, path, all }) => [id.length, Buffer.from(path).toString(), all])).toEqual([
      [24, '', false],
      [0, '/a', false],
      [0, '', true],
    ])
  })

  it('passes every parameter on', async () => {
    const seen: SearchRequest[] = []
    await new FakeGateway(request => {
      seen.push(request)
      return reply(0)
    }).start()
    const to = await client()
    await to.search({
      query: 'häß',
      limit: 7,
      offset: 9,
      sort: 'size',
      descending: true,
      under: '/home',
      minClock: 'c1',
      match: 'auto',
      caseMode: 'smart',
      countOnly: true,
      explain: true,
      timeoutMs: 5_000,
    })
    expect(seen[0]).toMatchObject({
      text: new Uint8Array(Buffer.from('häß')),
      limit: 7,
      offset: 9,
      sort: 'size',
      descending: true,
      under: new Uint8Array(Buffer.from('/home')),
      minClock: 'c1',
      match: 'auto',
      caseMode: 'smart',
      countOnly: true,
      explain: true,
    })
    expect(seen[0]?.deadlineMs).toBeGreaterThan(0)
    expect(seen[0]?.deadlineMs).toBeLessThanOrEqual(5_000)
  })

  it('sends what is asked for at the same time in one message, and gives each its own answer', async () => {
    const gateway = await new FakeGateway().start()
    const to = await client()
    const limits = Array.from({ length: 600 }, (_, i) => i)
    const results = await Promise.all(limits.map(limit => to.search({ query: 'x', limit })))
    expect(results.map(result => result.total)).toEqual(limits)
    expect(gateway.batches).toEqual([256, 256, 88])
    await to.search({ query: 'x' })
    expect(gateway.batches.at(-1)).toBe(1)
    const pages = [1, 20_000, 2].map(limit => to.search({ query: 'x', limit }))
    expect((await Promise.all(pages)).map(result => result.total)).toEqual([1, 20_000, 2])
    expect(gateway.batches.slice(-3)).toEqual([1, 1, 1])
  })

  it('does not let a search that waits for a clock hold up others', async () => {
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    await new FakeGateway(async request => {
      if (request.minClock !== '') await released
      return reply(request.limit)
    }).start()
    const to = await client()
    const waiting = to.search({ query: 'x', minClock: 'later', limit: 1 })
    expect((await to.search({ query: 'y', limit: 2 })).total).toBe(2)
    release()
    expect((await waiting).total).toBe(1)
  })

  it('tells what is wrong with a query, and with a parameter', async () => {
    await new FakeGateway(request =>
      request.limit === 1
        ? { ...reply(0), error: { code: 'SYNTAX', message: 'no )', position: 4, expected: ')' } }
        : reply(5),
    ).start()
    const to = await client()
    const [bad, good, outside] = await Promise.allSettled([
      to.search({ query: '(a b', limit: 1 }),
      to.search({ query: 'fine' }),
      to.search({ query: 'x', limit: 1e9 }),
    ])
    expect(bad).toMatchObject({ reason: { code: 'QUERY', reason: 'SYNTAX', position: 4, expected: ')' } })
    expect(bad.status === 'rejected' && bad.reason).toBeInstanceOf(QueryError)
    expect(good).toMatchObject({ value: { total: 5 } })
    expect(outside.status === 'rejected' && outside.reason).toBeInstanceOf(InvalidInputError)
  })

  it('is cancelled by its signal, and the server stops when nobody waits for the batch', async () => {
    const signals: AbortSignal[] = []
    let called = () => {}
    const arrived = new Promise<void>(resolve => {
      called = resolve
    })
    await new FakeGateway((_, message) => {
      signals.push(message.signal)
      if (signals.length === 2) called()
      return new Promise(() => {})
    }).start()
    const to = await client()
    const [one, two] = [new AbortController(), new AbortController()]
    const both = [to.search({ query: 'a', signal: one.signal }), to.search({ query: 'b', signal: two.signal })]
    await arrived
    one.abort()
    await expect(both[0]).rejects.toThrow(CancelledError)
    expect(signals[0]?.aborted).toBe(false)
    const stopped = new Promise(resolve => signals[0]?.addEventListener('abort', resolve))
    two.abort()
    await expect(both[1]).rejects.toThrow(CancelledError)
    await stopped
    await expect(to.search({ query: 'c', signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
    await expect(to.search({ query: 'd', timeoutMs: 20 })).rejects.toThrow('no answer within 20 ms')
  })
})

describe('a search that replaces another one', () => {
  it('has it given up, here and there, and leaves others alone', async () => {
    const running = new Map<string, AbortSignal>()
    const gateway = await new FakeGateway((request, message) => {
      const text = Buffer.from(request.text).toString()
      running.set(text, message.signal)
      return text === 'abc' || text === 'other' ? reply(request.limit) : new Promise(() => {})
    }).start()
    const to = await client()
    const outcomes: string[] = []
    const ask = (query: string, replaces: string) =>
      to.search({ query, replaces }).then(
        () => outcomes.push(query),
        error => outcomes.push(`${query}: ${error.message}`),
      )
    const first = ask('a', 'box')
    await expect.poll(() => running.has('a')).toBe(true)
    const gone = new Promise(resolve => running.get('a')?.addEventListener('abort', resolve))
    const rest = [ask('ab', 'box'), ask('x', 'another box'), ask('abc', 'box')]
    await gone
    await Promise.all([first, rest[0], rest[2]])
    expect(outcomes).toEqual(['a: a newer search has replaced it', 'ab: a newer search has replaced it', 'abc'])
    expect(running.get('x')?.aborted).toBe(false)
    // Replaced before it was sent.
    expect(running.has('ab')).toBe(false)
    await ask('other', 'box')
    await ask('abc', 'another box')
    await rest[1]
    expect(outcomes.slice(3)).toEqual(['other', 'x: a newer search has replaced it', 'abc'])
    expect(gateway.batches.every(size => size === 1)).toBe(true)
  })
})

describe('connection', () => {
  it('is found through endpoints.json', async () => {
    await new FakeGateway().start()
    writeEndpointsFile(directory, { version: 1, pid: process.pid, sockets: { gateway: endpoint() } })
    const to = await connect({ dataDir: directory })
    closers.push(() => to.close())
    expect((await to.search({ query: 'x', limit: 3 })).total).toBe(3)
  })

  it('fails where nothing runs', async () => {
    await expect(connect({ dataDir: directory })).rejects.toThrow(UnavailableError)
    writeEndpointsFile(directory, { version: 1, pid: 1, sockets: {} })
    await expect(connect({ dataDir: directory })).rejects.toThrow('no gateway runs')
    await expect(connect({ endpoint: endpoint(), timeoutMs: 20 })).rejects.toThrow(UnavailableError)
  })

  it('comes back by itself; open searches are asked again', async () => {
    let asked = () => {}
    const arrived = new Promise<void>(resolve => {
      asked = resolve
    })
    const first = await new FakeGateway(() => {
      asked()
      return new Promise(() => {})
    }).start()
    const to = await client()
    const open = to.search({ query: 'x', limit: 4 })
    await arrived
    await first.server.stop()
    await new FakeGateway().start()
    expect((await open).total).toBe(4)
  })

  it('ends everything when it is closed', async () => {
    await new FakeGateway(() => new Promise(() => {})).start()
    const to = await client()
    const open = to.search({ query: 'x' })
    await Promise.all([to.close(), expect(open).rejects.toThrow(UnavailableError)])
    await expect(to.search({ query: 'x' })).rejects.toThrow(UnavailableError)
    await expect(to.onEvent(() => {})).rejects.toThrow(UnavailableError)
    await to.close()
  })
})

it('administration asks for what it says', async () => {
  const root = { id: 'r1', kind: 'list' as const, path: '/a.efu' }
  const seen: Body[] = []
  await new FakeGateway(undefined, body => {
    seen.push(body)
    switch (body.type) {
      case 'rescanRequest':
        return { type: 'rescanReply', value: { roots: ['r1', 'r2'] } }
      case 'importRequest':
        return { type: 'importReply', value: { root: { ...root, kind: body.value.kind, path: body.value.path } } }
      case 'flushRequest':
        return { type: 'flushReply', value: { segmentsWritten: 1 } }
      case 'compactRequest':
        return { type: 'compactReply', value: { segmentsBefore: 4, segmentsAfter: 1 } }
      case 'clockRequest':
        return { type: 'clockReply', value: { clock: 'c9', unwatchedRoots: ['r2'] } }
      default:
        throw new UnavailableError('not now')
    }
  }).start()
  const to = await client()
  expect(await to.rescan()).toEqual(['r1', 'r2'])
  expect(await to.importList('/a.efu')).toEqual(root)
  expect(await to.addTree('/srv')).toEqual({ ...root, kind: 'tree', path: '/srv' })
  expect(await to.flush('r1')).toEqual({ segmentsWritten: 1 })
  expect(await to.compact()).toEqual({ segmentsBefore: 4, segmentsAfter: 1 })
  expect(await to.clock()).toEqual({ clock: 'c9', unwatchedRoots: ['r2'] })
  await expect(to.status()).rejects.toThrow('not now')
  expect(seen.map(body => body.type)).toEqual([
    'rescanRequest',
    'importRequest',
    'importRequest',
    'flushRequest',
    'compactRequest',
    'clockRequest',
    'statusRequest',
  ])
})

it('events reach every listener until it leaves, and gaps too', async () => {
  await new FakeGateway().start()
  const publish = async () => {
    const publisher = new EventPublisher({ endpoint: eventsEndpoint(), identity: identity('gateway') })
    await publisher.start()
    closers.push(() => publisher.stop())
    return publisher
  }
  const first = await publish()
  const to = await client()
  const seen: string[] = []
  let wake = () => {}
  const log = (line: string) => {
    seen.push(line)
    wake()
  }
  const reached = async (length: number) => {
    while (seen.length < length) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  const leave = await to.onEvent(event => log(`a${event.sequence}`))
  await to.onEvent({ onEvent: event => log(`b${event.sequence}`), onGap: gap => log(gap.reason) })
  first.publish({ kind: 'generation', generation: { root: 'r', epoch: 1, partial: false } }, 'c')
  await reached(2)
  leave()
  first.publish({ kind: 'generation', generation: { root: 'r', epoch: 2, partial: false } }, 'c')
  await reached(3)
  await first.stop()
  await reached(4)
  await publish()
  await reached(5)
  expect(seen).toEqual(['a1', 'b1', 'b2', 'b3', 'restarted'])
})

describe('answers that the gateway keeps', () => {
  it('are not sent again as long as they are right', async () => {
    const asked: (number | undefined)[] = []
    let number = 41
    await new FakeGateway(({ limit, known }) => {
      asked.push(known)
      const kept = { ...reply(limit), cached: true, number } as const
      return known === number ? { ...kept, total: -0, clock: '', unchanged: true } : kept
    }).start()
    const client = await connect({ endpoint: endpoint() })
    closers.push(() => client.close())
    const search = async (more: { noCache?: boolean; explain?: boolean; limit?: number } = {}) => {
      const { total, clock, cached } = await client.search({ query: 'a', limit: 5, ...more })
      return { total, clock, cached }
    }
    const five = { total: 5, clock: 'c5', cached: true }
    expect(await search()).toEqual(five)
    expect(await search()).toEqual(five)
    expect(await search({ limit: 6 })).toEqual({ total: 6, clock: 'c6', cached: true })
    number = 42
    expect(await search()).toEqual(five)
    expect(await search()).toEqual(five)
    expect(await search({ noCache: true })).toEqual(five)
    expect(await search({ explain: true })).toEqual(five)
    expect(asked).toEqual([undefined, 41, undefined, 41, 42, undefined, undefined])
  })
})
