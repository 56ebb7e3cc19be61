import { CancelledError, InvalidInputError, UnavailableError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { encodeReplies, encodeSearchReply } from '../encoded-replies.js'
import { type Body, decodeEnvelope, encodeEnvelope } from '../envelope.js'
import { PeerLostError, RefusedError, RemoteError } from '../errors.js'
import { HEARTBEAT_MS, LOST_MS } from '../limits.js'
import type { Welcome } from '../messages/handshake.js'
import { noHits, type SearchReply, searchRequest } from '../messages/query.js'
import { Inbox, identity, testSockets, until } from '../testing/sockets.js'
import type { IncomingMessage } from './incoming-message.js'
import type { Peer } from './peer.js'
import { unexpected } from './router-server.js'

const sockets = testSockets()

function reply(total: number): SearchReply {
  return {
    total,
    fuzzyTotal: Number.NaN,
    clock: 'c1',
    fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
    partial: false,
    tookMs: 0.25,
    rows: noHits(),
    explain: '',
  }
}

describe('request and reply', () => {
  it('answers each request with its own reply', async () => {
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage({ body }) {
        if (body.type !== 'searchRequest') throw unexpected(body.type)
        return { type: 'searchReply', value: reply(body.value.limit) }
      },
    })
    const peer = sockets.peer({ endpoint: server.endpoint, expects: 'store' })
    const limits = Array.from({ length: 500 }, (_, i) => i)
    const replies = await Promise.all(limits.map(limit => peer.request('searchRequest', searchRequest('x', { limit }))))
    expect(replies.map(reply => reply.total)).toEqual(limits)
  })

  it('leaves a turn of the event loop to others between messages that take long', async () => {
    let turns = 0
    const handledInTurn: number[] = []
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage() {
        handledInTurn[turns] = (handledInTurn[turns] ?? 0) + 1
        const untilMs = performance.now() + 10
        while (performance.now() < untilMs);
        return { type: 'clockReply', value: { clock: 'c', unwatchedRoots: [] } }
      },
    })
    const peer = sockets.peer({ endpoint: server.endpoint })
    await peer.request('clockRequest', {})
    const answers = Promise.all(Array.from({ length: 40 }, () => peer.request('clockRequest', {})))
    let answered = false
    answers.finally(() => {
      answered = true
    })
    while (!answered) {
      turns++
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(Math.max(...handledInTurn.filter(Boolean))).toBeLessThanOrEqual(2)
  })

  it('takes a reply that is encoded already', async () => {
    const instance = identity('gateway')
    const server = await sockets.server({
      identity: instance,
      endpoint: sockets.endpoint(),
      onMessage: ({ requestId }) =>
        encodeReplies(
          requestId,
          instance.instance,
          [1, 2].map(n => encodeSearchReply(reply(n))),
          true,
        ),
    })
    const peer = sockets.peer({ endpoint: server.endpoint })
    const batch = await peer.request('searchBatch', { requests: [searchRequest('a'), searchRequest('b')] })
    expect(batch.replies.map(reply => reply.total)).toEqual([1, 2])
  })

  it('waits for a server that comes later', async () => {
    const endpoint = sockets.endpoint()
    const peer = sockets.peer({ endpoint })
    const answer = peer.request('clockRequest', {})
    await sockets.server({
      endpoint,
      onMessage: () => ({ type: 'clockReply', value: { clock: 'c', unwatchedRoots: [] } }),
    })
    expect(await answer).toEqual({ clock: 'c', unwatchedRoots: [] })
  })

  it('passes errors on with their class', async () => {
    const failures: Record<string, Error> = {
      input: new InvalidInputError('root', 'a known root', '"r9"'),
      away: new UnavailableError('not now'),
      other: new TypeError('a bug'),
    }
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage({ body }) {
        throw body.type === 'rescanRequest' ? failures[body.value.root] : unexpected(body.type)
      },
    })
    const peer = sockets.peer({ endpoint: server.endpoint })
    const fail = (root: string) => peer.request('rescanRequest', { root }).catch((error: unknown) => error)
    expect(await fail('input')).toEqual(failures.input)
    expect(await fail('away')).toEqual(failures.away)
    const other = await fail('other')
    expect(other).toBeInstanceOf(RemoteError)
    expect(other).toMatchObject({ remoteCode: 'INTERNAL', message: 'a bug' })
    expect(await peer.request('statusRequest', {}).catch((error: unknown) => error)).toMatchObject({
      what: 'message',
      found: 'statusRequest',
    })
  })

  it('refuses a broken request before it is sent', async () => {
    const peer = sockets.peer({ endpoint: sockets.endpoint() })
    await expect(peer.request('searchRequest', searchRequest('x', { limit: 2e6 }))).rejects.toThrow(InvalidInputError)
  })

  it('gives up at the deadline and tells the server, also when cancelled', async () => {
    const messages = new Inbox<IncomingMessage>()
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage(message) {
        message.signal.addEventListener('abort', () => messages.push(message))
        messages.push(message)
        return new Promise(resolve => message.signal.addEventListener('abort', () => resolve(undefined)))
      },
    })
    const peer = sockets.peer({ endpoint: server.endpoint })
    await peer.ready()
    await expect(peer.request('statusRequest', {}, { timeoutMs: 30 })).rejects.toThrow(CancelledError)
    const first = await messages.next()
    // A sum of fractions.
    expect(first.deadlineAt - first.receivedAt).toBeLessThanOrEqual(30.001)
    expect((await messages.next()).signal.reason).toBeInstanceOf(CancelledError)

    const controller = new AbortController()
    const answer = peer.request('statusRequest', {}, { signal: controller.signal, timeoutMs: 50_000 })
    const second = await messages.next()
    controller.abort()
    await expect(answer).rejects.toThrow('cancelled')
    expect(await messages.next()).toBe(second)
    expect(second.signal.reason).toEqual(new CancelledError('cancelled by the asker'))
  })

  it('gives up one search of a batch, and the others are answered', async () => {
    const messages = new Inbox<IncomingMessage>()
    let answer = (_replies: SearchReply[]) => {}
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage(message) {
        for (const part of [1, 2]) message.partSignal(part)
        messages.push(message)
        return new Promise(resolve => {
          answer = replies => resolve({ type: 'searchBatchReply', value: { replies } })
        })
      },
    })
    const peer = sockets.peer({ endpoint: server.endpoint })
    await peer.ready()
    const parts = [new AbortController(), new AbortController()]
    const requests = [searchRequest('a'), searchRequest('b')]
    const batch = peer.request('searchBatch', { requests }, { parts: parts.map(({ signal }) => signal) })
    const message = await messages.next()
    const stopped = new Promise(resolve => message.partSignal(2).addEventListener('abort', resolve))
    parts[1]!.abort()
    await stopped
    expect([message.signal.aborted, message.partSignal(1).aborted, message.partSignal(2).aborted]).toEqual([
      false,
      false,
      true,
    ])
    answer([reply(1), reply(0)])
    expect((await batch).replies.map(({ total }) => total)).toEqual([1, 0])
    // Too late, and of a search that the batch did not have.
    parts[0]!.abort()
    await peer.send('cancel', { requestId: 1, search: 9 })
    await peer.request('ping', {})
    expect(message.partSignal(1).aborted).toBe(false)
  })

  it('gives up all searches of a batch with the batch', async () => {
    const messages = new Inbox<IncomingMessage>()
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage(message) {
        message.partSignal(1).addEventListener('abort', () => messages.push(message))
        messages.push(message)
        return new Promise(() => {})
      },
    })
    const peer = sockets.peer({ endpoint: server.endpoint })
    await peer.ready()
    const whole = new AbortController()
    const batch = peer.request('searchBatch', { requests: [searchRequest('a')] }, { signal: whole.signal })
    await messages.next()
    whole.abort()
    await expect(batch).rejects.toThrow('cancelled')
    const message = await messages.next()
    expect(message.partSignal(1).reason).toEqual(message.signal.reason)
    expect(message.partSignal(2).aborted).toBe(true)
  })

  it('sends a large reply in fragments', async () => {
    const bytes = 20 * 1024 * 1024
    const paths = Buffer.alloc(bytes, 'abcdefg')
    const rows = {
      ...noHits(),
      count: 1,
      ids: new Uint8Array(24),
      pathOffsets: Uint32Array.of(0, bytes),
      paths,
      nameStart: Uint32Array.of(0),
      kind: Uint8Array.of(0),
      size: Float64Array.of(1),
    }
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage: () => ({ type: 'searchReply', value: { ...reply(1), rows } }),
    })
    const peer = sockets.peer({ endpoint: server.endpoint })
    const answer = await peer.request('searchRequest', searchRequest('x'))
    expect(Buffer.compare(answer.rows.paths, paths)).toBe(0)
    expect(server.stats().sent).toBeGreaterThan(20)
  })
})

describe('messages without reply', () => {
  it('arrive in order, both ways', async () => {
    const arrived = new Inbox<number>()
    const back = new Inbox<number>()
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage({ body, peer }) {
        if (body.type === 'barrier') {
          arrived.push(body.value.id)
          server.send(peer, { type: 'barrier', value: { id: -body.value.id + 1_000 } })
        }
        return undefined
      },
    })
    const peer = sockets.peer({
      endpoint: server.endpoint,
      onMessage: body => body.type === 'barrier' && back.push(body.value.id),
    })
    await peer.ready()
    for (let id = 0; id < 1_000; id++) void peer.send('barrier', { id })
    for (let id = 0; id < 1_000; id++) {
      expect(await arrived.next()).toBe(id)
      expect(await back.next()).toBe(1_000 - id)
    }
  })

  it('are not sent without a session', async () => {
    const peer = sockets.peer({ endpoint: sockets.endpoint() })
    await expect(peer.send('barrier', { id: 1 })).rejects.toThrow(UnavailableError)
  })
})

describe('sessions', () => {
  it('are noticed on both sides, and goodbyes too', async () => {
    const peers = new Inbox<Peer>()
    const lost = new Inbox<string>()
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage: () => undefined,
      onPeer: peer => peers.push(peer),
      onPeerLost: (_, reason) => lost.push(reason),
    })
    const who = identity('scanner')
    const peer = sockets.peer({ endpoint: server.endpoint, identity: who })
    await peer.ready()
    expect((await peers.next()).identity).toEqual(who)
    await peer.stop('done')
    expect(await lost.next()).toBe('goodbye: done')
    expect(server.stats().peers).toBe(0)
  })

  it('begin again with a restarted server, which is told apart', async () => {
    const endpoint = sockets.endpoint()
    const welcomes = new Inbox<[Welcome, boolean]>()
    const lost = new Inbox<string>()
    const first = await sockets.server({ endpoint, onMessage: () => new Promise(() => {}) })
    const peer = sockets.peer({
      endpoint,
      onWelcome: (welcome, restarted) => welcomes.push([welcome, restarted]),
      onPeerLost: reason => lost.push(reason),
    })
    const [welcome, restarted] = await welcomes.next()
    expect(restarted).toBe(false)
    const open = peer.request('statusRequest', {})
    await until(() => first.stats().received >= 2)
    await Promise.all([first.stop(), expect(open).rejects.toThrow(PeerLostError)])
    await lost.next()
    await sockets.server({
      endpoint,
      onMessage: () => ({ type: 'clockReply', value: { clock: '2', unwatchedRoots: [] } }),
    })
    const [again, restartedNow] = await welcomes.next()
    expect(restartedNow).toBe(true)
    expect(again.instance).not.toBe(welcome.instance)
    expect((await peer.request('clockRequest', {})).clock).toBe('2')
  })

  it('of several sockets of one process stand side by side; a new connection replaces the old one of its socket', async () => {
    const lost = new Inbox<string>()
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      onMessage: () => ({ type: 'clockReply', value: { clock: 'c', unwatchedRoots: [] } }),
      onPeerLost: (_, reason) => lost.push(reason),
    })
    const who = identity('gateway')
    const peers = [1, 2, 3].map(() => sockets.peer({ endpoint: server.endpoint, identity: who }))
    await Promise.all(peers.map(peer => peer.request('clockRequest', {})))
    expect(server.stats().peers).toBe(3)
    expect(lost.size).toBe(0)

    const { Dealer } = await import('zeromq')
    const hello = encodeEnvelope({
      requestId: 0,
      sender: 'x',
      deadlineMs: 0,
      body: { type: 'hello', value: { protocolVersion: 1, connection: 9, ...identity('client') } },
    })
    for (let i = 0; i < 2; i++) {
      const dealer = new Dealer({ linger: 0 })
      sockets.onClose(() => dealer.close())
      dealer.connect(server.endpoint)
      await dealer.send(hello)
      await dealer.receive()
    }
    expect(await lost.next()).toBe('reconnected')
    expect(server.stats().peers).toBe(4)
  })

  it('survive a server that has forgotten them: refusals of old messages do not end the new session', async () => {
    const server = await sockets.server({ endpoint: sockets.endpoint(), onMessage: () => undefined })
    const { Dealer } = await import('zeromq')
    const dealer = new Dealer({ linger: 0 })
    sockets.onClose(() => dealer.close())
    dealer.connect(server.endpoint)
    const send = (body: Body) => dealer.send(encodeEnvelope({ requestId: 0, sender: 'x', deadlineMs: 0, body }))
    for (let i = 0; i < 20; i++) await send({ type: 'pong', value: {} })
    await send({ type: 'hello', value: { protocolVersion: 1, connection: 1, ...identity('client') } })
    const kinds: string[] = []
    for (let i = 0; i < 21; i++) kinds.push(decodeEnvelope((await dealer.receive())[0]!).body.type)
    expect(kinds.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 'refused'))
    expect(kinds[20]).toBe('welcome')
  })

  it('are refused to other stages, with a reason', async () => {
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      accepts: ['scanner'],
      onMessage: () => undefined,
    })
    const stranger = sockets.peer({ endpoint: server.endpoint })
    const refusal = await stranger.ready().catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(RefusedError)
    expect(refusal).toMatchObject({ code: 'REFUSED', reason: 'stage', supportedVersion: 1 })
    await expect(stranger.request('statusRequest', {})).rejects.toThrow('this socket is not for a client')
    const mistaken = sockets.peer({ endpoint: server.endpoint, identity: identity('scanner'), expects: 'gateway' })
    await expect(mistaken.ready()).rejects.toThrow('expected a gateway')
  })

  it('are refused beyond the number of peers', async () => {
    const server = await sockets.server({ endpoint: sockets.endpoint(), maxPeers: 1, onMessage: () => undefined })
    await sockets.peer({ endpoint: server.endpoint }).ready()
    await expect(sockets.peer({ endpoint: server.endpoint }).ready()).rejects.toMatchObject({ reason: 'full' })
  })

  it('end where a peer is silent', async () => {
    const lost = new Inbox<string>()
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      heartbeatMs: 20,
      lostMs: 100,
      onMessage: () => undefined,
      onPeerLost: (_, reason) => lost.push(reason),
    })
    // Greets, and answers nothing afterwards.
    const { Dealer } = await import('zeromq')
    const mute = new Dealer({ linger: 0 })
    sockets.onClose(() => mute.close())
    mute.connect(server.endpoint)
    const value = { protocolVersion: 1, connection: 1, ...identity('client') }
    await mute.send(encodeEnvelope({ requestId: 0, sender: 'x', deadlineMs: 0, body: { type: 'hello', value } }))
    expect(await lost.next()).toMatch(/^silent for \d+ ms$/)
  })

  it('have the heartbeat of their stage', async () => {
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      heartbeats: { watcher: { heartbeatMs: 3_000, lostMs: 7_000 } },
      onMessage: () => undefined,
    })
    const watcher = sockets.peer({ endpoint: server.endpoint, identity: identity('watcher') })
    expect(await watcher.ready()).toMatchObject({ heartbeatMs: 3_000, lostMs: 7_000 })
    const scanner = sockets.peer({ endpoint: server.endpoint, identity: identity('scanner') })
    expect(await scanner.ready()).toMatchObject({ heartbeatMs: HEARTBEAT_MS, lostMs: LOST_MS })
  })

  it('stay while both sides are idle', async () => {
    const lost = new Inbox<string>()
    const server = await sockets.server({
      endpoint: sockets.endpoint(),
      heartbeatMs: 10,
      lostMs: 2_000,
      onMessage: () => undefined,
      onPeerLost: (_, reason) => lost.push(reason),
    })
    const peer = sockets.peer({ endpoint: server.endpoint, onPeerLost: reason => lost.push(reason) })
    await peer.ready()
    await until(() => server.stats().received > 5)
    expect(lost.size).toBe(0)
    expect(peer.isReady).toBe(true)
  })
})

it('a second stop, and a stop before any connection, do no harm', async () => {
  const peer = sockets.peer({ endpoint: sockets.endpoint() })
  const open = peer.request('statusRequest', {})
  await Promise.all([peer.stop(), expect(open).rejects.toThrow(UnavailableError)])
  await peer.stop()
  await expect(peer.request('statusRequest', {})).rejects.toThrow('stopped')
  await expect(peer.ready()).rejects.toThrow('stopped')
})
