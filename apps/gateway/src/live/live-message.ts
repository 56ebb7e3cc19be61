import type { SearchAnswer } from '../search-backend.js'
import type { Difference } from './live-page.js'

/**
 * Why a consumer gets all hits instead of a difference. `many`: more than half of the page is another; `slow`: the
 * consumer did not read for a while; `gap`: events of the index were missed; `generation`: a root was read anew. The last
 * three are given where the difference is as large as that, too: small ones are told as changes. `fresh-instance`: nobody
 * can say whether all changes of a root were told; that is told always, because it is about more than the page.
 */
export const RESYNC_REASONS = ['many', 'slow', 'gap', 'generation', 'fresh-instance'] as const
export type ResyncReason = (typeof RESYNC_REASONS)[number]

/** What an answer says beside its rows. */
export type LiveHead = Pick<SearchAnswer, 'total' | 'fuzzyTotal' | 'clock' | 'fresh' | 'partial'>

/** What a consumer is told, in the order in which it happens. */
export type LiveMessage =
  /** The first one: the whole page. */
  | { readonly type: 'hits'; readonly answer: SearchAnswer }
  /** Turns the page of the message before into the page of this one; empty if only the head is another. */
  | { readonly type: 'change'; readonly head: LiveHead; readonly difference: Difference }
  /** The whole page again, whatever the consumer has. */
  | { readonly type: 'resync'; readonly reason: ResyncReason; readonly answer: SearchAnswer }
  /** The index does not answer; another message follows when it does. */
  | { readonly type: 'away' }
  /** Nothing follows. */
  | { readonly type: 'ended'; readonly error: unknown }

/** Where a subscription's messages go. */
export interface LiveSink {
  /** Whether the consumer takes a message now. Who answers no calls `drained` of the subscription when that changes. */
  readonly isReady: boolean
  send(message: LiveMessage): void
}

/** What a subscription asks for. */
export interface LiveSource {
  /** Rows of its page, at most. */
  readonly limit: number
  search(signal: AbortSignal): Promise<SearchAnswer>
}
