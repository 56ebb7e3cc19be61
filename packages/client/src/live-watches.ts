import { CancelledError, UnavailableError } from '@hotpath/model'
import {
  type Body,
  type DealerPeer,
  type LiveReason,
  PeerLostError,
  REQUEST_TIMEOUT_MS,
  RefusedError,
  type SearchReply,
  type SearchRequest,
} from '@hotpath/protocol'
import { LiveChange } from './live-change.js'
import { searchFailure } from './query-error.js'
import { SearchResult } from './search-result.js'

/**
 * Why a watch tells all hits again. `many`: more than half of the page is another; `slow`: messages were not taken for a
 * while; `gap`: changes were missed, or the index was away; `generation`: a root was read anew; `fresh-instance`: nobody
 * can say whether all changes of a root were told, so that this is told however little of the page differs;
 * `reconnected`: the connection was lost and is back.
 */
export type ResyncReason = Exclude<LiveReason, 'away' | 'ended'> | 'reconnected'

/**
 * What becomes of the hits of a search. Called one after the other; the next message is asked for when the promise of the
 * last call is settled, so a consumer that takes long gets fewer and larger differences, and nothing piles up.
 */
export interface WatchHandlers {
  /** The page as it is at first. */
  onHits(result: SearchResult): void | Promise<void>
  onChange(change: LiveChange): void | Promise<void>
  /** The whole page again. */
  onResync(result: SearchResult, reason: ResyncReason): void | Promise<void>
  /** The index does not answer now; another call follows when it does. */
  onAway?(): void | Promise<void>
}

export interface Watch {
  /**
   * Resolves when `close` was called. Rejects with what a handler threw, with QueryError should the query no longer be
   * understood, with UnavailableError when the client is closed.
   */
  readonly ended: Promise<void>
  /** No handler is called afterwards. */
  close(): void
}

type Connection = Pick<DealerPeer, 'request' | 'send'>

/** Between two attempts to open a watch again while the gateway is there and the index is not. */
const RETRY_MS = 1_000

/** All watches of one connection. */
export class LiveWatches {
  private readonly open = new Map<number, LiveWatch>()
  private lastId = 0

  constructor(private readonly connection: Connection) {}

  /** Resolves when `onHits` was called and has done its work. Rejects as `search` does. */
  async watch(search: SearchRequest, handlers: WatchHandlers, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Watch> {
    const id = ++this.lastId
    const watch = new LiveWatch(id, search, handlers, this.connection, () => this.open.delete(id))
    this.open.set(id, watch)
    await watch.begin(timeoutMs)
    return watch
  }

  /** A message that answers no request. */
  receive(body: Body): void {
    if (body.type === 'liveChange' || body.type === 'liveResync') this.open.get(body.value.live)?.receive(body)
  }

  /** A session begins: its server knows of no watch. */
  welcomed(): void {
    for (const watch of this.open.values()) watch.resume()
  }

  close(error: Error): void {
    for (const watch of [...this.open.values()]) watch.end(error)
  }
}

class LiveWatch implements Watch {
  readonly ended: Promise<void>
  private settle: (error?: unknown) => void = () => {}
  /** Rises with each opening: what belongs to an earlier one is not acknowledged. */
  private opening = 0
  private state: 'beginning' | 'opening' | 'open' | 'ended' = 'beginning'
  private calls: Promise<void> = Promise.resolve()
  private retry: NodeJS.Timeout | undefined

  constructor(
    private readonly id: number,
    private readonly search: SearchRequest,
    private readonly handlers: WatchHandlers,
    private readonly connection: Connection,
    private readonly left: () => void,
  ) {
    this.ended = new Promise((resolve, reject) => {
      this.settle = error => (error === undefined ? resolve() : reject(error))
    })
    // Whoever does not look at it has `close`.
    this.ended.catch(() => {})
  }

  async begin(timeoutMs: number): Promise<void> {
    const deadlineAt = performance.now() + timeoutMs
    try {
      for (;;) {
        const leftMs = deadlineAt - performance.now()
        if (leftMs <= 0) throw new UnavailableError('the connection was lost too often')
        try {
          const result = await this.ask(this.search, leftMs)
          this.state = 'open'
          this.call(() => this.handlers.onHits(result))
          break
        } catch (error) {
          if (!(error instanceof PeerLostError)) throw error
        }
      }
    } catch (error) {
      this.end(error)
      throw error
    }
    await this.calls
    if (this.isEnded) await this.ended
  }

  /** Opens the watch again in a new session. */
  resume(): void {
    if (this.state === 'beginning' || this.state === 'ended') return
    this.state = 'opening'
    clearTimeout(this.retry)
    void this.reopen()
  }

  receive(body: Extract<Body, { type: 'liveChange' | 'liveResync' }>): void {
    if (this.state !== 'open') return
    const { handlers, search } = this
    if (body.type === 'liveChange') {
      const change = new LiveChange(body.value, search.offset)
      this.call(() => handlers.onChange(change))
      return
    }
    const { reason, reply } = body.value
    if (reason === 'ended') this.end(failureOf(reply) ?? new UnavailableError('the subscription ended'))
    else if (reason === 'away') this.call(() => handlers.onAway?.())
    else {
      const result = new SearchResult(reply, search.offset)
      this.call(() => handlers.onResync(result, reason))
    }
  }

  close(): void {
    if (this.isEnded) return
    this.end()
    this.connection.send('liveClose', { live: this.id }).catch(() => {})
  }

  end(error?: unknown): void {
    if (this.isEnded) return
    this.state = 'ended'
    clearTimeout(this.retry)
    this.left()
    this.settle(error)
  }

  private get isEnded(): boolean {
    return this.state === 'ended'
  }

  private async ask(search: SearchRequest, timeoutMs: number): Promise<SearchResult> {
    this.opening++
    const { reply } = await this.connection.request('liveOpen', { live: this.id, search }, { timeoutMs })
    const failure = failureOf(reply)
    if (failure !== undefined) throw failure
    return new SearchResult(reply, search.offset)
  }

  private async reopen(): Promise<void> {
    const opening = this.opening + 1
    try {
      // What is found now covers whatever was waited for at first.
      const result = await this.ask({ ...this.search, minClock: '' }, REQUEST_TIMEOUT_MS)
      if (this.isEnded || opening !== this.opening) return
      this.state = 'open'
      this.call(() => this.handlers.onResync(result, 'reconnected'))
    } catch (error) {
      if (this.isEnded || opening !== this.opening) return
      // The next session opens it again.
      if (error instanceof PeerLostError || error instanceof RefusedError) return
      const isPassing = error instanceof UnavailableError || error instanceof CancelledError
      if (isPassing) this.retry = setTimeout(() => void this.reopen(), RETRY_MS)
      else this.end(error)
    }
  }

  /** Calls a handler after those before, and asks for the next message when it is done. */
  private call(handler: () => void | Promise<void>): void {
    const { opening } = this
    this.calls = this.calls
      .then(async () => {
        if (this.isEnded) return
        await handler()
        if (this.isEnded || opening !== this.opening) return
        // Without a session nobody waits for it.
        await this.connection.send('liveAck', { live: this.id }).catch(() => {})
      })
      .catch(error => {
        const wasOpen = !this.isEnded
        this.end(error)
        if (wasOpen) this.connection.send('liveClose', { live: this.id }).catch(() => {})
      })
  }
}

function failureOf({ error }: SearchReply): Error | undefined {
  return error === undefined ? undefined : searchFailure(error)
}
