import { UnavailableError } from '@hotpath/model/errors'
import { type BackOff, pauseMs } from './back-off.js'
import { type FailureReply, requestFailure } from './failures.js'
import type { SocketLike } from './live-connection.js'
import { percentEncoded } from './percent.js'

/** Which changes of rows of followed databases are wanted. */
export interface RowChangesParams {
  /** Names; none: all that are followed. */
  readonly databases?: readonly string[]
  /** Names of tables, or globs of names, whatever their capitals; none: all. */
  readonly tables?: readonly string[]
  /** Cursors of the last messages that are known, at most one for each database. A database without one begins now. */
  readonly cursors?: readonly string[]
  /** All rows first where there is no cursor, and again after each reset. */
  readonly initial?: boolean
}

/** A value, exact: what JSON cannot hold is an object with one member (docs/http-api.md). Blobs and texts that are no UTF-8 are base64. */
export type JsonSqlValue =
  | null
  | number
  | string
  | { readonly integer: string }
  | { readonly real: 'Infinity' | '-Infinity' }
  | { readonly blob: string }
  | { readonly text: string }
  | { readonly omitted: 'text' | 'blob'; readonly bytes: number }

/** Values by the names of their columns. */
export type JsonRow = Readonly<Record<string, JsonSqlValue>>

export interface JsonRowChange {
  readonly table: string
  readonly operation: 'insert' | 'update' | 'delete'
  /** The rowid, or the columns of the primary key of a table without rowids. */
  readonly key: JsonSqlValue | JsonRow
  readonly old?: JsonRow
  readonly new?: JsonRow
}

interface OfDatabase {
  readonly database: string
  /** What is known with this message; null where nothing is complete yet. Of a transaction of which more follows, the one before. */
  readonly cursor: string | null
}

export type RowChangesMessage =
  | (OfDatabase & { readonly type: 'state'; readonly state: string; readonly reason: string })
  /** What is known of this database is void, also of a transaction of which more was to follow; without cursor all rows follow. */
  | (OfDatabase & { readonly type: 'reset'; readonly reason: 'initial' | 'behind' | 'epoch' | 'damage' })
  | (OfDatabase & {
      readonly type: 'rows'
      readonly rows: readonly {
        readonly table: string
        readonly key: JsonSqlValue | JsonRow
        readonly values: JsonRow
      }[]
      readonly more: boolean
    })
  | (OfDatabase & {
      readonly type: 'transaction'
      readonly sequence: number
      /** ISO 8601. */
      readonly time: string | null
      readonly method: string
      /** The difference that several transactions left. */
      readonly merged: boolean
      readonly changes: readonly JsonRowChange[]
      readonly more: boolean
    })

export interface RowChangesHandlers {
  /** Called in the order of the messages; each transaction comes once, also over lost connections. */
  onMessage(message: RowChangesMessage): void
  /** The gateway does not answer now; messages go on when it does. */
  onAway?(): void
}

export interface RowChangesWatch {
  /** Resolves when `close` was called. Rejects with RequestError if it is refused, or UnavailableError when the client is closed. */
  readonly ended: Promise<void>
  /** No handler is called afterwards. */
  close(): void
}

type Received = RowChangesMessage | { readonly type: 'error'; readonly error: FailureReply }

/** Digits of a cursor that name its database. */
const DATABASE_DIGITS = 8

/** One subscription over a WebSocket of its own, which comes back by itself and goes on behind what was handed over. */
export class RowChangesConnection implements RowChangesWatch {
  readonly ended: Promise<void>
  /** By the digits that name the database. */
  private readonly cursors = new Map<string, string>()
  private readonly digits = new Map<string, string>()
  /** Messages that were handed over of a transaction of which more was to follow, by database. */
  private readonly begun = new Map<string, { readonly sequence: number; readonly messages: number }>()
  /** Those that a new connection brings again. */
  private readonly again = new Map<string, { readonly sequence: number; left: number }>()
  private settle: (error?: Error) => void = () => {}
  private socket: SocketLike | undefined
  private retry: ReturnType<typeof setTimeout> | undefined
  private failures = 0
  private isOver = false

  constructor(
    private readonly params: RowChangesParams,
    private readonly handlers: RowChangesHandlers,
    /** Opens a WebSocket for parameters. */
    private readonly connect: (parameters: string) => SocketLike,
    private readonly backOff: BackOff,
  ) {
    this.ended = new Promise((resolve, reject) => {
      this.settle = error => (error === undefined ? resolve() : reject(error))
    })
    // Whoever does not look at it has `close`.
    this.ended.catch(() => {})
    for (const cursor of params.cursors ?? []) this.cursors.set(cursor.slice(0, DATABASE_DIGITS), cursor)
    this.begin()
  }

  close(): void {
    this.end()
  }

  /** The client is closed. */
  closed(): void {
    this.end(new UnavailableError('closed'))
  }

  private begin(): void {
    this.retry = undefined
    let socket: SocketLike
    try {
      socket = this.connect(this.parameters())
    } catch {
      this.lost()
      return
    }
    this.socket = socket
    this.again.clear()
    for (const [database, { sequence, messages }] of this.begun) this.again.set(database, { sequence, left: messages })
    const isCurrent = () => this.socket === socket
    socket.onmessage = (event: { data: unknown }) => {
      if (isCurrent()) this.receive(JSON.parse(String(event.data)) as Received)
    }
    // A close always follows.
    socket.onerror = () => {}
    socket.onclose = () => {
      if (isCurrent()) this.lost()
    }
  }

  private parameters(): string {
    const { databases = [], tables = [], initial } = this.params
    const all = [
      ...databases.map(name => ['database', name] as const),
      ...tables.map(name => ['table', name] as const),
      ...[...this.cursors.values()].map(cursor => ['cursor', cursor] as const),
      ...(initial ? [['initial', '1'] as const] : []),
    ]
    return all.map(([name, value]) => `${name}=${percentEncoded(value)}`).join('&')
  }

  private receive(message: Received): void {
    if (message.type === 'error') {
      const error = requestFailure(400, message.error)
      if (!(error instanceof UnavailableError)) this.end(error)
      // Else the gateway closes, and it is tried again.
      return
    }
    this.failures = 0
    const { database, cursor } = message
    if (message.type === 'transaction' && this.isKnown(message)) return
    if (message.type === 'reset') {
      this.begun.delete(database)
      this.again.delete(database)
    }
    if (cursor !== null) {
      this.digits.set(database, cursor.slice(0, DATABASE_DIGITS))
      this.cursors.set(cursor.slice(0, DATABASE_DIGITS), cursor)
    } else if (message.type !== 'state') this.cursors.delete(this.digits.get(database) ?? '')
    if (message.type === 'transaction') this.note(message)
    this.handlers.onMessage(message)
  }

  /** Whether it was handed over before the connection was lost. */
  private isKnown({ database, sequence }: RowChangesMessage & { type: 'transaction' }): boolean {
    const again = this.again.get(database)
    if (again === undefined || again.sequence !== sequence || again.left === 0) return false
    again.left--
    return true
  }

  private note({ database, sequence, more }: RowChangesMessage & { type: 'transaction' }): void {
    const begun = this.begun.get(database)
    if (!more) this.begun.delete(database)
    else this.begun.set(database, { sequence, messages: begun?.sequence === sequence ? begun.messages + 1 : 1 })
  }

  private lost(): void {
    this.socket = undefined
    if (this.isOver) return
    this.failures++
    if (this.failures === 1) this.handlers.onAway?.()
    this.retry = setTimeout(() => this.begin(), pauseMs(this.backOff, this.failures))
  }

  private end(error?: Error): void {
    if (this.isOver) return
    this.isOver = true
    clearTimeout(this.retry)
    const { socket } = this
    this.socket = undefined
    socket?.close()
    this.settle(error)
  }
}
