import { InvalidInputError, UnavailableError, UnsupportedVersionError } from '@hotpath/model'
import { Router } from 'zeromq'
import { type Body, type BodyType, decodeEnvelope, type Envelope, encodeEnvelope } from '../envelope.js'
import { errorToReply } from '../errors.js'
import * as limits from '../limits.js'
import type { Hello, Identity, RefusalCode, Stage } from '../messages/handshake.js'
import { largestFrame, serverSecurity } from '../transport/curve-keys.js'
import { codeOf, isBlocked, isolated, SILENT, type SocketLog, type Tap } from './common.js'
import { DueTimer } from './due-timer.js'
import { fragmentsOf } from './fragments.js'
import { IncomingMessage } from './incoming-message.js'
import { Peer } from './peer.js'
import { claimSocketFile } from './socket-file.js'

/** What a handler gives: the reply, the reply as a whole encoded envelope, or nothing (no reply, or one by `message.reply`). */
export type Outcome = Body | Uint8Array | undefined

export interface RouterServerOptions {
  /** `ipc://…` or `tcp://127.0.0.1:…`. Binding the same ipc path twice succeeds silently: hold a lock. */
  readonly endpoint: string
  readonly identity: Identity
  /** Stages that are let in; all if missing. */
  readonly accepts?: readonly Stage[]
  /**
   * Called in the order of arrival, also while earlier calls are not finished. What it throws is sent as an ErrorReply if
   * the message was a request, and logged otherwise.
   */
  onMessage(message: IncomingMessage): Outcome | Promise<Outcome>
  /**
   * Called before a message of a welcomed peer is decoded: the whole encoded envelope of the reply, where one is at hand and small
   * enough for one message. It then counts as handled.
   */
  answerAtOnce?(peer: Peer, bytes: Uint8Array): Uint8Array | undefined
  /** A peer was welcomed. */
  onPeer?(peer: Peer): void
  /** A peer said goodbye, was silent for too long, does not read, or came back as a new connection. */
  onPeerLost?(peer: Peer, reason: string): void
  readonly tap?: Tap
  readonly log?: SocketLog
  /** Largest message that is read; a peer that announces more is disconnected. */
  readonly maxMessageBytes?: number
  readonly heartbeatMs?: number
  readonly lostMs?: number
  /** Of stages for which others hold. */
  readonly heartbeats?: Partial<Record<Stage, Heartbeat>>
  readonly maxPeers?: number
  /** Beyond so many bytes that wait for one peer, the peer is given up. */
  readonly maxQueueBytes?: number
}

/** Milliseconds of silence before a peer pings, and before it is given up. */
export interface Heartbeat {
  readonly heartbeatMs: number
  readonly lostMs: number
}

export interface RouterServerStats {
  readonly peers: number
  readonly received: number
  readonly sent: number
  readonly refused: number
  readonly malformed: number
  readonly peersLost: number
  /** Bytes that wait for peers in our own queues. */
  readonly queuedBytes: number
}

/** Refusals that may wait: a stranger who does not read must not fill memory. */
const MAX_WAITING_REFUSALS = 64
const BLOCKED_RETRY_MS = 2
/** Sends in one turn of the event loop. */
const SENDS_PER_TURN = 256
const PROBE_AFTER_DISCONNECT_MS = 20
/** Messages are handled for about so long before others get a turn. */
const TURN_MS = 5

/**
 * The serving side of a socket: ROUTER with handshake, heartbeats, a bounded queue for each peer, and typed answers to
 * whatever is not understood. One slow or hostile peer holds up nobody else.
 */
export class RouterServer {
  private readonly socket: Router
  private readonly peersByRoute = new Map<string, Peer>()
  private readonly peersByOrigin = new Map<string, Peer>()
  /** Peers with something to send that are not blocked. */
  private readonly ready = new Set<Peer>()
  private readonly refusals: [Uint8Array, Uint8Array][] = []
  private readonly counts = { received: 0, sent: 0, refused: 0, malformed: 0, peersLost: 0 }
  private readonly log: SocketLog
  private readonly heartbeat: Heartbeat
  private readonly maxMessageBytes: number
  private readonly timer = new DueTimer(isLate => this.tick(isLate))
  /** Set while the last peers are waited for. */
  private allGone: (() => void) | undefined
  private probe: NodeJS.Timeout | undefined
  private pumping: Promise<void> | undefined
  private pending = 0
  private stopped = false
  private removeFile = () => {}
  private loops: Promise<unknown> = Promise.resolve()
  /** The address that is bound; a wildcard tcp port is resolved. */
  endpoint: string

  constructor(private readonly options: RouterServerOptions) {
    this.endpoint = options.endpoint
    this.log = options.log ?? SILENT
    const { heartbeatMs = limits.HEARTBEAT_MS, lostMs = limits.LOST_MS } = options
    this.heartbeat = { heartbeatMs, lostMs }
    this.maxMessageBytes = options.maxMessageBytes ?? limits.MAX_MESSAGE_BYTES
    this.socket = new Router({
      ...serverSecurity(options.endpoint),
      // Unknown and gone peers are errors, full ones too: nothing is dropped in silence, and sending never waits.
      mandatory: true,
      sendTimeout: 0,
      linger: 0,
      maxMessageSize: largestFrame(options.endpoint, this.maxMessageBytes),
      sendHighWaterMark: limits.SEND_HIGH_WATER_MARK,
      receiveHighWaterMark: receiveHighWaterMark(this.maxMessageBytes),
    })
  }

  private heartbeatOf({ identity }: Peer): Heartbeat {
    return this.options.heartbeats?.[identity.stage] ?? this.heartbeat
  }

  /** Binds and begins to serve. Throws UnavailableError if the address cannot be bound. */
  async start(): Promise<void> {
    try {
      await this.socket.bind(this.options.endpoint)
    } catch (error) {
      this.socket.close()
      throw new UnavailableError(`cannot bind ${this.options.endpoint}: ${codeOf(error) ?? error}`, { cause: error })
    }
    this.endpoint = this.socket.lastEndpoint ?? this.options.endpoint
    this.removeFile = claimSocketFile(this.endpoint)
    this.loops = Promise.all([this.receiveLoop(), this.watchConnections()])
  }

  /**
   * Says goodbye to all peers and closes when they have answered, at the latest after `GOODBYE_MS`: a peer that has not read
   * yet when the connection ends would lose what it was told last (libzmq drops it with ZMQ_IMMEDIATE). No handler is
   * called afterwards.
   */
  async stop(reason = 'stopped'): Promise<void> {
    if (this.stopped) return
    this.stopped = true
    this.timer.cancel()
    clearTimeout(this.probe)
    for (const peer of this.peers()) {
      peer.enqueue(this.encode({ type: 'bye', value: { reason } }), Number.POSITIVE_INFINITY)
      this.ready.add(peer)
    }
    await this.pump()
    await this.goodbyes()
    for (const peer of this.peers()) peer.alive = false
    this.removeFile()
    this.socket.linger = limits.STOP_LINGER_MS
    this.socket.close()
    await this.loops
  }

  /** Resolves when every peer has answered the goodbye, or is given up. */
  private goodbyes(): Promise<void> {
    return new Promise(resolve => {
      const late = setTimeout(resolve, limits.GOODBYE_MS)
      this.allGone = () => {
        clearTimeout(late)
        resolve()
      }
      if (this.peersByRoute.size === 0) this.allGone()
    })
  }

  /** Welcomed peers. */
  peers(): Peer[] {
    return [...this.peersByRoute.values()]
  }

  /**
   * Sends a message that is no reply. Returns false if the peer is gone, or if `whenBelowBytes` is given and more is
   * waiting. Throws InvalidInputError if the message breaks the contract or is larger than a message may be.
   */
  send(peer: Peer, body: Body, whenBelowBytes?: number): boolean {
    if (!peer.alive || this.stopped) return false
    if (whenBelowBytes !== undefined && peer.queuedBytes > whenBelowBytes) return false
    const bytes = this.encode(body)
    if (bytes.byteLength > limits.MAX_MESSAGE_BYTES)
      throw new InvalidInputError(body.type, `at most ${limits.MAX_MESSAGE_BYTES} bytes`, `${bytes.byteLength} bytes`)
    this.queue(peer, [bytes])
    return true
  }

  stats(): RouterServerStats {
    let queuedBytes = 0
    for (const peer of this.peersByRoute.values()) queuedBytes += peer.queuedBytes
    return { peers: this.peersByRoute.size, ...this.counts, queuedBytes }
  }

  private encode(body: Body, requestId = 0): Uint8Array {
    return encodeEnvelope({ requestId, sender: this.options.identity.instance, deadlineMs: 0, body })
  }

  private async receiveLoop(): Promise<void> {
    let turnMs = performance.now()
    try {
      for await (const frames of this.socket) {
        this.counts.received++
        isolated(() => this.receive(frames))
        // Messages that wait are received without a turn of the event loop: other sockets and timers get theirs.
        if (performance.now() - turnMs < TURN_MS) continue
        await new Promise(setImmediate)
        turnMs = performance.now()
      }
    } catch (error) {
      if (!this.stopped) this.log.warn('receiving failed', { endpoint: this.endpoint, error })
    }
  }

  /** A broken connection shows at the next send only: ask all peers at once instead of waiting for the heartbeat. */
  private async watchConnections(): Promise<void> {
    try {
      for await (const event of this.socket.events) {
        if (event.type !== 'disconnect' || this.stopped) continue
        this.probe ??= setTimeout(() => {
          this.probe = undefined
          for (const peer of this.peers()) this.queue(peer, [this.encode({ type: 'ping', value: {} })])
        }, PROBE_AFTER_DISCONNECT_MS)
      }
    } catch (error) {
      if (!this.stopped) this.log.debug('connection events ended', { endpoint: this.endpoint, error })
    }
  }

  private receive(frames: Buffer[]): void {
    const [route, bytes] = frames
    if (route === undefined) return
    const peer = this.peersByRoute.get(route.toString('latin1'))
    if (this.stopped) {
      if (peer !== undefined && bytes !== undefined && isGoodbye(bytes)) this.lose(peer, 'goodbye')
      return
    }
    if (peer) peer.heardAt = performance.now()
    if (bytes === undefined || frames.length !== 2) {
      this.counts.malformed++
      this.refuse(route, 'malformed', `expected 1 frame, found ${frames.length - 1}`)
      return
    }
    if (this.options.tap?.active) this.options.tap.record('in', this.endpoint, peer?.identity.instance ?? '', bytes)
    const reply = peer && this.options.answerAtOnce?.(peer, bytes)
    if (reply !== undefined) {
      this.queue(peer!, [reply])
      return
    }
    let envelope: Envelope
    try {
      envelope = decodeEnvelope(bytes)
    } catch (error) {
      this.counts.malformed++
      const code = error instanceof UnsupportedVersionError ? 'version' : 'malformed'
      this.refuse(route, code, error instanceof Error ? error.message : 'malformed')
      return
    }
    if (envelope.body.type === 'hello') this.greet(route, envelope.body.value, envelope.requestId)
    else if (peer) this.dispatch(peer, envelope)
    else this.refuse(route, 'notGreeted', 'the first message must be Hello', envelope.requestId)
  }

  private refuse(route: Uint8Array, code: RefusalCode, message: string, requestId = 0): void {
    this.counts.refused++
    this.log.debug('refused', { endpoint: this.endpoint, code, message })
    if (this.refusals.length >= MAX_WAITING_REFUSALS) return
    const value = { code, message, supportedVersion: limits.PROTOCOL_VERSION }
    this.refusals.push([route, this.encode({ type: 'refused', value }, requestId)])
    void this.pump()
  }

  private greet(route: Buffer, hello: Hello, requestId: number): void {
    if (hello.protocolVersion !== limits.PROTOCOL_VERSION) {
      const found = `version ${hello.protocolVersion}, this server speaks ${limits.PROTOCOL_VERSION}`
      this.refuse(route, 'version', found, requestId)
      return
    }
    if (this.options.accepts && !this.options.accepts.includes(hello.stage)) {
      this.refuse(route, 'stage', `this socket is not for a ${hello.stage}`, requestId)
      return
    }
    const key = route.toString('latin1')
    const origin = `${hello.instance}/${hello.connection}`
    const known = this.peersByRoute.get(key)
    if (known && known.origin !== origin) this.lose(known, 'replaced')
    const elsewhere = this.peersByOrigin.get(origin)
    if (elsewhere && elsewhere.route !== key) this.lose(elsewhere, 'reconnected')
    let peer = this.peersByRoute.get(key)
    const isNew = peer === undefined
    if (peer === undefined) {
      if (this.peersByRoute.size >= (this.options.maxPeers ?? limits.MAX_PEERS)) {
        this.refuse(route, 'full', 'too many peers', requestId)
        return
      }
      peer = new Peer(route, { stage: hello.stage, instance: hello.instance, pid: hello.pid }, origin)
      this.peersByRoute.set(key, peer)
      this.peersByOrigin.set(origin, peer)
    }
    const { identity } = this.options
    const value = {
      protocolVersion: limits.PROTOCOL_VERSION,
      stage: identity.stage,
      instance: identity.instance,
      pid: identity.pid,
      ...this.heartbeatOf(peer),
      maxMessageBytes: this.maxMessageBytes,
    }
    this.queue(peer, [this.encode({ type: 'welcome', value }, requestId)])
    this.timer.planBy(pingAfterMs(this.heartbeatOf(peer)))
    if (isNew) this.options.onPeer?.(peer)
  }

  private dispatch(peer: Peer, envelope: Envelope): void {
    const { body, requestId: id } = envelope
    switch (body.type) {
      case 'ping':
        this.queue(peer, [this.encode({ type: 'pong', value: {} }, id)])
        break
      case 'pong':
        break
      case 'bye':
        this.lose(peer, `goodbye: ${body.value.reason}`)
        break
      case 'cancel': {
        const { requestId, search } = body.value
        const request = peer.requests.get(requestId)
        if (search === undefined) request?.abort('cancelled by the asker')
        else request?.abortPart(search, 'cancelled by the asker')
        break
      }
      default:
        void this.handle(peer, envelope)
    }
  }

  private async handle(peer: Peer, envelope: Envelope): Promise<void> {
    const { requestId } = envelope
    const message = new IncomingMessage(peer, envelope, outcome => this.reply(peer, requestId, outcome))
    if (requestId !== 0) {
      if (this.pending >= limits.MAX_PENDING) {
        this.reply(peer, requestId, { type: 'error', value: errorToReply(new UnavailableError('too many requests')) })
        return
      }
      this.pending++
      peer.requests.set(requestId, message)
    }
    try {
      const outcome = await this.options.onMessage(message)
      if (outcome !== undefined) message.reply(outcome)
    } catch (error) {
      if (requestId !== 0) message.reply({ type: 'error', value: errorToReply(error) })
      else this.log.warn('message failed', { endpoint: this.endpoint, type: envelope.body.type, error })
    } finally {
      if (requestId !== 0) {
        this.pending--
        if (peer.requests.get(requestId) === message) peer.requests.delete(requestId)
        message.done()
      }
    }
  }

  private reply(peer: Peer, requestId: number, outcome: Body | Uint8Array): void {
    if (requestId === 0 || !peer.alive || this.stopped) return
    let bytes: Uint8Array
    try {
      bytes = outcome instanceof Uint8Array ? outcome : this.encode(outcome, requestId)
      if (bytes.byteLength > limits.MAX_REPLY_BYTES)
        throw new InvalidInputError(
          'limit',
          `a reply of at most ${limits.MAX_REPLY_BYTES} bytes`,
          `${bytes.byteLength}`,
        )
    } catch (error) {
      this.log.warn('reply breaks the contract', { endpoint: this.endpoint, error })
      bytes = this.encode({ type: 'error', value: errorToReply(error) }, requestId)
    }
    this.queue(peer, fragmentsOf(bytes, requestId, this.options.identity.instance))
  }

  private queue(peer: Peer, messages: readonly Uint8Array[]): void {
    for (const bytes of messages) {
      if (!peer.enqueue(bytes, this.options.maxQueueBytes ?? limits.MAX_QUEUE_BYTES)) {
        this.lose(peer, 'does not read')
        return
      }
    }
    if (peer.blockedSince === undefined) this.ready.add(peer)
    void this.pump()
  }

  /** Sends what waits, a message of each peer in turn; resolves when nothing more can be sent now. */
  private pump(): Promise<void> {
    this.pumping ??= this.sendAll()
    return this.pumping
  }

  private async sendAll(): Promise<void> {
    // Several messages of one turn are sent together, and none from inside the caller.
    await Promise.resolve()
    let turn = 0
    try {
      while (!this.socket.closed && (this.ready.size > 0 || this.refusals.length > 0)) {
        // All before any Welcome: a refusal that comes after it would end the session that has just begun. Whoever is
        // refused may be gone: nothing is lost with the message.
        for (const refusal of this.refusals.splice(0)) await this.socket.send(refusal).catch(() => {})
        for (const peer of [...this.ready]) {
          await this.sendNext(peer)
          if (++turn % SENDS_PER_TURN === 0) await new Promise(resolve => setImmediate(resolve))
        }
      }
    } finally {
      // In the same step in which the loop ended: whoever queues later must start another one.
      this.pumping = undefined
    }
  }

  private async sendNext(peer: Peer): Promise<void> {
    const bytes = peer.first()
    if (bytes === undefined || !peer.alive || this.socket.closed) {
      this.ready.delete(peer)
      return
    }
    try {
      await this.socket.send([peer.routeBytes, bytes])
      peer.blockedSince = undefined
      peer.dequeue()
      this.counts.sent++
      if (this.options.tap?.active) this.options.tap.record('out', this.endpoint, peer.identity.instance, bytes)
      if (peer.first() === undefined) this.ready.delete(peer)
    } catch (error) {
      this.ready.delete(peer)
      if (!isBlocked(error)) {
        this.lose(peer, codeOf(error) === 'EHOSTUNREACH' ? 'gone' : String(error))
        return
      }
      const now = performance.now()
      peer.blockedSince ??= now
      if (now - peer.blockedSince > limits.STUCK_MS) {
        this.lose(peer, 'does not read')
        return
      }
      setTimeout(() => {
        if (!peer.alive || this.socket.closed) return
        this.ready.add(peer)
        void this.pump()
      }, BLOCKED_RETRY_MS)
    }
  }

  /**
   * Pings peers that are silent, and finds those that are gone. Peers ping, too, and sooner, so that as a rule one ping does
   * for both sides; without peers nothing is planned.
   */
  private tick(isLate: boolean): void {
    const now = performance.now()
    let nextMs = Number.POSITIVE_INFINITY
    for (const peer of this.peers()) {
      if (isLate) peer.heardAt = now
      const heartbeat = this.heartbeatOf(peer)
      const silentMs = now - peer.heardAt
      if (silentMs > heartbeat.lostMs) {
        this.lose(peer, `silent for ${Math.round(silentMs)} ms`)
        continue
      }
      const untilPingMs = pingAfterMs(heartbeat) - silentMs
      if (untilPingMs <= 0) this.queue(peer, [this.encode({ type: 'ping', value: {} })])
      nextMs = Math.min(nextMs, Math.max(heartbeat.heartbeatMs / 2, untilPingMs))
    }
    if (!this.stopped && nextMs !== Number.POSITIVE_INFINITY) this.timer.plan(nextMs)
  }

  private lose(peer: Peer, reason: string): void {
    if (!peer.alive) return
    peer.alive = false
    this.counts.peersLost++
    this.ready.delete(peer)
    peer.clear()
    this.peersByRoute.delete(peer.route)
    if (this.peersByOrigin.get(peer.origin) === peer) this.peersByOrigin.delete(peer.origin)
    for (const request of peer.requests.values()) request.abort('the asker is gone')
    peer.requests.clear()
    if (this.peersByRoute.size === 0) this.allGone?.()
    this.log.debug('peer lost', { endpoint: this.endpoint, stage: peer.identity.stage, pid: peer.identity.pid, reason })
    // Also called while sending.
    if (!this.stopped) isolated(() => this.options.onPeerLost?.(peer, reason))
  }
}

/** Messages of the largest size that fit the budget, but enough that heartbeats get through. */
export function receiveHighWaterMark(maxMessageBytes: number): number {
  return Math.min(1_000, Math.max(4, Math.floor(limits.RECEIVE_BUDGET_BYTES / maxMessageBytes)))
}

/** For the default branch of a handler: the answer to a message that this socket is not for. */
export function unexpected(type: BodyType): InvalidInputError {
  return new InvalidInputError('message', 'one that this socket is for', type)
}

function isGoodbye(bytes: Uint8Array): boolean {
  try {
    return decodeEnvelope(bytes).body.type === 'bye'
  } catch {
    return false
  }
}

function pingAfterMs({ heartbeatMs }: Heartbeat): number {
  return heartbeatMs * 1.5
}
