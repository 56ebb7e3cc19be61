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

/** Changes of a root may have gaps until it is fresh again: what was derived from them must be asked for again. */
export interface FreshInstance {
  readonly root: string
  /** `loss`: events of the file system were lost. `downtime`: nobody watched. `damage`: a part of the index was damaged. */
  readonly reason: 'loss' | 'downtime' | 'damage'
}

export type EventDetail =
  | { readonly kind: 'changes'; readonly changes: Changes }
  | { readonly kind: 'generation'; readonly generation: Generation }
  | { readonly kind: 'progress'; readonly progress: ScanProgress }
  | { readonly kind: 'fresh'; readonly fresh: FreshChange }
  | { readonly kind: 'shutdown'; readonly shutdown: ShuttingDown }
  | { readonly kind: 'freshInstance'; readonly freshInstance: FreshInstance }
  /** Answers of before may be out of date. */
  | { readonly kind: 'outdated' }
  /** Rows of followed databases that are searched changed. */
  | { readonly kind: 'rowsChanged' }
  /** Sent in silence; repeats the last sequence given. */
  | { readonly kind: 'beat' }

export interface Event {
  /** 1, 2, 3 … within the publisher. */
  readonly sequence: number
  /** State of the index after this event. */
  readonly clock: string
  readonly detail: EventDetail
}
