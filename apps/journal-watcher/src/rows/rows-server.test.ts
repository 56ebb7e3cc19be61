import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { RowChange } from '@hotpath/model'
import {
  type Bodies,
  DealerPeer,
  type DeliveredChange,
  decodeChanges,
  type RowFeed,
  RowSubscriptions,
  type RowsMessage,
  type RowsRequest,
  rowsCost,
} from '@hotpath/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeDatabases } from '../testing/fake-databases.js'
import type { RowsServer } from './rows-server.js'

const MESSAGES = { name: 'messages', columns: ['id', 'text'] }
const USERS = { name: 'Users', columns: ['name'], primaryKey: ['name'] }
const EVERYTHING: RowsRequest = { databases: [], tables: [], cursors: [], rows: false, credit: 1_000_000 }

let databases: FakeDatabases
let server: RowsServer
let endpoint: string
const closers: (() => unknown)[] = []

beforeEach(async () => {
  databases = new FakeDatabases()
  endpoint = `ipc://${join(databases.directory, 'rows.sock')}`
  server = await databases.serve(endpoint, { lingerMs: 50 })
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await server.stop()
  databases.close()
})

function insert(rowid: number, text = `text ${rowid}`): RowChange {
  return { table: 'messages', operation: 'insert', key: BigInt(rowid), new: [BigInt(rowid), text] }
}

/** A consumer over a real socket, whose session comes back by itself. */
class Consumer {
  readonly messages: RowsMessage[] = []
  readonly peer: DealerPeer
  readonly subscriptions: RowSubscriptions
  feed: RowFeed | undefined
  takes = true

  constructor() {
    this.peer = new DealerPeer({
      endpoint,
      identity: { stage: 'gateway', instance: randomUUID(), pid: process.pid },
      onMessage: body => void this.subscriptions.receive(body),
      onWelcome: () => this.subscriptions.connected(),
      onPeerLost: reason => this.subscriptions.lost(reason),
    })
    this.subscriptions = new RowSubscriptions(this.peer)
    this.peer.start()
    closers.push(() => this.peer.stop())
  }

  async open(request: Partial<RowsRequest> = {}): Promise<this> {
    this.feed = await this.subscriptions.open({ ...EVERYTHING, ...request }, (message, feed) => {
      this.messages.push(message)
      if (this.takes) feed.taken(rowsCost(message))
    })
    return this
  }

  ofType<Type extends RowsMessage['type']>(type: Type): Bodies[Type][] {
    return this.messages.flatMap(message => (message.type === type ? [message.value as Bodies[Type]] : []))
  }

  /** Changes of whole transactions by their number. */
  transactions(database?: string): [number, DeliveredChange[]][] {
    const found: [number, DeliveredChange[]][] = []
    let changes: DeliveredChange[] = []
    for (const part of this.ofType('rowsPart')) {
      if (database !== undefined && part.database !== database) continue
      changes.push(...decodeChanges(part.changes))
      if (!part.last) continue
      found.push([part.cursor.sequence, changes])
      changes = []
    }
    return found
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 2))
}

describe('a subscription', () => {
  it('begins now, with the state and a cursor, and tells each transaction once', async () => {
    const chat = databases.add('chat')
    chat.commit([insert(1)], { tables: [MESSAGES] })
    const consumer = await new Consumer().open()
    await until(() => consumer.messages.length === 1)
    expect(consumer.messages[0]).toMatchObject({
      type: 'rowsState',
      value: { database: 'chat', state: 'live', cursor: { epoch: chat.log!.epoch, sequence: 1 } },
    })
    chat.commit([insert(2)])
    chat.commit([insert(3), insert(4)])
    await until(() => consumer.transactions().length === 2)
    expect(consumer.transactions()).toEqual([
      [2, [insert(2)]],
      [3, [insert(3), insert(4)]],
    ])
    // Described with the first change of it, and never again.
    expect(consumer.ofType('rowsPart').map(part => part.tables)).toEqual([[MESSAGES], []])
  })

  it('tells what is committed while the reply is under way', async () => {
    const chat = databases.add('chat')
    chat.commit([], { tables: [MESSAGES] })
    const later = setImmediate
    const spy = vi.spyOn(globalThis, 'setImmediate').mockImplementation(((work: () => void) => {
      // What the subscription tells begins with this; the reply is made before.
      if (chat.log!.sequence === 1 && new Error().stack?.includes('rows-server.ts')) chat.commit([insert(1)])
      return later(work)
    }) as typeof setImmediate)
    const consumer = await new Consumer().open({ databases: ['chat'] })
    spy.mockRestore()
    await until(() => consumer.transactions().length === 1)
    expect(consumer.transactions()).toEqual([[2, [insert(1)]]])
  })

  it('goes on behind a cursor, and says so where it cannot', async () => {
    const chat = databases.add('chat')
    for (let i = 1; i <= 5; i++) chat.commit([insert(i)], i === 1 ? { tables: [MESSAGES] } : {})
    const { epoch } = chat.log!
    const consumer = await new Consumer().open({ databases: ['chat'], cursors: [{ epoch, sequence: 3 }] })
    await until(() => consumer.transactions().length === 2)
    expect(consumer.transactions().map(([sequence]) => sequence)).toEqual([4, 5])
    const other = await new Consumer().open({
      databases: ['chat'],
      cursors: [{ epoch: `${epoch.slice(0, 8)}${'0'.repeat(16)}`, sequence: 3 }],
    })
    await until(() => other.messages.length >= 2)
    expect(other.ofType('rowsReset')).toMatchObject([{ reason: 'epoch', cursor: { epoch, sequence: 0 } }])
    await until(() => other.transactions().length === 5)
    chat.log!.reset([MESSAGES])
    chat.commit([insert(9)])
    await until(() => other.transactions().length === 6)
    expect(other.ofType('rowsReset').map(({ reason }) => reason)).toEqual(['epoch', 'epoch'])
    expect(other.transactions().at(-1)).toEqual([1, [insert(9)]])
  })

  it('tells of certain tables and databases, and where a consumer stands that wants nothing of what happens', async () => {
    const chat = databases.add('chat')
    const mail = databases.add('mail')
    chat.commit([], { tables: [MESSAGES, USERS] })
    mail.commit([], { tables: [MESSAGES] })
    const consumer = await new Consumer().open({ databases: ['chat'], tables: ['users'] })
    await until(() => consumer.messages.length === 1)
    const user: RowChange = { table: 'Users', operation: 'insert', key: ['ann'], new: ['ann'] }
    mail.commit([insert(7)])
    chat.commit([insert(1)])
    chat.commit([insert(2), user, insert(3)])
    await until(() => consumer.transactions().length === 1)
    expect(consumer.transactions()).toEqual([[3, [user]]])
    expect(consumer.ofType('rowsPart')[0]!.tables).toEqual([USERS])
    chat.commit([insert(4)])
    await until(() => consumer.ofType('rowsState').at(-1)!.cursor?.sequence === 4)
  })

  it('tells all rows first where they are wanted, and again after a gap', async () => {
    const chat = databases.add('chat')
    chat.commit(
      Array.from({ length: 250 }, (_, i) => insert(i)),
      { tables: [MESSAGES] },
    )
    let isFirst = true
    chat.beforePage = async () => {
      // Rows go on changing while they are read.
      if (isFirst) chat.commit([insert(1_000)])
      isFirst = false
    }
    const consumer = await new Consumer().open({ rows: true })
    await until(() => consumer.transactions().length === 1)
    expect(consumer.ofType('rowsReset')).toMatchObject([{ reason: 'initial' }])
    expect(consumer.ofType('rowsReset')[0]).not.toHaveProperty('cursor')
    const pages = consumer.ofType('rowsPage')
    expect(pages.flatMap(page => decodeChanges(page.changes)).map(({ key }) => key)).toEqual(
      Array.from({ length: 250 }, (_, i) => BigInt(i)),
    )
    expect(pages.map(({ cursor }) => cursor?.sequence)).toEqual([undefined, undefined, undefined, 1])
    expect(pages[0]!.tables).toEqual([MESSAGES])
    expect(consumer.transactions()).toEqual([[2, [insert(1_000)]]])
    chat.log!.reset([MESSAGES])
    await until(() => consumer.ofType('rowsPage').length === 8)
    expect(consumer.ofType('rowsReset').map(({ reason }) => reason)).toEqual(['initial', 'epoch'])
  })

  it('reads at the pace of its consumer, and resynchronises who is too slow', async () => {
    const chat = databases.add('chat', { retainedBytes: 200_000, graceMs: -1 })
    const consumer = await new Consumer()
    consumer.takes = false
    await consumer.open({ credit: 50_000 })
    chat.commit([], { tables: [MESSAGES] })
    const text = 'x'.repeat(1_000)
    for (let i = 0; i < 100; i++) chat.commit([insert(i, text)])
    const cost = () => consumer.messages.reduce((sum, message) => sum + rowsCost(message), 0)
    await until(() => cost() >= 50_000)
    await new Promise(resolve => setTimeout(resolve, 30))
    const sent = cost()
    expect(sent).toBeLessThan(52_000)
    for (let i = 100; i < 500; i++) chat.commit([insert(i, text)])
    consumer.takes = true
    consumer.feed!.taken(sent)
    await until(() => consumer.ofType('rowsReset').length === 1)
    expect(consumer.ofType('rowsReset')).toMatchObject([{ reason: 'behind', cursor: { sequence: 501 } }])
    chat.commit([insert(900)])
    await until(() => consumer.transactions().at(-1)![0] === 502)
  })

  it('waits for a database whose log cannot be opened yet', async () => {
    const chat = databases.add('chat')
    chat.close()
    chat.become({ state: 'locked', reason: 'there is no key' })
    const consumer = await new Consumer().open()
    await until(() => consumer.messages.length === 1)
    expect(consumer.messages[0]).toMatchObject({ value: { state: 'locked', reason: 'there is no key' } })
    chat.open()
    chat.become({ state: 'live', reason: '' })
    chat.commit([insert(1)], { tables: [MESSAGES] })
    await until(() => consumer.transactions().length === 1)
    expect(consumer.ofType('rowsState').at(-1)).toMatchObject({ state: 'live' })
  })

  it('begins when a database was read for the first time, whose log begins anew meanwhile', async () => {
    const chat = databases.add('chat')
    chat.become({ state: 'catching-up', reason: 'read for the first time' })
    const consumer = await new Consumer().open()
    await until(() => consumer.messages.length === 1)
    expect(consumer.ofType('rowsState')[0]).not.toHaveProperty('cursor')
    chat.log!.reset([MESSAGES])
    chat.become({ state: 'live', reason: '' })
    chat.commit([insert(1)])
    await until(() => consumer.transactions().length === 1)
    expect(consumer.messages.map(({ type }) => type)).toEqual(['rowsState', 'rowsState', 'rowsPart'])
    expect(consumer.ofType('rowsState')[1]).toMatchObject({ cursor: { epoch: chat.log!.epoch, sequence: 0 } })
  })

  it('is refused for a database that nobody follows', async () => {
    databases.add('chat')
    await expect(new Consumer().open({ databases: ['mail'] })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      expected: 'one of "chat"',
    })
  })

  it('goes on after the server was killed, in the midst of a transaction, without a part twice or missing', async () => {
    const chat = databases.add('chat')
    const consumer = new Consumer()
    consumer.takes = false
    await consumer.open({ credit: 300_000 })
    await until(() => consumer.messages.length === 1)
    const changes = Array.from({ length: 1_500 }, (_, i) => insert(i, 'y'.repeat(1_000)))
    chat.commit(changes, { tables: [MESSAGES] })
    await until(() => consumer.ofType('rowsPart').length === 2)
    await server.stop()
    await until(() => consumer.ofType('rowsState').some(({ state }) => state === 'unavailable'))
    // Another process opens the log.
    chat.close()
    chat.open()
    server = await databases.serve(endpoint)
    consumer.takes = true
    consumer.feed!.taken(10_000_000)
    await until(() => consumer.transactions().length === 1)
    expect(consumer.transactions()).toEqual([[1, changes]])
    expect(consumer.ofType('rowsPart').map(({ part }) => part)).toEqual(
      Array.from({ length: consumer.ofType('rowsPart').length }, (_, i) => i),
    )
    expect(consumer.ofType('rowsReset')).toEqual([])
    expect(consumer.ofType('rowsState').at(-1)).toMatchObject({ state: 'live' })
  })

  it('of a database by its path follows it for as long as somebody is there, and a while', async () => {
    const follow = { path: '/tmp/other.db', tables: ['messages'], keyFile: '/home/ann/key', audit: false }
    const consumer = await new Consumer().open({ follow })
    expect(databases.followed).toEqual([follow])
    expect(consumer.feed!.databases).toMatchObject([{ name: '/tmp/other.db', adHoc: true }])
    const [database] = databases.databases()
    database!.commit([insert(1)], { tables: [MESSAGES] })
    await until(() => consumer.transactions().length === 1)
    // For other tables it cannot be had meanwhile.
    for (const tables of [[], ['Messages', 'users']])
      await expect(new Consumer().open({ follow: { ...follow, tables } })).rejects.toMatchObject({ what: 'tables' })
    await expect(new Consumer().open({ follow: { ...follow, audit: true } })).rejects.toMatchObject({ what: 'audit' })
    await new Consumer().open({ follow: { ...follow, tables: ['MESSAGES'] } }).then(({ feed }) => feed!.end())
    const all = await new Consumer().open()
    consumer.feed!.end()
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(databases.released).toEqual([])
    // Whoever is subscribed to all does not keep it.
    await until(() => databases.released.length === 1)
    expect(databases.released).toEqual(['/tmp/other.db'])
    all.feed!.end()
    await expect(new Consumer().open({ follow: { ...follow, path: 'other.db' } })).rejects.toThrow('an absolute path')
  })

  it('goes on where the server was another, and ends where nobody comes back to it', async () => {
    const follow = { path: '/tmp/other.db', tables: ['messages'], keyFile: '', audit: false }
    const consumer = await new Consumer().open({ follow })
    databases.add('/tmp/third.db', {}, true)
    await server.stop()
    // Long enough for a busy machine to come back to it.
    server = await databases.serve(endpoint, { lingerMs: 1_000 })
    await until(() => databases.released.length === 1)
    expect(databases.released).toEqual(['/tmp/third.db'])
    databases.databases()[0]!.commit([insert(1)], { tables: [MESSAGES] })
    await until(() => consumer.transactions().length === 1)
    expect(consumer.ofType('rowsReset')).toEqual([])
    await expect(new Consumer().open({ follow: { ...follow, tables: [] } })).rejects.toMatchObject({ what: 'tables' })
  })
})

it('tells each change once, in order, however sessions, stalls, restarts and large transactions fall', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
  const chat = databases.add('chat')
  chat.commit([], { tables: [MESSAGES, { name: 'other', columns: ['a'] }] })
  const all = new Consumer()
  const filtered = new Consumer()
  await all.open({ credit: 150_000 })
  await filtered.open({ credit: 150_000, tables: ['other'] })
  await until(() => all.messages.length > 0 && filtered.messages.length > 0)
  const committed: RowChange[] = []
  let rowid = 0
  for (let step = 0; step < (process.env.SOAK ? 400 : 40); step++) {
    const count = random(8) === 0 ? 800 : random(4)
    const changes = Array.from({ length: count }, (): RowChange => {
      const key = BigInt(++rowid)
      return random(3) === 0
        ? { table: 'other', operation: 'delete', key, old: ['z'.repeat(random(2_000))] }
        : { table: 'messages', operation: 'insert', key, new: [key, 'y'.repeat(random(2_000))] }
    })
    chat.commit(changes)
    committed.push(...changes)
    for (const consumer of [all, filtered]) {
      consumer.takes = random(3) > 0
      if (consumer.takes) consumer.feed!.taken(10_000_000)
    }
    if (random(3) === 0) await new Promise(resolve => setTimeout(resolve, random(5)))
    if (random(8) !== 0) continue
    await server.stop()
    if (random(2) === 0) {
      chat.close()
      chat.open()
    }
    server = await databases.serve(endpoint)
  }
  for (const consumer of [all, filtered]) {
    consumer.takes = true
    consumer.feed!.taken(10_000_000)
  }
  const last = chat.log!.sequence
  const lastOther = committed.findLast(({ table }) => table === 'other')?.key
  await until(() => all.transactions().at(-1)?.[0] === last)
  await until(() => filtered.transactions().at(-1)?.[1].at(-1)?.key === lastOther)
  const told = (consumer: Consumer) => consumer.transactions().flatMap(([, changes]) => changes)
  expect(all.ofType('rowsReset'), `seed ${seed}`).toEqual([])
  expect(
    all.transactions().map(([sequence]) => sequence),
    `seed ${seed}`,
  ).toEqual(Array.from({ length: last - 1 }, (_, i) => i + 2))
  expect(told(all), `seed ${seed}`).toEqual(committed)
  expect(told(filtered), `seed ${seed}`).toEqual(committed.filter(({ table }) => table === 'other'))
})

it('says that a subscription is over when its database is not followed any more, or cannot be told of', async () => {
  const chat = databases.add('chat')
  databases.add('mail')
  const consumer = await new Consumer().open({ databases: ['chat'] })
  const all = await new Consumer().open()
  await until(() => consumer.messages.length === 1 && all.messages.length === 2)
  databases.remove(chat.id)
  await until(() => consumer.messages.length === 2)
  expect(consumer.ofType('rowsEnded')).toMatchObject([{ error: { code: 'UNAVAILABLE' } }])
  expect(consumer.subscriptions.count).toBe(0)
  expect(all.ofType('rowsEnded')).toEqual([])
  const [mail] = databases.databases()
  // The name of a table that no message takes.
  mail!.commit([], { tables: [{ name: 'x'.repeat(70_000), columns: [] }] })
  await until(() => all.ofType('rowsEnded').length === 1)
  expect(all.ofType('rowsEnded')[0]).toMatchObject({ error: { code: 'INVALID_INPUT' } })
})

it('lists databases with their state', async () => {
  const chat = databases.add('chat')
  chat.commit([insert(1)], { tables: [MESSAGES] })
  const consumer = await new Consumer().open()
  const { databases: listed } = await consumer.peer.request('databasesRequest', {})
  expect(listed).toEqual([
    {
      name: 'chat',
      path: '/home/ann/chat.db',
      state: 'live',
      reason: '',
      method: 'pages',
      lagMs: 0,
      subscribers: 1,
      adHoc: false,
      cursor: { epoch: chat.log!.epoch, sequence: 1 },
      logBytes: chat.log!.bytes,
    },
  ])
})
