import { isUtf8 } from 'node:buffer'
import { type HitRank, instantText, KIND_MASK, Kind } from '@hotpath/model'
import type { Freshness, SearchAnswer, SearchRow } from '../search-backend.js'

/** A name as it is shown, with what the query matched of it: [start, length] in UTF-16 units. */
export interface ShownName {
  readonly text: string
  readonly matched: readonly (readonly [number, number])[]
}

export type ShowName = (name: Uint8Array) => ShownName

export type TypeName = 'file' | 'directory' | 'symlink' | 'other'

export interface FreshReply {
  readonly state: Freshness['state']
  readonly lagMs: number | null
  /** Directories below which all may differ: the first ones of `dirtyCount`. */
  readonly dirty: readonly string[]
  readonly dirtyCount: number
}

export interface HitReply {
  readonly id: string
  readonly path: string
  /** Base64 of the path, only where the text loses something. */
  readonly pathBytes?: string
  readonly name: string
  readonly dir: string
  readonly type: TypeName
  readonly size: number | null
  readonly modified: string | null
  readonly created: string | null
  readonly accessed: string | null
  readonly hot: number
  /** How often it was opened, and when last. */
  readonly opens: number
  readonly opened: string | null
  readonly matched: readonly (readonly [number, number])[]
  /** Only a tolerant term finds it. */
  readonly fuzzy: boolean
  /** Only where the search is explained. */
  readonly rank?: HitRank
}

export interface SearchReply {
  readonly total: number
  /** Null if nobody looked for fuzzy hits. */
  readonly fuzzyTotal: number | null
  readonly clock: string
  readonly fresh: FreshReply
  readonly partial: boolean
  readonly tookMs: number
  /** The answer was computed for an earlier search; nothing has changed since. */
  readonly cached: boolean
  readonly hits: readonly HitReply[]
  readonly explain?: unknown
}

const TYPE_NAMES: Record<Kind, TypeName> = {
  [Kind.file]: 'file',
  [Kind.directory]: 'directory',
  [Kind.symlink]: 'symlink',
  [Kind.other]: 'other',
}

// ignoreBOM: a name may begin with U+FEFF, and dropping it would show another file's name.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function searchReply(answer: SearchAnswer, showName: ShowName): SearchReply {
  const isFuzzy = (at: number): boolean => at >= answer.exactRows
  return {
    total: answer.total,
    fuzzyTotal: answer.fuzzyTotal ?? null,
    clock: answer.clock,
    fresh: freshReply(answer.fresh),
    partial: answer.partial,
    tookMs: Math.round(answer.engineMs * 1000) / 1000,
    cached: answer.cached === true,
    hits: answer.rows.map((row, at) => hitReply(row, showName, isFuzzy(at))),
    ...(answer.explanation === undefined ? {} : { explain: answer.explanation }),
  }
}

export function freshReply(fresh: Freshness): FreshReply {
  return {
    state: fresh.state,
    lagMs: fresh.lagMs ?? null,
    dirty: fresh.dirtySubtrees.map(path => decoder.decode(path)),
    dirtyCount: fresh.dirty,
  }
}

/** A path as text, and its bytes where that loses something. */
export function shownPath(bytes: Uint8Array): { readonly path: string; readonly pathBytes?: string } {
  const path = decoder.decode(bytes)
  // U+FFFD may also be a character of the name itself: only then is the slower look at the bytes needed.
  const lossy = path.includes('\ufffd') && !isUtf8(bytes)
  return lossy ? { path, pathBytes: Buffer.from(bytes).toString('base64') } : { path }
}

export function hitReply(row: SearchRow, showName: ShowName, fuzzy: boolean): HitReply {
  const nameStart = row.path.length - row.nameSizeBytes
  const name = showName(row.path.subarray(nameStart))
  return {
    id: row.id,
    ...shownPath(row.path),
    name: name.text,
    dir: nameStart === 0 ? '' : decoder.decode(row.path.subarray(0, Math.max(1, nameStart - 1))),
    type: TYPE_NAMES[(row.kind & KIND_MASK) as Kind] ?? 'other',
    size: Number.isNaN(row.sizeBytes) ? null : row.sizeBytes,
    modified: instantText(row.modified),
    created: instantText(row.created),
    accessed: instantText(row.accessed),
    hot: Math.round(row.hot * 10_000) / 10_000,
    opens: row.opens,
    opened: instantText(row.opened),
    matched: name.matched,
    fuzzy,
    ...(row.rank && { rank: row.rank }),
  }
}
