import { CancelledError, InvalidInputError, UnavailableError } from '@hotpath/model'
import { Subscriber } from 'zeromq'
import { decodeEnvelope } from '../envelope.js'
import * as limits from '../limits.js'
import type { Event } from '../messages/events.js'
import { clientSecurity, largestFrame } from '../transport/curve-keys.js'
import { isolated, SILENT, type SocketLog, type Tap } from './common.js'
import { RECONNECTION } from './reconnection.js'

export interface EventGap {
  /** `missed`: numbers are missing. `restarted`: the publisher is another process, its numbers begin anew. */
  readonly reason: 'missed' | 'restarted'
  readonly publisher: string
  /** Events that are known to be missing; 0 after a restart, where it cannot be known. */
  readonly missing: number
}

export interface EventSubscriberOptions {
  readonly endpoint: string
  /** Events in order, without Beats. */
  onEvent(event: Event, publisher: string): void
  /** Whatever was derived from events must be read afresh. Called before the event that showed the gap. */
  onGap(gap: EventGap): void
  /** The publisher said something, if only that it is there: what it publishes from now on arrives or shows as a gap. Called first. */
  onHeard?(publisher: string): void
  readonly tap?: Tap
  readonly log?: SocketLog
}

/** Follows numbered events. */
export class GapDetector {
  private publisher: string | undefined
  private last = 0

  /** The gap before this event, and whether the event is new. The first event ever seen begins the count. */
  see(publisher: string, event: Event): { gap?: EventGap; isNew: boolean } {
    const isBeat = event.detail.kind === 'beat'
    if (publisher !== this.publisher) {
      const isFirst = this.publisher === undefined
      this.publisher = publisher
      this.last = event.sequence
      return { isNew: !isBeat, ...(isFirst ? {} : { gap: { reason: 'restarted', publisher, missing: 0 } }) }
    }
    const missing = event.sequence - this.last - (isBeat ? 0 : 1)
    const isNew = !isBeat && event.sequence > this.last
    this.last = Math.max(this.last, event.sequence)
    return missing > 0 ? { isNew, gap: { reason: 'missed', publisher, missing } } : { isNew }
  }
}

/** Listens to an EventPublisher; connects again by itself. */
export class EventSubscriber {
  private readonly socket: Subscriber
  private readonly log: SocketLog
  private readonly detector = new GapDetector()
  private readonly waiters = new Set<() => void>()
  private heard = false
  private stopped = false
  private loop: Promise<void> = Promise.resolve()

  constructor(private readonly options: EventSubscriberOptions) {
    this.log = options.log ?? SILENT
    this.socket = new Subscriber({
      ...clientSecurity(options.endpoint),
      linger: 0,
      receiveHighWaterMark: limits.EVENT_HIGH_WATER_MARK,
      maxMessageSize: largestFrame(options.endpoint, limits.MAX_EVENT_BYTES),
      ...RECONNECTION,
    })
  }

  start(): void {
    this.socket.subscribe()
    this.socket.connect(this.options.endpoint)
    this.loop = this.receiveLoop()
  }

  /**
   * Resolves when the subscription is known to work: every event published from now on arrives or shows as a gap. Read
   * the state that events build on after this.
   */
  ready(timeoutMs = limits.REQUEST_TIMEOUT_MS): Promise<void> {
    if (this.heard) return Promise.resolve()
    if (this.stopped) return Promise.reject(new CancelledError('stopped'))
    return new Promise((resolve, reject) => {
      const waiter = () => {
        clearTimeout(timer)
        this.waiters.delete(waiter)
        if (this.heard) resolve()
        else reject(new CancelledError('stopped'))
      }
      const timer = setTimeout(() => {
        this.waiters.delete(waiter)
        reject(new UnavailableError(`nothing was published at ${this.options.endpoint} within ${timeoutMs} ms`))
      }, timeoutMs)
      this.waiters.add(waiter)
    })
  }

  /** No callback is called afterwards. */
  async stop(): Promise<void> {
    if (this.stopped) return
    this.stopped = true
    for (const waiter of [...this.waiters]) waiter()
    this.socket.close()
    await this.loop
  }

  private async receiveLoop(): Promise<void> {
    try {
      for await (const [bytes] of this.socket) {
        if (this.stopped) return
        if (bytes) isolated(() => this.receive(bytes))
      }
    } catch (error) {
      if (!this.stopped) this.log.warn('receiving failed', { endpoint: this.options.endpoint, error })
    }
  }

  private receive(bytes: Uint8Array): void {
    if (this.options.tap?.active) this.options.tap.record('in', this.options.endpoint, '', bytes)
    let event: Event
    let publisher: string
    try {
      const envelope = decodeEnvelope(bytes)
      if (envelope.body.type !== 'event') throw new InvalidInputError('message', 'event', envelope.body.type)
      event = envelope.body.value
      publisher = envelope.sender
    } catch (error) {
      // Its number will be missing.
      this.log.warn('malformed event', { endpoint: this.options.endpoint, error })
      return
    }
    const { gap, isNew } = this.detector.see(publisher, event)
    this.heard = true
    for (const waiter of [...this.waiters]) waiter()
    this.options.onHeard?.(publisher)
    if (gap) this.options.onGap(gap)
    if (isNew) this.options.onEvent(event, publisher)
  }
}
