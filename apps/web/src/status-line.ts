import type { Fresh, SearchReply, StatusReply } from './api-replies.js'
import { byId } from './dom.js'
import { describeDelay, formatCount, formatTook } from './format.js'

/** A screen reader is told the total when typing pauses, not at every key. */
const ANNOUNCE_DELAY_MS = 600

const FRESH_TEXT: Record<Fresh['state'] | 'offline', readonly [string, string]> = {
  live: ['live', 'Every change of the disk is followed as it happens.'],
  'catching-up': ['catching up', 'Changes are being read; the newest may be missing for a moment.'],
  repairing: ['repairing', 'A part of the index is being read again.'],
  unwatched: ['unwatched', 'Nothing follows changes: the index is as old as its last scan.'],
  offline: ['offline', 'hotpath does not answer.'],
}

const STORAGE_TEXT: Record<StatusReply['storage']['state'], string> = {
  writable: '',
  full: ', disk full',
  failed: ', disk failed',
}

/** The line below the list: how many, how fast, how fresh. */
export class StatusLine {
  readonly #total = byId('total', HTMLElement)
  readonly #took = byId('took', HTMLElement)
  readonly #fresh = byId('fresh', HTMLElement)
  readonly #partial = byId('partial', HTMLElement)
  readonly #indexed = byId('indexed', HTMLElement)
  readonly #announcer = byId('announcer', HTMLElement)
  #announceTimer: number | undefined

  showAnswer(reply: SearchReply): void {
    const text = reply.total === 1 ? '1 result' : `${formatCount(reply.total)} results`
    this.#total.textContent = text
    this.#took.textContent = formatTook(reply.tookMs)
    this.#showFresh(reply.fresh, reply.partial)
    clearTimeout(this.#announceTimer)
    this.#announceTimer = setTimeout(() => {
      this.#announcer.textContent = text
    }, ANNOUNCE_DELAY_MS)
  }

  showStatus(status: StatusReply): void {
    this.#indexed.textContent = `${formatCount(status.entries)} indexed${STORAGE_TEXT[status.storage.state]}`
    this.#indexed.title = status.storage.reason
    this.#showFresh(status.fresh, status.partial)
  }

  showOffline(): void {
    this.#setFresh('offline', '')
  }

  #showFresh(fresh: Fresh, partial: boolean): void {
    this.#setFresh(fresh.state, describeDelay(fresh))
    this.#partial.hidden = !partial
  }

  #setFresh(state: Fresh['state'] | 'offline', detail: string): void {
    const [text, meaning] = FRESH_TEXT[state]
    this.#fresh.textContent = text
    this.#fresh.dataset.state = state
    this.#fresh.title = meaning + detail
  }
}
