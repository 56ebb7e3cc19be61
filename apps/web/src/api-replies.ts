/** What the gateway answers (docs/http-api.md), as far as the page reads it. */

export type FreshState = 'live' | 'catching-up' | 'repairing' | 'unwatched'

export interface Fresh {
  readonly state: FreshState
  readonly lagMs: number | null
  readonly dirty: readonly string[]
  readonly dirtyCount: number
}

export interface Hit {
  readonly id: string
  readonly path: string
  readonly pathBytes?: string
  readonly name: string
  readonly dir: string
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  readonly size: number | null
  readonly modified: string | null
  readonly created: string | null
  /** 0 where it was never opened. */
  readonly hot: number
  /** [start, length] within `name`, in UTF-16 units. */
  readonly matched: readonly (readonly [number, number])[]
}

export interface SearchReply {
  readonly total: number
  readonly clock: string
  readonly fresh: Fresh
  readonly partial: boolean
  readonly tookMs: number
  readonly hits: readonly Hit[]
}

export interface Scan {
  readonly entries: number
  readonly entriesPerSecond: number
  readonly current: string
  readonly expectedEntries: number | null
}

export interface StatusReply {
  readonly version: string
  readonly clock: string
  readonly fresh: Fresh
  readonly partial: boolean
  readonly storage: { readonly state: 'writable' | 'full' | 'failed'; readonly reason: string }
  readonly entries: number
  readonly roots: readonly { readonly id: string; readonly path: string; readonly scan: Scan | null }[]
}

export interface FailureReply {
  readonly error: {
    readonly code: string
    readonly message: string
    /** Index into the query in UTF-16 units. */
    readonly position?: number
    readonly expected?: string
  }
}
