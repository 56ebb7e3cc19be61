import { setMaxListeners } from 'node:events'
import { CancelledError } from '@hotpath/model'
import type { Body, Envelope } from '../envelope.js'
import type { Peer } from './peer.js'

/** What a handler of a RouterServer gets. */
export class IncomingMessage {
  readonly body: Body
  /** 0: not a request. Needed to encode a whole reply by oneself. */
  readonly requestId: number
  readonly receivedAt = performance.now()
  /** Time (performance.now) until which the asker waits; Infinity if it did not say. */
  readonly deadlineAt: number
  private replied = false
  private controller: AbortController | undefined
  private timer: NodeJS.Timeout | undefined
  private aborted: string | undefined
  /** Of single searches of a batch that somebody listens to. */
  private parts: Map<number, AbortController> | undefined
  private finished = false

  constructor(
    readonly peer: Peer,
    envelope: Envelope,
    private readonly answer: (outcome: Body | Uint8Array) => void,
  ) {
    this.body = envelope.body
    this.requestId = envelope.requestId
    this.deadlineAt = envelope.deadlineMs > 0 ? this.receivedAt + envelope.deadlineMs : Number.POSITIVE_INFINITY
  }

  /** Aborted when the asker cancels, goes away, or its deadline passes. Made at the first use: most requests are over at once. */
  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController()
      // A message may hold any number of searches, and each of them listens.
      setMaxListeners(0, this.controller.signal)
      if (this.aborted !== undefined) this.controller.abort(new CancelledError(this.aborted))
      else if (Number.isFinite(this.deadlineAt) && !this.finished) {
        const leftMs = Math.min(0x7fffffff, Math.max(0, this.deadlineAt - performance.now()))
        this.timer = setTimeout(() => this.abort('deadline passed'), leftMs)
      }
    }
    return this.controller.signal
  }

  /** As `signal`, and also aborted when the asker does not want this search of a batch (1, 2 …) any more. */
  partSignal(part: number): AbortSignal {
    return this.partController(part).signal
  }

  abortPart(part: number, why: string): void {
    // A number that no search has makes nothing.
    this.parts?.get(part)?.abort(new CancelledError(why))
  }

  private partController(part: number): AbortController {
    this.parts ??= new Map()
    let controller = this.parts.get(part)
    if (controller === undefined) {
      controller = new AbortController()
      this.parts.set(part, controller)
      const { signal } = this
      const own = controller
      if (signal.aborted) own.abort(signal.reason)
      else signal.addEventListener('abort', () => own.abort(signal.reason), { once: true })
    }
    return controller
  }

  /** The first reply counts; later ones, and replies to what is no request, are dropped. */
  reply(outcome: Body | Uint8Array): void {
    if (this.replied) return
    this.replied = true
    this.answer(outcome)
  }

  abort(why: string): void {
    this.aborted ??= why
    clearTimeout(this.timer)
    this.controller?.abort(new CancelledError(why))
  }

  /** The handler is finished: no timer is left. */
  done(): void {
    this.finished = true
    clearTimeout(this.timer)
  }
}
