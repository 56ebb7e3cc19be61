import {
  type Event,
  type EventGap,
  EventPublisher,
  EventSubscriber,
  type Identity,
  type SocketLog,
  type Tap,
} from '@hotpath/protocol'

export interface EventRelayOptions {
  /** Where the store publishes. */
  readonly from: string
  /** Where native clients listen. */
  readonly to: string
  readonly identity: Identity
  onEvent(event: Event): void
  /** Events were missed, or the store is another process now. */
  onGap(gap: EventGap): void
  /** The store's publisher is heard: nothing that it publishes from now on is missed without a gap. */
  onHeard(publisher: string): void
  readonly tap?: Tap
  readonly log?: SocketLog
}

/**
 * Listens to the store's events and publishes them again for native clients, who thereby need no address but the
 * gateway's. A gap here must be a gap there: after one the relay goes on under a new publisher's name, which every
 * subscriber takes for a restart.
 */
export class EventRelay {
  readonly #subscriber: EventSubscriber
  readonly #publisher: EventPublisher
  #gaps = 0

  constructor(readonly options: EventRelayOptions) {
    const { from, to, identity, tap, log } = options
    const common = { ...(tap === undefined ? {} : { tap }), ...(log === undefined ? {} : { log }) }
    const instance = () => (this.#gaps === 0 ? identity.instance : `${identity.instance}.${this.#gaps}`)
    this.#publisher = new EventPublisher({
      endpoint: to,
      identity: {
        stage: identity.stage,
        pid: identity.pid,
        get instance() {
          return instance()
        },
      },
      ...common,
    })
    this.#subscriber = new EventSubscriber({
      endpoint: from,
      onEvent: event => this.#pass(event),
      onGap: gap => {
        this.#gaps++
        options.onGap(gap)
      },
      onHeard: publisher => options.onHeard(publisher),
      ...common,
    })
  }

  get gaps(): number {
    return this.#gaps
  }

  async start(): Promise<void> {
    await this.#publisher.start()
    this.#subscriber.start()
  }

  async stop(): Promise<void> {
    await this.#subscriber.stop()
    await this.#publisher.stop()
  }

  #pass(event: Event): void {
    // Beats are the publisher's own; that the store stops is nothing that ends the gateway's stream, and only here answers are kept.
    const { detail } = event
    if (detail.kind !== 'beat' && detail.kind !== 'shutdown' && detail.kind !== 'outdated')
      this.#publisher.publish(detail, event.clock)
    this.options.onEvent(event)
  }
}
