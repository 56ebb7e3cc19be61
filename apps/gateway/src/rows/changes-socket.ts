import { HotpathError } from '@hotpath/model'
import { errorToReply, eventJson, type RowFeed, RowsDecoder, type RowsMessage, rowsCost } from '@hotpath/protocol'
import type { WebSocket } from 'ws'
import { parseChangesParams } from './changes-params.js'
import type { RowsLink } from './rows-link.js'

/** Bytes of changes that are under way to a socket or wait in it; their JSON is about twice as long. */
const CREDIT_BYTES = 1_048_576
/** RFC 6455, section 7.4.1. */
const CLOSE_UNSUPPORTED = 1003
const CLOSE_ENDED = 1011

/** Tells the changes that one WebSocket asked for in its address, in JSON. What is not taken is not read from the log. */
export class ChangesSocket {
  readonly #decoder = new RowsDecoder()
  readonly #closed = new AbortController()
  #feed: RowFeed | undefined

  constructor(
    readonly socket: WebSocket,
    /** What stands behind the `?` of the address. */
    queryString: string,
    link: Pick<RowsLink, 'open'>,
  ) {
    socket.on('message', () => socket.close(CLOSE_UNSUPPORTED, 'nothing is read here'))
    socket.on('close', () => this.#close())
    // What is wrong with the connection is in the close that follows.
    socket.on('error', () => undefined)
    this.#open(queryString, link).catch(error => this.#fail(error))
  }

  async #open(queryString: string, link: Pick<RowsLink, 'open'>): Promise<void> {
    const request = { ...parseChangesParams(queryString), credit: CREDIT_BYTES }
    const feed = await link.open(request, (message, feed) => this.#tell(message, feed), this.#closed.signal)
    this.#feed = feed
    if (this.#closed.signal.aborted) feed.end()
  }

  #tell(message: RowsMessage, feed: RowFeed): void {
    if (this.socket.readyState !== this.socket.OPEN) return
    const cost = rowsCost(message)
    // Called when the system has taken it: what waits in the socket is as much as the credit allows.
    this.socket.send(eventJson(this.#decoder.event(message)), () => feed.taken(cost))
    if (message.type === 'rowsEnded') this.socket.close(CLOSE_ENDED, 'the subscription is over')
  }

  #fail(error: unknown): void {
    if (this.#closed.signal.aborted) return
    if (!(error instanceof HotpathError)) throw error
    const value = { subscription: 0, error: errorToReply(error) }
    this.socket.send(eventJson(this.#decoder.event({ type: 'rowsEnded', value })))
    this.socket.close(CLOSE_ENDED, 'the subscription is over')
  }

  #close(): void {
    this.#closed.abort()
    this.#feed?.end()
  }
}
