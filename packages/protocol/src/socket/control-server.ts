import type { Body } from '../envelope.js'
import { MAX_TAP_QUEUE_BYTES } from '../limits.js'
import type { HealthCheck, HealthState, Metric } from '../messages/control.js'
import type { Identity } from '../messages/handshake.js'
import type { SocketLog } from './common.js'
import type { IncomingMessage } from './incoming-message.js'
import type { Peer } from './peer.js'
import { RouterServer, unexpected } from './router-server.js'
import type { TapHub, TapListener } from './tap-hub.js'

export interface ControlServerOptions {
  readonly endpoint: string
  readonly identity: Identity
  /** Asked for at every HealthRequest. */
  health(): { readonly state: HealthState; readonly checks: readonly HealthCheck[] }
  /** Asked for at every StatsRequest. */
  stats(): readonly Metric[]
  /** Called once, after the answer was given. */
  shutdown(reason: string): void
  /** The hub that the process's other sockets record to. */
  readonly tap: TapHub
  readonly log?: SocketLog
}

/** Control messages are small; only copies of a tap are large, and those go out. */
const MAX_CONTROL_MESSAGE_BYTES = 65_536

/** The control socket of a stage: ping, health, stats, shutdown, tap. */
export class ControlServer {
  private readonly server: RouterServer
  private readonly taps = new Map<Peer, TapListener>()
  private readonly startedAt = performance.now()
  private shuttingDown = false

  constructor(private readonly options: ControlServerOptions) {
    this.server = new RouterServer({
      endpoint: options.endpoint,
      identity: options.identity,
      maxMessageBytes: MAX_CONTROL_MESSAGE_BYTES,
      onMessage: message => this.answer(message),
      onPeerLost: peer => this.tap(peer, false),
      ...(options.log ? { log: options.log } : {}),
    })
  }

  get endpoint(): string {
    return this.server.endpoint
  }

  start(): Promise<void> {
    return this.server.start()
  }

  async stop(): Promise<void> {
    for (const peer of [...this.taps.keys()]) this.tap(peer, false)
    await this.server.stop()
  }

  private answer(message: IncomingMessage): Body {
    const { body } = message
    switch (body.type) {
      case 'healthRequest': {
        const { instance, pid } = this.options.identity
        const uptimeMs = performance.now() - this.startedAt
        return { type: 'healthReply', value: { ...this.options.health(), instance, pid, uptimeMs } }
      }
      case 'statsRequest':
        return { type: 'statsReply', value: { metrics: this.options.stats() } }
      case 'shutdownRequest':
        this.shutdown(body.value.reason)
        return { type: 'shutdownReply', value: {} }
      case 'tapRequest':
        this.tap(message.peer, body.value.on)
        return { type: 'tapReply', value: { on: body.value.on } }
      default:
        throw unexpected(body.type)
    }
  }

  private shutdown(reason: string): void {
    if (this.shuttingDown) return
    this.shuttingDown = true
    setImmediate(() => this.options.shutdown(reason))
  }

  private tap(peer: Peer, on: boolean): void {
    const listener = this.taps.get(peer)
    if (on && !listener) {
      const send: TapListener = value => this.server.send(peer, { type: 'tapCopy', value }, MAX_TAP_QUEUE_BYTES)
      this.taps.set(peer, send)
      this.options.tap.add(send)
    } else if (!on && listener) {
      this.taps.delete(peer)
      this.options.tap.remove(listener)
    }
  }
}
