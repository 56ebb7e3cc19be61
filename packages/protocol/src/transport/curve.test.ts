import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidInputError, UnavailableError } from '@hotpath/model'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Dealer, Router, Subscriber } from 'zeromq'
import { keepKeysFor, SOCKET_NAMES, socketEndpoints } from '../endpoints.js'
import { DealerPeer } from '../socket/dealer-peer.js'
import { EventPublisher } from '../socket/event-publisher.js'
import { EventSubscriber } from '../socket/event-subscriber.js'
import { RouterServer } from '../socket/router-server.js'
import { identity, testSockets } from '../testing/sockets.js'
import { createCurveKeys, keepKeys } from './curve-keys.js'
import { settlePorts } from './transport-file.js'

/** Long enough for a handshake on a busy machine: a peer with the key, which connects at the same time, has answered by then. */
const REFUSED_MS = 500

const sockets = testSockets()
let directory: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-curve-'))
  await settlePorts(directory)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const fileOf = () => join(directory, 'transport.json')
const content = () => JSON.parse(readFileSync(fileOf(), 'utf8'))

describe('tcp with keys', () => {
  it('carries requests and events between peers that have the keys', async () => {
    const endpoints = socketEndpoints(directory, 'tcp')
    expect(endpoints.gateway).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
    await sockets.server({ endpoint: endpoints['store-query'], onMessage: () => undefined })
    const peer = sockets.peer({ endpoint: endpoints['store-query'] })
    await peer.ready()
    const publisher = new EventPublisher({ endpoint: endpoints['store-events'], identity: identity('store') })
    await publisher.start()
    sockets.onClose(() => publisher.stop())
    const subscriber = new EventSubscriber({ endpoint: endpoints['store-events'], onEvent: () => {}, onGap: () => {} })
    subscriber.start()
    sockets.onClose(() => subscriber.stop())
    await subscriber.ready()
  })

  it('carries messages of the largest size, and no larger ones', async () => {
    const endpoint = socketEndpoints(directory, 'tcp')['store-query']
    const maxMessageBytes = 2_000
    const server = await sockets.server({ endpoint, maxMessageBytes, onMessage: () => ({ type: 'pong', value: {} }) })
    const { keys } = content()
    const raw = new Dealer({
      linger: 0,
      curveServerKey: keys.serverPublic,
      curvePublicKey: keys.clientPublic,
      curveSecretKey: keys.clientSecret,
    })
    sockets.onClose(() => raw.close())
    raw.connect(endpoint)
    // No message of ours: the answer to it is a refusal.
    await raw.send(Buffer.alloc(maxMessageBytes))
    await raw.receive()
    expect(server.stats().malformed).toBe(1)
    raw.receiveTimeout = REFUSED_MS
    await raw.send(Buffer.alloc(maxMessageBytes + 1))
    await expect(raw.receive()).rejects.toMatchObject({ code: 'EAGAIN' })
    expect(server.stats().malformed).toBe(1)
  })

  it('answers nobody without the keys: no security, other keys, the right client key with another server key', async () => {
    const endpoint = socketEndpoints(directory, 'tcp')['store-query']
    let received = 0
    const server = await sockets.server({ endpoint, onMessage: () => void received++ })
    const own = content().keys
    const other = createCurveKeys()
    const strangers = [
      new Dealer({ linger: 0 }),
      new Dealer({
        linger: 0,
        curveServerKey: other.serverPublic,
        curvePublicKey: other.clientPublic,
        curveSecretKey: other.clientSecret,
      }),
      new Dealer({
        linger: 0,
        curveServerKey: other.serverPublic,
        curvePublicKey: own.clientPublic,
        curveSecretKey: own.clientSecret,
      }),
    ]
    for (const stranger of strangers) {
      sockets.onClose(() => stranger.close())
      stranger.connect(endpoint)
      stranger.receiveTimeout = REFUSED_MS
      void stranger.send(Buffer.from('hello')).catch(() => {})
    }
    const answers = strangers.map(stranger =>
      stranger.receive().then(
        () => 'answered',
        error => error.code,
      ),
    )
    await sockets.peer({ endpoint }).ready()
    expect(await Promise.all(answers)).toEqual(['EAGAIN', 'EAGAIN', 'EAGAIN'])
    // The peer with the keys said Hello; nobody else was heard, not even to be refused.
    expect(server.stats()).toMatchObject({ peers: 1, refused: 0, malformed: 0 })
    expect(received).toBe(0)
  })

  it('tells nobody without the keys of events', async () => {
    const endpoint = socketEndpoints(directory, 'tcp')['store-events']
    const publisher = new EventPublisher({ endpoint, identity: identity('store'), beatMs: 20 })
    await publisher.start()
    sockets.onClose(() => publisher.stop())
    const stranger = new Subscriber({ linger: 0, receiveTimeout: REFUSED_MS })
    sockets.onClose(() => stranger.close())
    stranger.connect(endpoint)
    stranger.subscribe()
    await expect(stranger.receive()).rejects.toMatchObject({ code: 'EAGAIN' })
  })

  it('says nothing to a server without the keys', async () => {
    const endpoint = socketEndpoints(directory, 'tcp').gateway
    const heard: string[] = []
    const other = createCurveKeys()
    const imposter = new Router({ linger: 0, curveServer: true, curveSecretKey: other.serverSecret })
    await imposter.bind(endpoint)
    sockets.onClose(() => imposter.close())
    const listening = (async () => {
      for await (const frames of imposter) heard.push(String(frames))
    })()
    const peer = new DealerPeer({ endpoint, identity: identity('client') })
    peer.start()
    await expect(peer.ready({ signal: AbortSignal.timeout(REFUSED_MS) })).rejects.toThrow()
    await peer.stop()
    imposter.close()
    await listening
    expect(heard).toEqual([])
  })

  it('has no socket without keys', () => {
    const endpoint = 'tcp://127.0.0.1:1'
    const server = () => new RouterServer({ endpoint, identity: identity('store'), onMessage: () => undefined })
    const peer = () => new DealerPeer({ endpoint, identity: identity('client') })
    const publisher = () => new EventPublisher({ endpoint, identity: identity('store') })
    const subscriber = () => new EventSubscriber({ endpoint, onEvent: () => {}, onGap: () => {} })
    for (const make of [server, peer, publisher, subscriber]) expect(make).toThrow(InvalidInputError)
  })
})

describe('the file of keys and ports', () => {
  it('is its owner’s alone, and stays', async () => {
    const first = content()
    expect(statSync(fileOf()).mode & 0o777).toBe(0o600)
    expect(socketEndpoints(directory, 'tcp')).toEqual(socketEndpoints(directory, 'tcp'))
    await settlePorts(directory)
    expect(content()).toEqual(first)
    expect(new Set(Object.values(first.ports)).size).toBe(SOCKET_NAMES.length)
    expect(Object.values<number>(first.ports).every(port => port >= 20_000 && port < 32_768)).toBe(true)
    expect(new Set(Object.values(first.keys)).size).toBe(4)
  })

  it('of a version that had fewer sockets gives the others ports that are free in it, always the same', () => {
    const first = content()
    const { 'watcher-rows': removed, ...ports } = first.ports
    writeFileSync(fileOf(), JSON.stringify({ ...first, ports }))
    const endpoints = socketEndpoints(directory, 'tcp')
    expect(endpoints['watcher-rows']).toBe(`tcp://127.0.0.1:${Math.max(...Object.values<number>(ports)) + 1}`)
    expect(new Set(Object.values(endpoints)).size).toBe(SOCKET_NAMES.length)
    expect(endpoints.gateway).toBe(`tcp://127.0.0.1:${ports.gateway}`)
    expect(socketEndpoints(directory, 'tcp')).toEqual(endpoints)
    expect(removed).toBeGreaterThan(0)
  })

  it('gets other ports, and keeps its keys, where somebody else has one of them', async () => {
    const first = content()
    const taken: Server = createServer()
    taken.listen(first.ports.gateway, '127.0.0.1')
    await once(taken, 'listening')
    try {
      await settlePorts(directory)
    } finally {
      taken.close()
    }
    expect(content().keys).toEqual(first.keys)
    expect(Object.values(content().ports)).not.toContain(first.ports.gateway)
    const free = connect(content().ports.gateway, '127.0.0.1')
    await expect(once(free, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('gives clients the keys for the addresses that the gateway has written', () => {
    const sockets = { gateway: `tcp://127.0.0.1:${content().ports.gateway}` }
    keepKeysFor(directory, { version: 1, pid: 1, sockets })
    expect(() => new DealerPeer({ endpoint: sockets.gateway, identity: identity('client') })).not.toThrow()
    rmSync(fileOf())
    expect(() => keepKeysFor(directory, { version: 1, pid: 1, sockets })).toThrow(UnavailableError)
    keepKeysFor(directory, { version: 1, pid: 1, sockets: { gateway: 'ipc:///run/x/gateway.sock' } })
  })

  it('is refused where it is damaged, and its content is not shown', () => {
    const good = content()
    const { serverSecret } = good.keys
    for (const damaged of [
      '',
      '{',
      JSON.stringify({ ...good, version: 2 }),
      JSON.stringify({ ...good, keys: { ...good.keys, serverPublic: 'short' } }),
      JSON.stringify({ ...good, ports: { ...good.ports, gateway: 0 } }),
      JSON.stringify({ ...good, ports: { ...good.ports, gateway: good.ports['store-query'] } }),
      JSON.stringify({ ...good, filler: 'x'.repeat(20_000) }),
    ]) {
      writeFileSync(fileOf(), damaged)
      let message = ''
      try {
        socketEndpoints(directory, 'tcp')
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidInputError)
        message = String(error)
      }
      expect(message).toContain('transport.json')
      expect(message).not.toContain(serverSecret)
    }
  })

  it('cannot be made where there is no directory', () => {
    expect(() => socketEndpoints(join(directory, randomUUID()), 'tcp')).toThrow(UnavailableError)
  })

  it('does not take the keys of another system for its own', async () => {
    const endpoint = socketEndpoints(directory, 'tcp').gateway
    const another = mkdtempSync(join(tmpdir(), 'hotpath-curve-'))
    const own = createServer().listen(content().ports.gateway, '127.0.0.1')
    await once(own, 'listening')
    try {
      // Ports are chosen at random, and none that is in use.
      await settlePorts(another)
      expect(Object.values(socketEndpoints(another, 'tcp'))).not.toContain(endpoint)
    } finally {
      own.close()
      rmSync(another, { recursive: true, force: true })
    }
    keepKeys([endpoint], content().keys)
  })
})
