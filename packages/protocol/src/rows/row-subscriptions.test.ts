import { CancelledError, InvalidInputError, UnavailableError } from '@hotpath/model'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PeerLostError } from '../errors.js'
import type { RowsSubscribe } from '../messages/rows.js'
import { newEpoch } from './cursor.js'
import { type RowFeed, RowSubscriptions, type RowsMessage, rowsCost } from './row-subscriptions.js'

/** A server that answers when it is told to. */
class Server {
  readonly asked: RowsSubscribe[] = []
  readonly #answers: { resolve(): void; reject(error: Error): void }[] = []
  isReady = true

  request(_type: 'rowsSubscribe', value: RowsSubscribe) {
    this.asked.push(value)
    return new Promise<{ subscription: number; databases: [] }>((resolve, reject) =>
      this.#answers.push({ resolve: () => resolve({ subscription: value.subscription, databases: [] }), reject }),
    )
  }

  /** Subscription and bytes. */
  readonly credits: [number, number][] = []

  async send(_type: string, value: object): Promise<void> {
    const { subscription, bytes } = value as { subscription: number; bytes?: number }
    if (bytes !== undefined) this.credits.push([subscription, bytes])
  }

  /** The request that waits longest. */
  async answer(error?: Error): Promise<void> {
    const next = this.#answers.shift()
    if (error === undefined) next?.resolve()
    else next?.reject(error)
    await vi.advanceTimersByTimeAsync(0)
  }

  get last(): RowsSubscribe | undefined {
    return this.asked.at(-1)
  }
}

const WINDOW = 8_000
const epoch = newEpoch('/chat.db')
const part = (subscription: number, sequence: number): RowsMessage => ({
  type: 'rowsPart',
  value: {
    subscription,
    database: 'chat',
    cursor: { epoch, sequence },
    timeMs: 0,
    part: 0,
    last: true,
    merged: false,
    incomplete: false,
    tables: [],
    changes: new Uint8Array(),
  } as never,
})

describe('a subscription that outlives its sessions', () => {
  let server: Server
  let subscriptions: RowSubscriptions
  let received: RowsMessage[]
  let feeds: RowFeed[]

  beforeEach(async () => {
    vi.useFakeTimers()
    server = new Server()
    subscriptions = new RowSubscriptions(server)
    received = []
    const request = { databases: ['chat'], tables: [], cursors: [], rows: false, credit: WINDOW }
    const opened = subscriptions.open(request, message => received.push(message))
    await server.answer()
    feeds = [await opened]
    subscriptions.receive(part(1, 1))
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const sequences = () =>
    received.flatMap(({ type, value }) => (type === 'rowsPart' ? [Number(value.cursor.sequence)] : []))

  it('goes on behind what it has, and leaves out what comes twice', async () => {
    subscriptions.lost('gone')
    subscriptions.connected()
    await server.answer()
    expect(server.last).toMatchObject({ subscription: 2, cursors: [{ epoch, sequence: 1 }] })
    subscriptions.receive(part(1, 2))
    for (const sequence of [1, 2]) subscriptions.receive(part(2, sequence))
    expect(sequences()).toEqual([1, 2])
  })

  it('gives credit back when an eighth of it is owed, and all of it with a new session', async () => {
    const cost = rowsCost(part(1, 1))
    expect(cost).toBeLessThan(WINDOW / 8)
    const [feed] = feeds
    const each = Math.ceil(WINDOW / 8 / cost)
    for (let i = 1; i <= 3 * each; i++) {
      if (i > 1) subscriptions.receive(part(1, i))
      feed!.taken(cost)
    }
    expect(server.credits).toEqual([1, 2, 3].map(() => [1, each * cost]))
    // One is owed, and one was not taken.
    for (const more of [1, 2]) subscriptions.receive(part(1, 3 * each + more))
    feed!.taken(cost)
    subscriptions.lost('gone')
    subscriptions.connected()
    await server.answer()
    expect(server.last).toMatchObject({ credit: WINDOW - cost })
    feed!.taken(cost)
    for (let i = 1; i < each - 1; i++) {
      subscriptions.receive(part(2, 3 * each + 2 + i))
      feed!.taken(cost)
    }
    expect(server.credits).toHaveLength(3)
  })

  it('asks again where the server had lost its own', async () => {
    subscriptions.lost('gone')
    subscriptions.connected()
    for (let i = 0; i < 3; i++) {
      await server.answer(i === 1 ? new CancelledError() : new PeerLostError('the journal watcher does not answer'))
      const before = server.asked.length
      await vi.advanceTimersByTimeAsync(2_000)
      expect(server.asked.length).toBe(before + 1)
    }
    await server.answer()
    subscriptions.receive(part(server.last!.subscription, 2))
    expect(sequences()).toEqual([1, 2])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(server.asked.length).toBe(5)
  })

  it('is left to the newer session where the older one fails', async () => {
    subscriptions.lost('gone')
    subscriptions.connected()
    subscriptions.lost('gone again')
    subscriptions.connected()
    await server.answer(new UnavailableError('lost'))
    await server.answer()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(server.asked.length).toBe(3)
    subscriptions.receive(part(3, 2))
    expect(sequences()).toEqual([1, 2])
  })

  it('waits for the next session where there is none when it would ask again', async () => {
    subscriptions.lost('gone')
    subscriptions.connected()
    await server.answer(new UnavailableError('lost'))
    server.isReady = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(server.asked.length).toBe(2)
    server.isReady = true
    subscriptions.connected()
    expect(server.asked.length).toBe(3)
  })

  it('ends with what the server says against it', async () => {
    subscriptions.lost('gone')
    subscriptions.connected()
    await server.answer(new InvalidInputError('database', 'none: no database is followed', 'chat'))
    expect(received.at(-1)).toMatchObject({ type: 'rowsEnded', value: { error: { code: 'INVALID_INPUT' } } })
    await vi.advanceTimersByTimeAsync(10_000)
    expect([server.asked.length, subscriptions.count]).toEqual([2, 0])
  })
})
