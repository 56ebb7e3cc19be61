import type { ServerResponse } from 'node:http'
import { EventMailbox, type PageEvent } from './event-mailbox.js'

/** More roots than a page shows at once; about 20 KB a reader at most. */
const MAILBOX_CAPACITY = 64
/** Changes come up to thousands a second, a page refreshes a few times a second: what falls between is merged. */
const FLUSH_INTERVAL_MS = 100
/** A comment in silence shows that the reader is gone, well below the usual time-outs of 30 s. */
const KEEP_ALIVE_MS = 15_000
/** How soon a browser comes back after the stream broke. */
const RETRY_MS = 1_000

/**
 * Writes events as Server-Sent Events (WHATWG HTML, section 9.2) to one response. While the socket is full nothing is
 * written and events collect in the mailbox, which merges them and stays small.
 */
export class EventStream {
  readonly #mailbox = new EventMailbox(MAILBOX_CAPACITY)
  #timer: NodeJS.Timeout | undefined
  #keepAlive: NodeJS.Timeout
  #blocked = false
  #closed = false

  /** @param onClose called once, when the reader has gone or `close` was called */
  constructor(
    readonly response: ServerResponse,
    readonly onClose: () => void,
  ) {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
    response.on('drain', () => {
      this.#blocked = false
      this.#schedule(0)
    })
    response.on('close', () => this.#end())
    response.on('error', () => this.#end())
    this.#keepAlive = setInterval(() => this.#write(':\n\n'), KEEP_ALIVE_MS)
    this.#write(`retry: ${RETRY_MS}\n\n`)
  }

  get resyncs(): number {
    return this.#mailbox.resyncs
  }

  send(event: PageEvent): void {
    if (this.#closed) return
    this.#mailbox.push(event)
    this.#schedule(FLUSH_INTERVAL_MS)
  }

  close(): void {
    this.response.end()
    this.#end()
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined || this.#blocked || this.#closed || this.#mailbox.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#flush()
    }, delayMs)
  }

  #flush(): void {
    if (this.#blocked) return
    this.#write(this.#mailbox.take().map(frame).join(''))
  }

  #write(text: string): void {
    if (this.#blocked || this.#closed || text === '') return
    if (!this.response.write(text)) this.#blocked = true
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    clearInterval(this.#keepAlive)
    this.onClose()
  }
}

/** JSON holds no line feeds, so one `data:` line is always enough. */
function frame(event: PageEvent): string {
  const { type, ...rest } = event
  return `event: ${type}\ndata: ${JSON.stringify(rest)}\n\n`
}
