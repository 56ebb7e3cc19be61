import { MAX_TAP_BYTES } from '../limits.js'
import type { TapCopy, TapDirection } from '../messages/control.js'
import type { Tap } from './common.js'

/** Takes a copy, or returns false if it has no room: the copy is dropped and counted. */
export type TapListener = (copy: TapCopy) => boolean

/** Hands copies of a process's traffic to those who asked for them; costs one comparison per message while nobody does. */
export class TapHub implements Tap {
  private readonly listeners = new Map<TapListener, number>()

  get active(): boolean {
    return this.listeners.size > 0
  }

  add(listener: TapListener): void {
    if (!this.listeners.has(listener)) this.listeners.set(listener, 0)
  }

  remove(listener: TapListener): void {
    this.listeners.delete(listener)
  }

  record(direction: TapDirection, endpoint: string, peer: string, bytes: Uint8Array): void {
    const at = Number(process.hrtime.bigint() / 1_000n)
    const envelope = bytes.byteLength > MAX_TAP_BYTES ? new Uint8Array(0) : bytes
    for (const [listener, dropped] of this.listeners) {
      const taken = listener({ direction, endpoint, peer, at, envelope, size: bytes.byteLength, dropped })
      if (!taken) this.listeners.set(listener, dropped + 1)
    }
  }
}
