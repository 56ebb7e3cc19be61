import type { IndexEvent } from '../search-backend.js'
import type { StatusReply } from './status-reply.js'

/** What a browser is told. */
export type PageEvent =
  | { readonly type: 'changed'; readonly root: string; readonly clock: string }
  | { readonly type: 'status'; readonly status: StatusReply }
  /** Rows of followed databases changed. */
  | { readonly type: 'rows' }
  /** The index does not answer now; a `resync` follows when it is back. */
  | { readonly type: 'away' }
  | { readonly type: 'resync'; readonly reason: string }
  | Extract<IndexEvent, { type: 'fresh-instance' }>

/**
 * Events that wait for one reader. An event replaces an older one of the same key (only the latest state of a root
 * matters), and the number of keys is bounded: a reader too slow for that is told to ask again (`resync`) instead of
 * being remembered for. So memory per reader is bounded however fast the index changes.
 */
export class EventMailbox {
  #waiting = new Map<string, PageEvent>()
  #resyncs = 0

  /** @param capacity the most events that wait at once */
  constructor(readonly capacity: number) {}

  /** How often this reader was told to start afresh because it did not keep up. */
  get resyncs(): number {
    return this.#resyncs
  }

  get size(): number {
    return this.#waiting.size
  }

  push(event: PageEvent): void {
    // After a resync the reader asks for everything again, so what it would have been told is superfluous.
    if (event.type === 'resync') this.#waiting.clear()
    const key = 'root' in event ? `${event.type} ${event.root}` : event.type
    // Deleting first puts the event behind those that happened before it.
    this.#waiting.delete(key)
    if (this.#waiting.size >= this.capacity) {
      this.#waiting.clear()
      this.#resyncs++
      this.#waiting.set('resync', { type: 'resync', reason: 'events came faster than they were read' })
      return
    }
    this.#waiting.set(key, event)
  }

  /** Removes and returns what waits, oldest first. */
  take(): PageEvent[] {
    const events = [...this.#waiting.values()]
    this.#waiting.clear()
    return events
  }
}
