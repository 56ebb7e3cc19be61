import type { IndexStatus, RootStatus } from '../search-backend.js'
import { type FreshReply, freshReply } from './search-reply.js'

export interface StatusReply {
  readonly version: string
  readonly clock: string
  readonly fresh: FreshReply
  readonly partial: boolean
  readonly entries: number
  readonly roots: readonly RootReply[]
  readonly figures: Readonly<Record<string, number>>
}

export interface RootReply {
  readonly id: string
  readonly kind: string
  readonly path: string
  readonly entries: number
  readonly fresh: FreshReply
  readonly partial: boolean
  readonly scan: ScanReply | null
}

export interface ScanReply {
  readonly entries: number
  readonly entriesPerSecond: number
  readonly current: string
  readonly expectedEntries: number | null
}

export function statusReply(status: IndexStatus, version: string): StatusReply {
  const { clock, partial, entries, figures } = status
  return {
    version,
    clock,
    fresh: freshReply(status.fresh),
    partial,
    entries,
    roots: status.roots.map(rootReply),
    figures,
  }
}

function rootReply(root: RootStatus): RootReply {
  const { id, kind, path, entries, partial, scan } = root
  return {
    id,
    kind,
    path,
    entries,
    fresh: freshReply(root.fresh),
    partial,
    scan: scan === undefined ? null : { ...scan, expectedEntries: scan.expectedEntries ?? null },
  }
}
