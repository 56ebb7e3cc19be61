import { InvalidInputError, UnavailableError } from '@hotpath/model'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PeerLostError } from '../errors.js'
import type { RowsSubscribe } from '../messages/rows.js'
import { newEpoch } from './cursor.js'
import { RowSubscriptions, type RowsMessage } from './row-subscriptions.js'

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

  async send(): Promise<void> {}

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

  beforeEach(async () => {
    vi.useFakeTimers()
    server = new Server()
    subscriptions = new RowSubscriptions(server)
    received = []
    const request = { databases: ['chat'], tables: [], cursors: [], rows: false, credit: 1000 }
    const opened = subscriptions.open(request, message => received.push(message))
    await server.answer()
    await opened
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

  it('asks again where the server had lost its own', async () => {
    subscriptions.lost('gone')
    subscriptions.connected()
    for (let i = 0; i < 3; i++) {
      await server.answer(new PeerLostError('the journal watcher does not answer'))
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
