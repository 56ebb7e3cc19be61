/** Peers that send garbage, announce a gigabyte, stop in the middle, say nothing or do not read: nobody else is harmed. */
import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { Dealer } from 'zeromq'
import { type Body, decodeEnvelope, encodeEnvelope } from '../envelope.js'
import { Inbox, identity, testSockets, until } from '../testing/sockets.js'
import { closed, frame, greeting, rawConnection, rawDealer } from '../testing/zmtp.js'
import type { DealerPeer } from './dealer-peer.js'
import type { RouterServer } from './router-server.js'

const sockets = testSockets()
const MIB = 1024 * 1024
/** What the checklist allows for one hostile peer. */
const MAX_GROWTH_BYTES = 32 * MIB

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** The attackers run in this process, too: the heap must have the size that their garbage gives it before anything is measured. */
function growYoungGeneration(): void {
  const kept: number[][] = []
  for (let i = 0; i < 200_000; i++) kept[i % 20_000] = new Array<number>(60).fill(i)
}

async function clockServer(): Promise<{ server: RouterServer; friend: DealerPeer }> {
  const server = await sockets.server({
    endpoint: sockets.endpoint(),
    onMessage: () => ({ type: 'clockReply', value: { clock: 'c', unwatchedRoots: [] } }),
  })
  const friend = sockets.peer({ endpoint: server.endpoint })
  await friend.request('clockRequest', {})
  return { server, friend }
}

/** Runs `attack` and proves that the server answers others meanwhile and that its memory did not grow. */
async function survive(attack: (server: RouterServer) => Promise<unknown>): Promise<void> {
  const { server, friend } = await clockServer()
  growYoungGeneration()
  const before = process.memoryUsage.rss()
  await attack(server)
  for (let i = 0; i < 20; i++) await friend.request('clockRequest', {}, { timeoutMs: 30_000 })
  collectGarbage()
  expect(process.memoryUsage.rss() - before).toBeLessThan(MAX_GROWTH_BYTES)
  expect(friend.isReady).toBe(true)
}

function envelope(body: Body, requestId = 0): Uint8Array {
  return encodeEnvelope({ requestId, sender: 'raw', deadlineMs: 0, body })
}

it('a declared length of 1 GiB', () =>
  survive(async server => {
    const socket = await rawDealer(server.endpoint)
    const end = closed(socket)
    socket.write(frame(Buffer.from('only this'), 1024 * MIB))
    await end
  }))

it('a declared length just above the limit', () =>
  survive(async server => {
    const socket = await rawDealer(server.endpoint)
    const end = closed(socket)
    socket.write(frame(Buffer.from('x'), 64 * MIB + 1))
    await end
  }))

it('bytes that are no ZMTP', () =>
  survive(async server => {
    const socket = await rawConnection(server.endpoint)
    const end = closed(socket)
    socket.write(Buffer.concat([Buffer.from('GET / HTTP/1.1\r\n\r\n'), randomBytes(MIB)]))
    await end
  }))

it('a greeting followed by noise', () =>
  survive(async server => {
    const socket = await rawConnection(server.endpoint)
    const end = closed(socket)
    // 0x0f: reserved flags.
    socket.write(Buffer.concat([greeting(), Buffer.alloc(100_000, 0x0f)]))
    await end
  }))

it('half a message, and half a handshake, held open or dropped', () =>
  survive(async server => {
    const half = await rawDealer(server.endpoint)
    half.write(frame(Buffer.alloc(500), 1_000))
    const dropped = await rawDealer(server.endpoint)
    const end = closed(dropped)
    dropped.end(frame(Buffer.alloc(500), 63 * MIB))
    await end
    const greeted = await rawConnection(server.endpoint)
    greeted.write(greeting().subarray(0, 40))
    sockets.onClose(() => half.destroy())
    sockets.onClose(() => greeted.destroy())
  }))

it('nothing at all, a hundred times', () =>
  survive(async server => {
    const silent = await Promise.all(Array.from({ length: 100 }, () => rawConnection(server.endpoint)))
    for (const socket of silent) sockets.onClose(() => socket.destroy())
  }))

it('ten thousand messages of garbage, answered with refusals while they are read', () =>
  survive(async server => {
    const dealer = new Dealer({ linger: 0 })
    sockets.onClose(() => dealer.close())
    dealer.connect(server.endpoint)
    for (let i = 0; i < 10_000; i++) await dealer.send(i % 2 ? randomBytes(40) : Buffer.from([0x0b, 0x0b]))
    await until(() => server.stats().malformed >= 10_000)
    const [bytes] = await dealer.receive()
    expect(decodeEnvelope(bytes!).body).toMatchObject({
      type: 'refused',
      value: { code: 'malformed', supportedVersion: 1 },
    })
  }))

it('messages of several frames, and empty ones', () =>
  survive(async server => {
    const dealer = new Dealer({ linger: 0 })
    sockets.onClose(() => dealer.close())
    dealer.connect(server.endpoint)
    await dealer.send(['a', 'b', 'c'])
    await dealer.send('')
    await until(() => server.stats().malformed >= 2)
    const [bytes] = await dealer.receive()
    expect(decodeEnvelope(bytes!).body).toMatchObject({ value: { message: 'expected 1 frame, found 3' } })
  }))

it('another version, and a message before Hello, are refused with a reason', async () => {
  const { server } = await clockServer()
  const dealer = new Dealer({ linger: 0 })
  sockets.onClose(() => dealer.close())
  dealer.connect(server.endpoint)
  await dealer.send(envelope({ type: 'hello', value: { protocolVersion: 7, connection: 1, ...identity('client') } }, 3))
  await dealer.send(envelope({ type: 'clockRequest', value: {} }, 4))
  const refusals = [await dealer.receive(), await dealer.receive()].map(([bytes]) => decodeEnvelope(bytes!))
  expect(refusals).toMatchObject([
    { requestId: 3, body: { type: 'refused', value: { code: 'version', supportedVersion: 1 } } },
    { requestId: 4, body: { type: 'refused', value: { code: 'notGreeted' } } },
  ])
  expect(refusals[0]?.body).toMatchObject({ value: { message: 'version 7, this server speaks 1' } })
})

it('a peer that asks and does not read is given up, and costs no more than its bound', async () => {
  const lost = new Inbox<string>()
  const line = 'x'.repeat(200_000)
  const server = await sockets.server({
    endpoint: sockets.endpoint(),
    maxQueueBytes: MIB,
    onMessage: ({ body }) =>
      body.type === 'statusRequest'
        ? { type: 'error', value: { code: 'X', message: '', what: '', expected: '', found: '' } }
        : {
            type: 'searchReply',
            value: {
              total: 0,
              fuzzyTotal: Number.NaN,
              clock: '',
              fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
              partial: false,
              tookMs: 0,
              rows: {
                count: 0,
                ids: new Uint8Array(0),
                pathOffsets: new Uint32Array(1),
                paths: new Uint8Array(0),
                nameStart: new Uint32Array(0),
                kind: new Uint8Array(0),
                size: new Float64Array(0),
              },
              explain: line,
            },
          },
    onPeerLost: (_, reason) => lost.push(reason),
  })
  const socket = await rawDealer(server.endpoint)
  sockets.onClose(() => socket.destroy())
  socket.pause()
  socket.write(frame(envelope({ type: 'hello', value: { protocolVersion: 1, connection: 1, ...identity('client') } })))
  const request = frame(envelope({ type: 'searchBatch', value: { requests: [] } }, 9))
  for (let i = 0; i < 400; i++) socket.write(request)
  expect(await lost.next()).toBe('does not read')
  expect(server.stats()).toMatchObject({ peers: 0, queuedBytes: 0 })
  const friend = sockets.peer({ endpoint: server.endpoint })
  await expect(friend.request('statusRequest', {})).rejects.toMatchObject({ remoteCode: 'X' })
})

it('a server that sends garbage to its peers is survived too', async () => {
  const { Router } = await import('zeromq')
  const router = new Router({ linger: 0 })
  sockets.onClose(() => router.close())
  const endpoint = sockets.endpoint()
  await router.bind(endpoint)
  const peer = sockets.peer({ endpoint })
  const answer = peer.request('clockRequest', {})
  // One for all that it is asked: a busy peer may say hello twice.
  const server = identity('store')
  for (;;) {
    const [route, bytes] = await router.receive()
    const { body, requestId } = decodeEnvelope(bytes!)
    if (body.type === 'hello') {
      await router.send([route!, randomBytes(64)])
      await router.send([route!, 'two', 'frames'])
      const value = {
        protocolVersion: 1,
        ...server,
        heartbeatMs: 2_000,
        lostMs: 10_000,
        maxMessageBytes: MIB,
      }
      await router.send([route!, envelope({ type: 'welcome', value })])
    }
    if (body.type === 'clockRequest') {
      // A piece that does not fit, for a request that nobody made and for this one.
      const value = { index: 5, totalBytes: 100, data: new Uint8Array(10) }
      await router.send([route!, envelope({ type: 'fragment', value }, 12_345)])
      await router.send([
        route!,
        envelope({ type: 'clockReply', value: { clock: 'stray', unwatchedRoots: [] } }, 12_345),
      ])
      await router.send([route!, envelope({ type: 'fragment', value }, requestId)])
      break
    }
  }
  await expect(answer).rejects.toThrow('fragment.index: expected 0, found 5')
  expect(peer.isReady).toBe(true)
})
