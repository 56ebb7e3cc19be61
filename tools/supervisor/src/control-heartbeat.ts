import { DealerPeer, type Endpoints, type Identity, type SocketName } from '@hotpath/protocol'
import type { StageName } from '@hotpath/service'
import type { Heartbeat } from './supervisor.js'

/** Often enough to find a hang within a minute; four small messages in this time do not wake an idle machine. */
const PING_EVERY_MS = 5_000
/**
 * Longer than the longest pause of a healthy event loop: mapping and checking a large index, or a machine that has no
 * processor left for us.
 */
const LOST_AFTER_MS = 30_000

const CONTROL_SOCKETS: Readonly<Record<StageName, SocketName>> = {
  scanner: 'scanner-control',
  'journal-watcher': 'watcher-control',
  'index-store': 'store-control',
  gateway: 'gateway-control',
}

/** Pings stages over their control sockets. */
export class ControlHeartbeat implements Heartbeat {
  readonly everyMs = PING_EVERY_MS
  readonly lostAfterMs = LOST_AFTER_MS
  private readonly peers = new Map<string, DealerPeer>()

  constructor(
    private readonly endpoints: Endpoints,
    private readonly identity: Identity,
  ) {}

  async ping(stage: StageName, signal: AbortSignal): Promise<void> {
    await this.peer(stage).request('ping', {}, { signal, timeoutMs: PING_EVERY_MS })
  }

  /** Closes all connections. */
  async stop(): Promise<void> {
    await Promise.all([...this.peers.values()].map(peer => peer.stop()))
    this.peers.clear()
  }

  private peer(stage: StageName): DealerPeer {
    const known = this.peers.get(stage)
    if (known !== undefined) return known
    const peer = new DealerPeer({ endpoint: this.endpoints[CONTROL_SOCKETS[stage]], identity: this.identity })
    this.peers.set(stage, peer)
    peer.start()
    return peer
  }
}
