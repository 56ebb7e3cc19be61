import type { LiveMessage, LiveSink } from '../live/live-message.js'
import type { PlacedRow } from '../live/live-page.js'
import type { LiveQuery } from '../live/live-query.js'
import type { SearchRow } from '../search-backend.js'

/** A consumer that applies what it is told, and may refuse to take anything. */
export class LiveConsumer implements LiveSink {
  readonly messages: LiveMessage[] = []
  rows: SearchRow[] = []
  total = Number.NaN
  clock = ''
  query: LiveQuery | undefined
  #isReady = true

  get isReady(): boolean {
    return this.#isReady
  }

  stall(): void {
    this.#isReady = false
  }

  takeAgain(): void {
    this.#isReady = true
    this.query?.drained()
  }

  send(message: LiveMessage): void {
    if (!this.#isReady) throw new Error('told something while it takes nothing')
    this.messages.push(message)
    if (message.type === 'hits' || message.type === 'resync') {
      this.rows = [...message.answer.rows]
      ;({ total: this.total, clock: this.clock } = message.answer)
    } else if (message.type === 'change') {
      const { removed, changed, added } = message.difference
      const gone = new Set([...removed, ...changed.map(({ row }) => row.id)])
      const page = this.rows.filter(row => !gone.has(row.id))
      for (const { at, row } of byPlace([...changed, ...added])) page.splice(at, 0, row)
      this.rows = page
      ;({ total: this.total, clock: this.clock } = message.head)
    }
  }
}

function byPlace(rows: readonly PlacedRow[]): PlacedRow[] {
  return rows.toSorted((a, b) => a.at - b.at)
}
