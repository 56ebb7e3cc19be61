import type { Identity } from '../messages/handshake.js'
import type { IncomingMessage } from './incoming-message.js'

/** A welcomed peer of a RouterServer, for as long as its connection lasts; a peer that comes back is another one. */
export class Peer {
  alive = true
  /** Time (performance.now) at which the last message came. */
  heardAt = performance.now()
  /** Since when libzmq takes nothing for it. */
  blockedSince: number | undefined
  readonly route: string
  readonly requests = new Map<number, IncomingMessage>()
  queuedBytes = 0
  private waiting: Uint8Array[] = []
  private head = 0

  constructor(
    readonly routeBytes: Uint8Array,
    readonly identity: Identity,
    /** Process and socket: what comes back under the same name replaces this peer. */
    readonly origin: string,
  ) {
    this.route = Buffer.from(routeBytes).toString('latin1')
  }

  /** False if more than `maxBytes` would wait. */
  enqueue(bytes: Uint8Array, maxBytes: number): boolean {
    if (this.queuedBytes + bytes.byteLength > maxBytes) return false
    this.waiting.push(bytes)
    this.queuedBytes += bytes.byteLength
    return true
  }

  first(): Uint8Array | undefined {
    return this.waiting[this.head]
  }

  dequeue(): void {
    this.queuedBytes -= this.waiting[this.head]?.byteLength ?? 0
    this.head++
    if (this.head === this.waiting.length) this.clear()
    else if (this.head > 1_024) {
      this.waiting = this.waiting.slice(this.head)
      this.head = 0
    }
  }

  clear(): void {
    this.waiting = []
    this.head = 0
    this.queuedBytes = 0
  }
}
