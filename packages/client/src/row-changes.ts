import { UnavailableError } from '@hotpath/model'
import {
  type DatabaseInfo,
  type FollowRequest,
  PeerLostError,
  parseCursor,
  REQUEST_TIMEOUT_MS,
  type RowFeed,
  type RowSubscriptions,
  RowsDecoder,
  type RowsErrorEvent,
  type RowsEvent,
  type RowsMessage,
  replyToError,
  rowsCost,
} from '@hotpath/protocol'

/** Which changes of rows of followed databases are wanted. */
export interface ChangesParams {
  /** Names of databases; none: all that are followed. Not together with `follow`. */
  readonly databases?: readonly string[]
  /** A database that the configuration need not name; followed for as long as somebody is subscribed, and a minute after. */
  readonly follow?: {
    /** Absolute. */
    readonly path: string
    /** None: all. */
    readonly tables?: readonly string[]
    /** Absolute path of a file with the key. */
    readonly keyFile?: string
    /** Each step is told, where triggers of the owner keep them (`hotpath audit-sql`). */
    readonly audit?: boolean
  }
  /** Names of tables, or globs of names, whatever their capitals; none: all. */
  readonly tables?: readonly string[]
  /** Cursors of the last events that are known, at most one for each database. A database without one begins now. */
  readonly cursors?: readonly string[]
  /** All rows first where there is no cursor, and again after each reset. */
  readonly initial?: boolean
  /** Bytes of changes that may come before they are asked for. Default: 1 MiB. */
  readonly windowBytes?: number
  /** Ends the changes. */
  readonly signal?: AbortSignal
  /** Time for the first answer. */
  readonly timeoutMs?: number
}

/** What changes bring; the end is the end of the iteration. */
export type ChangesEvent = Exclude<RowsEvent, RowsErrorEvent>

const WINDOW_BYTES = 1_048_576

/**
 * Changes of rows, to be iterated over once. Whoever takes long holds them up, and nothing piles up. They outlive the connection: each transaction comes once.
 */
export class RowChanges implements AsyncIterableIterator<ChangesEvent> {
  readonly #decoder = new RowsDecoder()
  readonly #messages: RowsMessage[] = []
  /** Of the event that was given last. */
  #cost = 0
  #feed: RowFeed | undefined
  #ended: Error | 'quietly' | undefined
  #wake: (() => void) | undefined

  /** Rejects with InvalidInputError for a database that is not followed, UnavailableError. */
  static async open(subscriptions: RowSubscriptions, params: ChangesParams): Promise<RowChanges> {
    const { databases = [], tables = [], cursors = [], initial = false, windowBytes = WINDOW_BYTES, signal } = params
    const follow = params.follow && followRequest(params.follow)
    const request = {
      databases,
      tables,
      cursors: cursors.map(text => parseCursor(text)),
      rows: initial,
      credit: windowBytes,
      ...(follow && { follow }),
    }
    const deadlineAt = performance.now() + (params.timeoutMs ?? REQUEST_TIMEOUT_MS)
    for (;;) {
      const changes = new RowChanges()
      try {
        changes.#feed = await subscriptions.open(request, message => changes.#receive(message), signal)
        const stop = () => changes.#end('quietly')
        if (signal?.aborted) stop()
        signal?.addEventListener('abort', stop, { once: true })
        return changes
      } catch (error) {
        if (!(error instanceof PeerLostError) || performance.now() > deadlineAt) throw error
      }
    }
  }

  /** How the databases were when it began. */
  get databases(): readonly DatabaseInfo[] {
    return this.#feed?.databases ?? []
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The next event; its predecessor counts as taken. Rejects once where the subscription ended by itself. */
  async next(): Promise<IteratorResult<ChangesEvent, undefined>> {
    if (this.#cost > 0) this.#feed?.taken(this.#cost)
    this.#cost = 0
    for (;;) {
      const message = this.#ended === 'quietly' ? undefined : this.#messages.shift()
      if (message !== undefined) {
        const event = this.#decoder.event(message)
        this.#cost = rowsCost(message)
        if (event.type !== 'error') return { done: false, value: event }
        this.#end(replyToError(event.error))
      }
      const ended = this.#ended
      if (ended instanceof Error) {
        this.#ended = 'quietly'
        throw ended
      }
      if (ended !== undefined) return { done: true, value: undefined }
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async return(): Promise<IteratorResult<ChangesEvent, undefined>> {
    this.#end('quietly')
    return { done: true, value: undefined }
  }

  get isOver(): boolean {
    return this.#ended !== undefined
  }

  /** The client is closed. */
  closed(): void {
    if (this.#ended !== undefined) return
    this.#messages.length = 0
    this.#end(new UnavailableError('closed'))
  }

  #receive(message: RowsMessage): void {
    this.#messages.push(message)
    this.#awake()
  }

  #end(how: Error | 'quietly'): void {
    this.#ended ??= how
    this.#feed?.end()
    this.#awake()
  }

  #awake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

function followRequest(follow: NonNullable<ChangesParams['follow']>): FollowRequest {
  const { path, tables = [], keyFile = '', audit = false } = follow
  return { path, tables, keyFile, audit }
}
