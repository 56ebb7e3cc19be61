import { InvalidInputError, UnavailableError } from '@hotpath/model'
import { XPublisher } from 'zeromq'
import { encodeEnvelope } from '../envelope.js'
import * as limits from '../limits.js'
import type { EventDetail } from '../messages/events.js'
import type { Identity } from '../messages/handshake.js'
import { largestFrame, serverSecurity } from '../transport/curve-keys.js'
import { codeOf, NEARLY, SILENT, type SocketLog, type Tap } from './common.js'
import { DueTimer } from './due-timer.js'
import { claimSocketFile } from './socket-file.js'

export interface EventPublisherOptions {
  readonly endpoint: string
  readonly identity: Identity
  readonly tap?: Tap
  readonly log?: SocketLog
  /** Silence after an event, until a Beat tells who missed it. */
  readonly beatMs?: number
}

/**
 * Publishes numbered events to whoever listens. Nobody is waited for: a subscriber that does not keep up misses events,
 * and the numbers tell it so.
 */
export class EventPublisher {
  private readonly socket: XPublisher
  private readonly log: SocketLog
  private readonly beatMs: number
  private sequence = 0
  private clock = ''
  private sentAt = 0
  /** Silence until the next beat: subscribers know the last number when a beat has told it. */
  private silenceMs: number
  private readonly timer = new DueTimer(() => this.beatInSilence())
  private stopped = false
  private removeFile = () => {}
  private loop: Promise<void> = Promise.resolve()
  endpoint: string

  constructor(private readonly options: EventPublisherOptions) {
    this.endpoint = options.endpoint
    this.log = options.log ?? SILENT
    this.beatMs = options.beatMs ?? limits.EVENT_BEAT_MS
    this.silenceMs = this.beatMs
    this.socket = new XPublisher({
      ...serverSecurity(options.endpoint),
      linger: 0,
      sendTimeout: 0,
      sendHighWaterMark: limits.EVENT_HIGH_WATER_MARK,
      // Subscribers send their subscriptions, nothing else.
      maxMessageSize: largestFrame(options.endpoint, 256),
      // Every new subscriber is reported, so that it can be told where the numbers stand.
      verbosity: 'allSubs',
    })
  }

  /** Binds. Throws UnavailableError if the address cannot be bound. */
  async start(): Promise<void> {
    try {
      await this.socket.bind(this.options.endpoint)
    } catch (error) {
      this.socket.close()
      throw new UnavailableError(`cannot bind ${this.options.endpoint}: ${codeOf(error) ?? error}`, { cause: error })
    }
    this.endpoint = this.socket.lastEndpoint ?? this.options.endpoint
    this.removeFile = claimSocketFile(this.endpoint)
    this.loop = this.greetSubscribers()
    this.timer.plan(this.beatMs)
  }

  /**
   * Publishes and returns the event's number. `clock` is the state of the index after the event. Throws
   * InvalidInputError if the event breaks the contract; its number is not used then.
   */
  publish(detail: Exclude<EventDetail, { kind: 'beat' }>, clock: string): number {
    if (this.stopped) return this.sequence
    this.send(detail, this.sequence + 1, clock)
    this.sequence++
    this.clock = clock
    if (this.silenceMs !== this.beatMs) {
      this.silenceMs = this.beatMs
      this.timer.plan(this.silenceMs)
    }
    return this.sequence
  }

  async stop(reason = 'stopped'): Promise<void> {
    if (this.stopped) return
    this.publish({ kind: 'shutdown', shutdown: { reason } }, this.clock)
    this.stopped = true
    this.timer.cancel()
    this.removeFile()
    this.socket.linger = limits.STOP_LINGER_MS
    this.socket.close()
    await this.loop
  }

  private beatInSilence(): void {
    const silentMs = performance.now() - this.sentAt
    if (silentMs < this.silenceMs * NEARLY) {
      this.timer.plan(this.silenceMs - silentMs)
      return
    }
    this.beat()
    this.silenceMs = Math.max(this.beatMs, limits.HEARTBEAT_MS)
    this.timer.plan(this.silenceMs)
  }

  private beat(): void {
    this.send({ kind: 'beat' }, this.sequence, this.clock)
  }

  private send(detail: EventDetail, sequence: number, clock: string): void {
    const bytes = encodeEnvelope({
      requestId: 0,
      sender: this.options.identity.instance,
      deadlineMs: 0,
      body: { type: 'event', value: { sequence, clock, detail } },
    })
    if (bytes.byteLength > limits.MAX_EVENT_BYTES)
      throw new InvalidInputError('event', `at most ${limits.MAX_EVENT_BYTES} bytes`, `${bytes.byteLength} bytes`)
    this.sentAt = performance.now()
    if (this.options.tap?.active) this.options.tap.record('out', this.endpoint, '', bytes)
    // With sendTimeout 0 this is done when it returns; it fails only while closing.
    this.socket.send(bytes).catch(error => this.log.debug('event not sent', { endpoint: this.endpoint, error }))
  }

  private async greetSubscribers(): Promise<void> {
    try {
      for await (const [frame] of this.socket) {
        if (this.stopped) return
        if (frame?.[0] === 1) this.beat()
      }
    } catch (error) {
      if (!this.stopped) this.log.warn('receiving failed', { endpoint: this.endpoint, error })
    }
  }
}
