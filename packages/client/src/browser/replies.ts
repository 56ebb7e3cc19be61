import { parsedInstant } from '@hotpath/model/instant'
import type { Fresh, FreshState } from '@hotpath/protocol'
import type { Hit, HitKind, HitRank, Instant } from '../hit.js'
import type { PageChange } from '../page-change.js'

/** What the gateway answers (docs/http-api.md), and how the door shows it. */

export interface FreshReply {
  readonly state: FreshState
  readonly lagMs: number | null
  readonly dirty: readonly string[]
  readonly dirtyCount: number
}

interface HeadReply {
  readonly total: number
  readonly fuzzyTotal: number | null
  readonly clock: string
  readonly fresh: FreshReply
  readonly partial: boolean
}

export interface HitReply {
  readonly id: string
  readonly path: string
  readonly pathBytes?: string
  readonly name: string
  readonly dir: string
  readonly type: HitKind
  readonly size: number | null
  readonly modified: string | null
  readonly created: string | null
  readonly accessed: string | null
  readonly hot: number
  readonly opens: number
  readonly opened: string | null
  readonly matched: readonly (readonly [number, number])[]
  readonly fuzzy: boolean
  readonly rank?: HitRank
}

export interface HitsReply extends HeadReply {
  readonly hits: readonly HitReply[]
  readonly tookMs?: number
  readonly explain?: unknown
}

export interface ChangeReply extends HeadReply {
  readonly removed: readonly string[]
  readonly changed: readonly PlacedReply[]
  readonly added: readonly PlacedReply[]
}

type PlacedReply = HitReply & { readonly at: number }

/** A hit as pages show it: with what the query asked for in its name. */
export interface MarkedHit extends Hit {
  /** [start, length] in `name`, UTF-16 units, ascending, apart from each other. */
  readonly matched: readonly (readonly [number, number])[]
  readonly fuzzy: boolean
  /** Present if the search was asked to explain itself. */
  readonly rank: HitRank | undefined
}

/** An answer, with the members of the Node client's `SearchResult` but its columns. */
export interface MarkedResult {
  /** Exact number of hits, whatever the limit was. */
  readonly total: number
  /** Hits after those, which only tolerant terms find; undefined where nobody looked. */
  readonly fuzzyTotal: number | undefined
  readonly clock: string
  readonly fresh: Fresh
  /** A part of the index is missing. */
  readonly partial: boolean
  /** Milliseconds in the engine alone; NaN for what a subscription tells. */
  readonly tookMs: number
  readonly hits: readonly MarkedHit[]
  readonly explanation: unknown
}

export type MarkedChange = PageChange<MarkedHit>

const SLASH = 0x2f
const encoder = new TextEncoder()

/** Its bytes are made when they are looked at: a page of text needs none. */
class ReceivedHit implements MarkedHit {
  readonly id: string
  readonly path: string
  readonly name: string
  readonly directory: string
  readonly kind: HitKind
  readonly sizeBytes: number | undefined
  readonly modified: Instant | undefined
  readonly created: Instant | undefined
  readonly accessed: Instant | undefined
  readonly hot: number
  readonly opens: number
  readonly opened: Instant | undefined
  readonly matched: MarkedHit['matched']
  readonly fuzzy: boolean
  readonly rank: HitRank | undefined
  private readonly encodedPath: string | undefined

  constructor(reply: HitReply) {
    this.id = reply.id
    this.path = reply.path
    this.name = reply.name
    this.directory = reply.dir
    this.kind = reply.type
    this.sizeBytes = reply.size ?? undefined
    this.modified = parsedInstant(reply.modified)
    this.created = parsedInstant(reply.created)
    this.accessed = parsedInstant(reply.accessed)
    this.hot = reply.hot
    this.opens = reply.opens
    this.opened = parsedInstant(reply.opened)
    this.matched = reply.matched
    this.fuzzy = reply.fuzzy
    this.rank = reply.rank
    this.encodedPath = reply.pathBytes
  }

  get pathBytes(): Uint8Array {
    if (this.encodedPath === undefined) return encoder.encode(this.path)
    return Uint8Array.from(atob(this.encodedPath), character => character.charCodeAt(0))
  }

  get nameStart(): number {
    const bytes = this.pathBytes
    return this.encodedPath === undefined
      ? bytes.length - encoder.encode(this.name).length
      : bytes.lastIndexOf(SLASH) + 1
  }
}

export function receivedHit(reply: HitReply): MarkedHit {
  return new ReceivedHit(reply)
}

export function receivedResult(reply: HitsReply): MarkedResult {
  return {
    ...head(reply),
    tookMs: reply.tookMs ?? Number.NaN,
    hits: reply.hits.map(receivedHit),
    explanation: reply.explain,
  }
}

export function receivedChange(reply: ChangeReply): MarkedChange {
  const placed = (rows: readonly PlacedReply[]) => rows.map(row => ({ at: row.at, hit: receivedHit(row) }))
  return { ...head(reply), removed: reply.removed, changed: placed(reply.changed), added: placed(reply.added) }
}

export function receivedFresh({ state, lagMs, dirty, dirtyCount }: FreshReply): Fresh {
  return {
    state,
    lagMs: lagMs ?? Number.NaN,
    dirty: dirtyCount,
    dirtySubtrees: dirty.map(path => encoder.encode(path)),
  }
}

function head({ total, fuzzyTotal, clock, fresh, partial }: HeadReply) {
  return { total, fuzzyTotal: fuzzyTotal ?? undefined, clock, fresh: receivedFresh(fresh), partial }
}
