import type { ScanProgress } from './ingest.js'
import type { Fresh } from './query.js'

/** Changes became visible. */
export interface Changes {
  readonly root: string
  readonly added: number
  readonly removed: number
  readonly updated: number
}

/** A root is answered from another generation: whatever was remembered of it may be wrong. */
export interface Generation {
  readonly root: string
  readonly epoch: number
  readonly partial: boolean
}

export interface FreshChange {
  /** Empty: the whole index. */
  readonly root: string
  readonly fresh: Fresh
}

export interface ShuttingDown {
  readonly reason: string
}

export type EventDetail =
  | { readonly kind: 'changes'; readonly changes: Changes }
  | { readonly kind: 'generation'; readonly generation: Generation }
  | { readonly kind: 'progress'; readonly progress: ScanProgress }
  | { readonly kind: 'fresh'; readonly fresh: FreshChange }
  | { readonly kind: 'shutdown'; readonly shutdown: ShuttingDown }
  /** Sent in silence; repeats the last sequence given. */
  | { readonly kind: 'beat' }

export interface Event {
  /** 1, 2, 3 … within the publisher. */
  readonly sequence: number
  /** State of the index after this event. */
  readonly clock: string
  readonly detail: EventDetail
}
