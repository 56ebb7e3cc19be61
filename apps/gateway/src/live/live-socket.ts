import { InvalidInputError, UnavailableError } from '@hotpath/model'
import type { WebSocket } from 'ws'
import type { ShowName } from '../http/search-reply.js'
import type { SearchBackend, SearchRequest } from '../search-backend.js'
import { type LiveHub, MAX_QUERIES_PER_CONSUMER } from './live-hub.js'
import { CommandFailure, errorJson, liveJson, parseCommand } from './live-json.js'
import type { LiveSink } from './live-message.js'
import type { LiveQuery } from './live-query.js'

/** Bytes beyond the buffers of the system above which a socket counts as full: some pages of 100 rows. One message comes on top. */
export const FULL_BYTES = 262_144

export interface LiveSocketParts {
  readonly hub: LiveHub
  readonly backend: Pick<SearchBackend, 'search'>
  readonly highlighter: (request: SearchRequest) => ShowName
}

/** The subscriptions of one WebSocket, in JSON. */
export class LiveSocket {
  readonly #queries = new Map<number, LiveQuery>()
  #wasFull = false

  constructor(
    readonly socket: WebSocket,
    readonly parts: LiveSocketParts,
  ) {
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('close', () => this.#close())
    // What is wrong with the connection is in the close that follows.
    socket.on('error', () => undefined)
  }

  get #isReady(): boolean {
    if (this.socket.readyState !== this.socket.OPEN) return false
    if (this.socket.bufferedAmount <= FULL_BYTES) return true
    this.#wasFull = true
    return false
  }

  #receive(data: WebSocket.RawData, isBinary: boolean): void {
    try {
      if (isBinary) throw new CommandFailure(null, new InvalidInputError('message', 'text', 'bytes'))
      // Text is valid UTF-8: anything else has closed the connection.
      const command = parseCommand(String(data))
      this.#queries.get(command.id)?.end()
      this.#queries.delete(command.id)
      if (command.type === 'subscribe') this.#subscribe(command.id, command.request)
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error
      this.#refuse(error.id, error.cause)
    }
  }

  #subscribe(id: number, request: SearchRequest): void {
    const tooMany = () => new CommandFailure(id, new UnavailableError('too many subscriptions are open'))
    if (this.#queries.size >= MAX_QUERIES_PER_CONSUMER) throw tooMany()
    const showName = this.parts.highlighter(request)
    // Only the first search waits for the clock: what follows is later by itself.
    let { minClock } = request
    const source = {
      limit: request.limit,
      search: async (signal: AbortSignal) => {
        const answer = await this.parts.backend.search({ ...request, minClock }, signal)
        minClock = undefined
        return answer
      },
    }
    const isReady = () => this.#isReady
    const sink: LiveSink = {
      get isReady() {
        return isReady()
      },
      send: message => {
        this.#send(liveJson(id, message, showName))
        if (message.type === 'ended') this.#queries.delete(id)
      },
    }
    const query = this.parts.hub.open(source, sink)
    if (query === undefined) throw tooMany()
    this.#queries.set(id, query)
  }

  #refuse(id: number | null, error: unknown): void {
    // Whoever asks and does not read would fill memory with answers.
    if (!this.#isReady) this.socket.terminate()
    else this.#send(errorJson(id, error))
  }

  #send(text: string): void {
    this.socket.send(text, () => {
      // Called when the system has taken it, also if the connection broke.
      if (!this.#wasFull || !this.#isReady) return
      this.#wasFull = false
      for (const query of [...this.#queries.values()]) query.drained()
    })
  }

  #close(): void {
    for (const query of this.#queries.values()) query.end()
    this.#queries.clear()
  }
}
