import type { ServerResponse } from 'node:http'
import type { Logger } from '@hotpath/service'
import type { SearchBackend } from '../search-backend.js'
import type { PageEvent } from './event-mailbox.js'
import { EventStream } from './event-stream.js'
import { type StatusReply, statusReply } from './status-reply.js'

/** Each stream is a socket and a timer; a person has a few windows. */
export const MAX_STREAMS = 64
/** Progress is shown to people: four steps a second look like movement. */
const STATUS_INTERVAL_MS = 250
const STATUS_DEADLINE_MS = 2_000

/**
 * Hands events of the index to every open page. Asks the index for its status only while somebody listens, and once
 * for all listeners.
 */
export class EventHub {
  readonly #streams = new Set<EventStream>()
  /** Of those who may search rows: nobody else is told when they change. */
  readonly #rowStreams = new Set<EventStream>()
  #unsubscribe: (() => void) | undefined
  #statusTimer: NodeJS.Timeout | undefined
  #statusWanted = false
  #closedResyncs = 0

  constructor(
    readonly backend: SearchBackend,
    readonly version: string,
    readonly log: Logger,
  ) {}

  start(): void {
    this.#unsubscribe = this.backend.onEvent(event => {
      if (event.type === 'status' || event.type === 'fresh') this.#wantStatus()
      else if (event.type === 'rows') this.#broadcast(event, this.#rowStreams)
      else if (event.type === 'generation') this.#broadcast({ ...event, type: 'changed' })
      else this.#broadcast(event)
      // What was missed may have been a change of the status.
      if (event.type === 'resync') this.#wantStatus()
    })
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    clearTimeout(this.#statusTimer)
    this.#statusTimer = undefined
    for (const stream of [...this.#streams]) stream.close()
  }

  get streamCount(): number {
    return this.#streams.size
  }

  /** How often a reader was told to start afresh because it did not keep up. */
  get resyncs(): number {
    return [...this.#streams].reduce((sum, stream) => sum + stream.resyncs, this.#closedResyncs)
  }

  /** Takes over the response; returns false (and touches nothing) if there are too many streams. */
  open(response: ServerResponse, maySeeRows: boolean): boolean {
    if (this.#streams.size >= MAX_STREAMS) return false
    const stream = new EventStream(response, () => {
      this.#streams.delete(stream)
      this.#rowStreams.delete(stream)
      this.#closedResyncs += stream.resyncs
    })
    this.#streams.add(stream)
    if (maySeeRows) this.#rowStreams.add(stream)
    this.#wantStatus()
    return true
  }

  #broadcast(event: PageEvent, streams: ReadonlySet<EventStream> = this.#streams): void {
    for (const stream of streams) stream.send(event)
  }

  #wantStatus(): void {
    this.#statusWanted = true
    if (this.#statusTimer !== undefined) return
    void this.#sendStatus()
    this.#statusTimer = setTimeout(() => {
      this.#statusTimer = undefined
      if (this.#statusWanted) this.#wantStatus()
    }, STATUS_INTERVAL_MS)
  }

  async #sendStatus(): Promise<void> {
    this.#statusWanted = false
    if (this.#streams.size === 0) return
    try {
      const status: StatusReply = statusReply(
        await this.backend.status(AbortSignal.timeout(STATUS_DEADLINE_MS)),
        this.version,
      )
      this.#broadcast({ type: 'status', status })
    } catch (error) {
      // Pages keep what they show, and look again when the store is back and says so.
      this.#broadcast({ type: 'away' })
      this.log.debug('no status for pages', { error })
    }
  }
}
