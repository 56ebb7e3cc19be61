import {
  type Body,
  type DatabaseInfo,
  DealerPeer,
  type DealerPeerOptions,
  type RowFeed,
  RowSubscriptions,
  type RowsMessage,
  type RowsRequest,
} from '@hotpath/protocol'

/** The gateway's end of `watcher-rows`: subscriptions of all consumers, each its own, that outlive a watcher. */
export class RowsLink {
  readonly #peer: DealerPeer
  readonly #subscriptions: RowSubscriptions

  constructor(options: Pick<DealerPeerOptions, 'endpoint' | 'identity' | 'tap' | 'log'>) {
    this.#peer = new DealerPeer({
      ...options,
      expects: 'watcher',
      onMessage: (body: Body) => void this.#subscriptions.receive(body),
      onWelcome: () => this.#subscriptions.connected(),
      onPeerLost: () => this.#subscriptions.lost('the journal watcher does not answer'),
    })
    this.#subscriptions = new RowSubscriptions(this.#peer)
  }

  /** Connects in the background. */
  start(): void {
    this.#peer.start()
  }

  async stop(): Promise<void> {
    await this.#peer.stop('the gateway stops')
  }

  get isReady(): boolean {
    return this.#peer.isReady
  }

  get count(): number {
    return this.#subscriptions.count
  }

  /** As RowSubscriptions.open. */
  open(
    request: RowsRequest,
    receive: (message: RowsMessage, feed: RowFeed) => void,
    signal?: AbortSignal,
  ): Promise<RowFeed> {
    return this.#subscriptions.open(request, receive, signal)
  }

  /** Rejects with UnavailableError where no watcher answers. */
  async databases(options: { signal?: AbortSignal; timeoutMs?: number } = {}): Promise<readonly DatabaseInfo[]> {
    return (await this.#peer.request('databasesRequest', {}, options)).databases
  }
}
