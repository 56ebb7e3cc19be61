import { randomInt } from 'node:crypto'
import { CancelledError, InvalidInputError, UnavailableError } from '@hotpath/model'
import { Dealer } from 'zeromq'
import {
  type Bodies,
  type Body,
  type BodyOf,
  type BodyType,
  bodyOf,
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  REPLY_TYPES,
  type Replies,
  type RequestType,
} from '../envelope.js'
import { PeerLostError, RefusedError, replyToError } from '../errors.js'
import * as limits from '../limits.js'
import type { Identity, Refused, Stage, Welcome } from '../messages/handshake.js'
import { clientSecurity, largestFrame } from '../transport/curve-keys.js'
import { isBlocked, isolated, NEARLY, SILENT, type SocketLog, type Tap } from './common.js'
import { DueTimer } from './due-timer.js'
import { Assembly } from './fragments.js'
import { RECONNECTION } from './reconnection.js'
import { receiveHighWaterMark } from './router-server.js'

export interface DealerPeerOptions {
  readonly endpoint: string
  readonly identity: Identity
  /** Stage that must answer at this endpoint; any if missing. */
  readonly expects?: Stage
  /** Messages of the server that answer no request, in the order of arrival. */
  onMessage?(body: Body, envelope: Envelope): void
  /** A session begins. `restarted`: the server is another process than in the session before, and knows nothing of us. */
  onWelcome?(welcome: Welcome, restarted: boolean): void
  /** The session ended: requests were rejected, messages may be lost. The peer keeps trying to come back. */
  onPeerLost?(reason: string): void
  readonly tap?: Tap
  readonly log?: SocketLog
  /** Bytes that may wait in the queue. */
  readonly maxQueueBytes?: number
}

export interface RequestOptions {
  /** Time for everything, also for the connection to come up. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
  /** Of each search of a batch: aborted when nobody wants that one any more. The server is told; the answer stays whole. */
  readonly parts?: readonly AbortSignal[] | undefined
}

interface Pending {
  readonly type: RequestType
  readonly bytes: (leftMs: number) => Uint8Array
  readonly deadlineAt: number
  readonly resolve: (body: Body) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
  sent: boolean
  assembly?: Assembly
}

interface Outgoing {
  readonly bytes: Uint8Array
  readonly requestId: number
  resolve(): void
  reject(error: Error): void
}

type State = 'connecting' | 'ready' | 'refused' | 'stopped'

const HELLO_RETRY_MS = 200
/** Whatever a server asks for. */
const MIN_TICK_MS = 20
/** A refusal changes only when one of the two programs is replaced. */
const REFUSED_RETRY_MS = 2_000
const BLOCKED_RETRY_MS = 2

/**
 * The asking side of a socket: DEALER with handshake, heartbeats, requests with deadlines, and reconnection. It may be
 * started before its server; a session lasts from Welcome until the peer is lost.
 */
export class DealerPeer {
  private readonly socket: Dealer
  private readonly log: SocketLog
  private readonly pending = new Map<number, Pending>()
  private readonly outgoing: Outgoing[] = []
  private readonly waiters = new Set<{ resolve(welcome: Welcome): void; reject(error: Error): void }>()
  private state: State = 'connecting'
  private welcome: Welcome | undefined
  private lastInstance: string | undefined
  private refusal: RefusedError | undefined
  private nextId = 1
  private readonly connection = randomInt(1, 0xffffffff)
  private queuedBytes = 0
  private heardAt = 0
  private nextHelloAt = 0
  private readonly timer = new DueTimer(isLate => this.tick(isLate))
  private retry: NodeJS.Timeout | undefined
  private pumping = false
  private loops: Promise<unknown> = Promise.resolve()
  readonly endpoint: string

  constructor(private readonly options: DealerPeerOptions) {
    this.endpoint = options.endpoint
    this.log = options.log ?? SILENT
    this.socket = new Dealer({
      ...clientSecurity(options.endpoint),
      // Nothing is queued for a connection that is not there: it would reach another server than it was meant for.
      immediate: true,
      sendTimeout: 0,
      linger: 0,
      maxMessageSize: largestFrame(options.endpoint, limits.MAX_MESSAGE_BYTES),
      sendHighWaterMark: limits.SEND_HIGH_WATER_MARK,
      receiveHighWaterMark: receiveHighWaterMark(limits.FRAGMENT_BYTES),
      ...RECONNECTION,
    })
  }

  /** Connects in the background and keeps the session up until `stop`. */
  start(): void {
    this.socket.connect(this.endpoint)
    this.loops = Promise.all([this.receiveLoop(), this.watchConnection()])
    this.timer.plan(HELLO_RETRY_MS)
    this.sayHello()
  }

  get isReady(): boolean {
    return this.state === 'ready'
  }

  /** The session's Welcome, now or when it comes. Rejects with RefusedError, CancelledError, or UnavailableError once stopped. */
  ready(options: RequestOptions = {}): Promise<Welcome> {
    if (this.state === 'ready' && this.welcome) return Promise.resolve(this.welcome)
    if (this.refusal) return Promise.reject(this.refusal)
    if (this.state === 'stopped') return Promise.reject(new UnavailableError('stopped'))
    return new Promise((resolve, reject) => {
      const timeoutMs = options.timeoutMs ?? limits.REQUEST_TIMEOUT_MS
      const finish = () => {
        clearTimeout(timer)
        options.signal?.removeEventListener('abort', abort)
        this.waiters.delete(waiter)
      }
      const waiter = {
        resolve: (welcome: Welcome) => {
          finish()
          resolve(welcome)
        },
        reject: (error: Error) => {
          finish()
          reject(error)
        },
      }
      const abort = () => waiter.reject(new CancelledError())
      const timer = setTimeout(
        () => waiter.reject(new UnavailableError(`no answer at ${this.endpoint} within ${timeoutMs} ms`)),
        timeoutMs,
      )
      if (options.signal?.aborted) return abort()
      options.signal?.addEventListener('abort', abort)
      this.waiters.add(waiter)
    })
  }

  /**
   * Asks and waits for the answer, also for the connection. Rejects with the server's error, CancelledError (signal or
   * deadline; the server is told), PeerLostError (the session ended; it may have been carried out), RefusedError, or
   * InvalidInputError (the request breaks the contract).
   */
  request<Type extends RequestType>(
    type: Type,
    value: Bodies[Type],
    options: RequestOptions = {},
  ): Promise<Bodies[Replies[Type]]> {
    return new Promise((resolve, reject) => {
      if (this.state === 'stopped') throw new UnavailableError('stopped')
      if (this.refusal) throw this.refusal
      if (options.signal?.aborted) throw new CancelledError()
      const timeoutMs = options.timeoutMs ?? limits.REQUEST_TIMEOUT_MS
      const requestId = this.allotId()
      const body = bodyOf(type, value)
      const sender = this.options.identity.instance
      // Broken requests fail now, not when the connection is up.
      const encoded = encodeEnvelope({ requestId, sender, deadlineMs: timeoutMs, body })
      const startedAt = performance.now()
      const finish = () => {
        clearTimeout(pending.timer)
        options.signal?.removeEventListener('abort', abort)
        for (const leave of partLeavers) leave()
        this.pending.delete(requestId)
      }
      const give = (why: string) => {
        const wasSent = pending.sent
        pending.reject(new CancelledError(why))
        if (wasSent && this.state === 'ready') this.post({ type: 'cancel', value: { requestId } })
      }
      const abort = () => give('cancelled')
      const partLeavers = (options.parts ?? []).map((signal, at) => {
        const tell = () => {
          if (pending.sent && this.state === 'ready')
            this.post({ type: 'cancel', value: { requestId, search: at + 1 } })
        }
        signal.addEventListener('abort', tell)
        return () => signal.removeEventListener('abort', tell)
      })
      const pending: Pending = {
        type,
        sent: false,
        deadlineAt: startedAt + timeoutMs,
        bytes: leftMs =>
          timeoutMs - leftMs < 1 ? encoded : encodeEnvelope({ requestId, sender, deadlineMs: leftMs, body }),
        resolve: reply => {
          finish()
          resolve(reply.value as Bodies[Replies[Type]])
        },
        reject: error => {
          finish()
          reject(error)
        },
        timer: setTimeout(() => give(`no answer within ${timeoutMs} ms`), timeoutMs),
      }
      options.signal?.addEventListener('abort', abort)
      this.pending.set(requestId, pending)
      if (this.state === 'ready') this.sendRequest(requestId, pending)
    })
  }

  /**
   * Sends a message that wants no answer; resolves when libzmq has taken it, which says nothing of its arrival. Rejects
   * with UnavailableError without a session or with a full queue, with PeerLostError if the session ends first.
   */
  send<Type extends BodyType>(type: Type, value: Bodies[Type]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.state !== 'ready') throw new UnavailableError(`not connected to ${this.endpoint}`)
      const body = bodyOf(type, value)
      const bytes = encodeEnvelope({ requestId: 0, sender: this.options.identity.instance, deadlineMs: 0, body })
      this.enqueue({ bytes, requestId: 0, resolve, reject })
    })
  }

  /** Ends the session and closes. Open requests are rejected with UnavailableError. No callback is called afterwards. */
  async stop(reason = 'stopped'): Promise<void> {
    if (this.state === 'stopped') return
    const wasReady = this.state === 'ready'
    this.state = 'stopped'
    this.timer.cancel()
    clearTimeout(this.retry)
    const error = new UnavailableError('stopped')
    this.rejectAll(error)
    for (const waiter of [...this.waiters]) waiter.reject(error)
    if (wasReady) await this.socket.send(this.encode({ type: 'bye', value: { reason } })).catch(() => {})
    this.socket.linger = limits.STOP_LINGER_MS
    this.socket.close()
    await this.loops
  }

  private encode(body: Body, requestId = 0): Uint8Array {
    return encodeEnvelope({ requestId, sender: this.options.identity.instance, deadlineMs: 0, body })
  }

  private allotId(): number {
    do this.nextId = this.nextId === 0xffffffff ? 1 : this.nextId + 1
    while (this.pending.has(this.nextId))
    return this.nextId
  }

  private sendRequest(requestId: number, pending: Pending): void {
    pending.sent = true
    try {
      const bytes = pending.bytes(Math.max(1, pending.deadlineAt - performance.now()))
      this.enqueue({ bytes, requestId, resolve: () => {}, reject: pending.reject })
    } catch (error) {
      pending.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Sends without anyone waiting for it. */
  private post(body: Body): void {
    if (this.state !== 'ready') return
    try {
      this.enqueue({ bytes: this.encode(body), requestId: 0, resolve: () => {}, reject: () => {} })
    } catch (error) {
      this.log.debug('message dropped', { endpoint: this.endpoint, type: body.type, error })
    }
  }

  private enqueue(message: Outgoing): void {
    const size = message.bytes.byteLength
    const max = this.welcome?.maxMessageBytes ?? limits.MAX_MESSAGE_BYTES
    if (size > max) throw new InvalidInputError('message', `at most ${max} bytes`, `${size} bytes`)
    if (this.queuedBytes + size > (this.options.maxQueueBytes ?? limits.MAX_QUEUE_BYTES))
      throw new UnavailableError(`the queue to ${this.endpoint} is full`)
    this.queuedBytes += size
    this.outgoing.push(message)
    void this.pump()
  }

  private async pump(): Promise<void> {
    if (this.pumping) return
    this.pumping = true
    try {
      while (this.state === 'ready') {
        const message = this.outgoing[0]
        if (message === undefined) return
        try {
          await this.socket.send(message.bytes)
        } catch (error) {
          // Lost while we waited: rejected already.
          if (this.outgoing[0] !== message) continue
          if (isBlocked(error)) {
            this.retry = setTimeout(() => void this.pump(), BLOCKED_RETRY_MS)
            return
          }
          this.drop(message)
          message.reject(new UnavailableError('sending failed', { cause: error }))
          continue
        }
        if (this.options.tap?.active)
          this.options.tap.record('out', this.endpoint, this.welcome?.instance ?? '', message.bytes)
        if (this.outgoing[0] === message) this.drop(message)
        message.resolve()
      }
    } finally {
      this.pumping = false
    }
  }

  private drop(message: Outgoing): void {
    this.outgoing.shift()
    this.queuedBytes -= message.bytes.byteLength
  }

  private rejectAll(error: Error): void {
    for (const message of this.outgoing.splice(0)) message.reject(error)
    this.queuedBytes = 0
    for (const pending of [...this.pending.values()]) pending.reject(error)
  }

  private sayHello(): void {
    const { stage, instance, pid } = this.options.identity
    this.nextHelloAt = performance.now() + (this.state === 'refused' ? REFUSED_RETRY_MS : HELLO_RETRY_MS)
    const value = { protocolVersion: limits.PROTOCOL_VERSION, stage, instance, pid, connection: this.connection }
    const bytes = this.encode({ type: 'hello', value })
    this.socket.send(bytes).then(
      () => {
        if (this.options.tap?.active) this.options.tap.record('out', this.endpoint, '', bytes)
      },
      // No connection yet: said again soon.
      () => {},
    )
  }

  /** Says hello, pings, or finds that the server is gone. Plans the next time, as late as it may be. */
  private tick(isLate: boolean): void {
    const now = performance.now()
    if (this.state !== 'ready' || !this.welcome) {
      if (now >= this.nextHelloAt) this.sayHello()
      this.timer.plan(HELLO_RETRY_MS)
      return
    }
    if (isLate) this.heardAt = now
    const { heartbeatMs, lostMs } = this.welcome
    const silentMs = now - this.heardAt
    if (silentMs > lostMs) {
      this.lose(`silent for ${Math.round(silentMs)} ms`)
      return
    }
    const isDue = silentMs >= heartbeatMs * NEARLY
    if (isDue) this.post({ type: 'ping', value: {} })
    const nextMs = isDue ? Math.min(heartbeatMs, lostMs - silentMs + MIN_TICK_MS) : heartbeatMs - silentMs
    this.timer.plan(Math.max(MIN_TICK_MS, nextMs))
  }

  private async receiveLoop(): Promise<void> {
    try {
      for await (const frames of this.socket) {
        if (this.state === 'stopped') return
        isolated(() => this.receive(frames))
      }
    } catch (error) {
      if (this.state !== 'stopped') this.log.warn('receiving failed', { endpoint: this.endpoint, error })
    }
  }

  private async watchConnection(): Promise<void> {
    try {
      for await (const event of this.socket.events) {
        if (this.state === 'stopped') return
        if (event.type === 'disconnect') isolated(() => this.lose('disconnected'))
        else if (event.type === 'handshake' && this.state !== 'ready') this.sayHello()
      }
    } catch (error) {
      if (this.state !== 'stopped') this.log.debug('connection events ended', { endpoint: this.endpoint, error })
    }
  }

  private receive(frames: Buffer[]): void {
    this.heardAt = performance.now()
    const [bytes] = frames
    let envelope: Envelope
    try {
      if (bytes === undefined || frames.length !== 1)
        throw new InvalidInputError('message', '1 frame', `${frames.length} frames`)
      if (this.options.tap?.active) this.options.tap.record('in', this.endpoint, this.welcome?.instance ?? '', bytes)
      envelope = decodeEnvelope(bytes)
    } catch (error) {
      this.log.warn('malformed message', { endpoint: this.endpoint, error })
      return
    }
    this.dispatch(envelope)
  }

  private dispatch(envelope: Envelope): void {
    const { body, requestId } = envelope
    switch (body.type) {
      case 'welcome':
        this.begin(body.value)
        return
      case 'refused':
        this.refused(body.value, requestId)
        return
      case 'ping':
        this.post({ type: 'pong', value: {} })
        return
      case 'bye':
        // The server waits for this: with it, it knows that its last words were read (see RouterServer.stop).
        void this.socket.send(this.encode({ type: 'bye', value: { reason: 'goodbye' } })).catch(() => {})
        this.lose(`goodbye: ${body.value.reason}`)
        return
      case 'fragment':
        this.assemble(envelope, body)
        return
    }
    const pending = requestId === 0 ? undefined : this.pending.get(requestId)
    if (pending) {
      if (body.type === 'error') pending.reject(replyToError(body.value))
      else if (body.type === REPLY_TYPES[pending.type]) pending.resolve(body)
      else pending.reject(new InvalidInputError('reply', REPLY_TYPES[pending.type], body.type))
    } else if (requestId === 0 && this.state === 'ready' && body.type !== 'pong') {
      this.options.onMessage?.(body, envelope)
    }
    // Otherwise the answer to a request that nobody waits for any more.
  }

  private assemble(envelope: Envelope, body: BodyOf<'fragment'>): void {
    const pending = this.pending.get(envelope.requestId)
    if (!pending) return
    try {
      pending.assembly ??= new Assembly()
      const whole = pending.assembly.add(body.value, envelope)
      if (!whole) return
      const inner = decodeEnvelope(whole)
      if (inner.requestId !== envelope.requestId || inner.body.type === 'fragment')
        throw new InvalidInputError('fragment', 'a reply in pieces', inner.body.type)
      this.dispatch(inner)
    } catch (error) {
      pending.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  private begin(welcome: Welcome): void {
    if (this.state === 'stopped') return
    if (welcome.protocolVersion !== limits.PROTOCOL_VERSION) {
      const found = `the server speaks version ${welcome.protocolVersion}`
      this.refuse(new RefusedError('version', found, welcome.protocolVersion))
      return
    }
    if (this.options.expects && welcome.stage !== this.options.expects) {
      const found = `expected a ${this.options.expects} at ${this.endpoint}, found a ${welcome.stage}`
      this.refuse(new RefusedError('stage', found, welcome.protocolVersion))
      return
    }
    if (this.state === 'ready') {
      if (this.welcome?.instance === welcome.instance) return
      this.lose('the server was restarted')
    }
    const restarted = this.lastInstance !== undefined && this.lastInstance !== welcome.instance
    this.lastInstance = welcome.instance
    this.welcome = welcome
    this.refusal = undefined
    this.state = 'ready'
    this.timer.plan(Math.max(MIN_TICK_MS, welcome.heartbeatMs))
    for (const [requestId, pending] of [...this.pending]) if (!pending.sent) this.sendRequest(requestId, pending)
    for (const waiter of [...this.waiters]) waiter.resolve(welcome)
    this.options.onWelcome?.(welcome, restarted)
  }

  private refused(refused: Refused, requestId: number): void {
    const error = new RefusedError(refused.code, refused.message, refused.supportedVersion)
    switch (refused.code) {
      case 'notGreeted':
        // The server does not know us (any more): greet it again.
        this.lose('the server was restarted')
        this.sayHello()
        return
      case 'malformed':
        this.log.warn('message was not understood', { endpoint: this.endpoint, message: refused.message })
        this.pending.get(requestId)?.reject(error)
        return
      default:
        this.refuse(error)
    }
  }

  private refuse(error: RefusedError): void {
    this.lose(error.message)
    if (this.state === 'stopped') return
    this.state = 'refused'
    this.refusal = error
    this.nextHelloAt = performance.now() + REFUSED_RETRY_MS
    this.rejectAll(error)
    for (const waiter of [...this.waiters]) waiter.reject(error)
  }

  private lose(reason: string): void {
    if (this.state !== 'ready') return
    this.state = 'connecting'
    this.welcome = undefined
    this.timer.plan(HELLO_RETRY_MS)
    this.rejectAll(new PeerLostError(`connection to ${this.endpoint} lost: ${reason}`))
    this.log.debug('peer lost', { endpoint: this.endpoint, reason })
    this.options.onPeerLost?.(reason)
  }
}
