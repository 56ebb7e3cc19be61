import { UnavailableError } from '@hotpath/model/errors'
import type { ResyncReason } from '../live-watches.js'
import { type BackOff, pauseMs } from './back-off.js'
import { type FailureReply, requestFailure } from './failures.js'
import {
  type ChangeReply,
  type HitsReply,
  type MarkedChange,
  type MarkedResult,
  receivedChange,
  receivedResult,
} from './replies.js'

/** What becomes of the hits of a search; called in the order of the messages. */
export interface LiveHandlers {
  /** The page as it is at first. */
  onHits(result: MarkedResult): void
  onChange(change: MarkedChange): void
  /** The whole page again. */
  onResync(result: MarkedResult, reason: ResyncReason): void
  /** The index or the gateway does not answer now; another call follows when it does. */
  onAway?(): void
}

export interface LiveWatch {
  /** Resolves when `close` was called. Rejects if the search is refused, or when the client is closed. */
  readonly ended: Promise<void>
  /** No handler is called afterwards. */
  close(): void
}

/** As much of a WebSocket as is used here: the browser's, or that of the package `ws`. */
export interface SocketLike {
  readonly readyState: number
  send(text: string): void
  close(): void
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
}

export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting'

interface Subscription {
  readonly search: string
  readonly query: string
  readonly handlers: LiveHandlers
  readonly settle: (error?: Error) => void
  hadHits: boolean
  retry: ReturnType<typeof setTimeout> | undefined
}

type Message =
  | ({ readonly type: 'hits'; readonly id: number } & HitsReply)
  | ({ readonly type: 'resync'; readonly id: number; readonly reason: ResyncReason } & HitsReply)
  | ({ readonly type: 'change'; readonly id: number } & ChangeReply)
  | { readonly type: 'away'; readonly id: number }
  | { readonly type: 'error'; readonly id: number | null; readonly error: FailureReply }

const OPEN = 1

/**
 * One WebSocket for all subscriptions. It is opened with the first, comes back by itself when it is lost, with pauses
 * that grow, and subscribes again then: each watch gets its page anew, with the reason `reconnected`.
 */
export class LiveConnection {
  private readonly open = new Map<number, Subscription>()
  private readonly listeners = new Set<(state: ConnectionState) => void>()
  private lastId = 0
  private socket: SocketLike | undefined
  private failures = 0
  private retry: ReturnType<typeof setTimeout> | undefined
  private current: ConnectionState = 'idle'
  private isClosed = false

  constructor(
    private readonly connect: () => SocketLike,
    private readonly backOff: BackOff,
  ) {}

  get state(): ConnectionState {
    return this.current
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** @param search parameters as for `/api/search` @param query what they search for, for the positions of errors */
  watch(search: string, query: string, handlers: LiveHandlers): LiveWatch {
    const id = ++this.lastId
    let settle: (error?: Error) => void = () => {}
    const ended = new Promise<void>((resolve, reject) => {
      settle = error => (error === undefined ? resolve() : reject(error))
    })
    // Whoever does not look at it has `close`.
    ended.catch(() => {})
    if (this.isClosed) settle(new UnavailableError('closed'))
    else {
      this.open.set(id, { search, query, handlers, settle, hadHits: false, retry: undefined })
      if (this.socket === undefined && this.retry === undefined) this.begin()
      else this.subscribe(id)
    }
    return { ended, close: () => this.unsubscribe(id) }
  }

  /** Asks now instead of after the pause: the network is back, or somebody looks again. */
  hurry(): void {
    if (this.retry === undefined) return
    clearTimeout(this.retry)
    this.begin()
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.retry)
    this.retry = undefined
    for (const id of [...this.open.keys()]) this.end(id, new UnavailableError('closed'))
    const { socket } = this
    this.socket = undefined
    socket?.close()
    this.become('idle')
  }

  private begin(): void {
    this.retry = undefined
    this.become('connecting')
    let socket: SocketLike
    try {
      socket = this.connect()
    } catch {
      this.lost()
      return
    }
    this.socket = socket
    const isCurrent = () => this.socket === socket
    socket.onopen = () => {
      if (!isCurrent()) return
      this.failures = 0
      this.become('open')
      for (const id of this.open.keys()) this.subscribe(id)
    }
    socket.onmessage = (event: { data: unknown }) => {
      if (isCurrent()) this.receive(String(event.data))
    }
    // A close always follows.
    socket.onerror = () => {}
    socket.onclose = () => {
      if (isCurrent()) this.lost()
    }
  }

  private lost(): void {
    this.socket = undefined
    if (this.isClosed) return
    this.failures++
    this.become('waiting')
    for (const { handlers } of this.open.values()) handlers.onAway?.()
    this.retry = setTimeout(() => this.begin(), pauseMs(this.backOff, this.failures))
  }

  private become(state: ConnectionState): void {
    if (state === this.current) return
    this.current = state
    for (const listener of this.listeners) listener(state)
  }

  private say(message: object): void {
    if (this.socket?.readyState === OPEN) this.socket.send(JSON.stringify(message))
  }

  private subscribe(id: number): void {
    const subscription = this.open.get(id)
    if (subscription !== undefined) this.say({ type: 'subscribe', id, search: subscription.search })
  }

  private unsubscribe(id: number): void {
    if (!this.open.has(id)) return
    this.end(id)
    this.say({ type: 'unsubscribe', id })
  }

  private end(id: number, error?: Error): void {
    const subscription = this.open.get(id)
    if (subscription === undefined) return
    clearTimeout(subscription.retry)
    this.open.delete(id)
    subscription.settle(error)
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as Message
    const subscription = message.id === null ? undefined : this.open.get(message.id)
    // What was on its way when it was ended.
    if (subscription === undefined || message.id === null) return
    const { handlers } = subscription
    switch (message.type) {
      case 'hits': {
        const again = subscription.hadHits
        subscription.hadHits = true
        if (again) handlers.onResync(receivedResult(message), 'reconnected')
        else handlers.onHits(receivedResult(message))
        break
      }
      case 'change':
        handlers.onChange(receivedChange(message))
        break
      case 'resync':
        handlers.onResync(receivedResult(message), message.reason)
        break
      case 'away':
        handlers.onAway?.()
        break
      case 'error':
        this.refused(message.id, subscription, message.error)
    }
  }

  private refused(id: number, subscription: Subscription, failure: FailureReply): void {
    const error = requestFailure(failure.position === undefined ? 0 : 400, failure, subscription.query)
    if (!(error instanceof UnavailableError)) {
      this.end(id, error)
      return
    }
    subscription.handlers.onAway?.()
    subscription.retry = setTimeout(() => this.subscribe(id), pauseMs(this.backOff, 3))
  }
}
