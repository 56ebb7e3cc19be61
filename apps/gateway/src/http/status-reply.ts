import type { CacheFigures, IndexStatus, RootStatus, StageStatus, StorageStatus } from '../search-backend.js'
import { type FreshReply, freshReply } from './search-reply.js'

export interface StatusReply {
  readonly version: string
  readonly clock: string
  readonly fresh: FreshReply
  readonly partial: boolean
  readonly storage: StorageStatus
  readonly entries: number
  readonly roots: readonly RootReply[]
  readonly stages: readonly StageReply[]
  readonly figures: Readonly<Record<string, number>>
  readonly caches: readonly CacheFigures[]
}

export interface RootReply extends Omit<RootStatus, 'fresh' | 'scan'> {
  readonly fresh: FreshReply
  readonly scan: ScanReply | null
}

export interface ScanReply {
  readonly entries: number
  readonly entriesPerSecond: number
  readonly current: string
  readonly expectedEntries: number | null
}

export interface StageReply extends Omit<StageStatus, 'memoryBytes'> {
  readonly memoryBytes: number | null
}

export function statusReply(status: IndexStatus, version: string): StatusReply {
  const { clock, fresh, partial, storage, entries, roots, stages, figures, caches } = status
  return {
    version,
    clock,
    fresh: freshReply(fresh),
    partial,
    storage,
    entries,
    roots: roots.map(rootReply),
    stages: stages.map(stage => ({ ...stage, memoryBytes: numberOrNull(stage.memoryBytes) })),
    figures,
    caches,
  }
}

function rootReply(root: RootStatus): RootReply {
  const { fresh, scan, ...rest } = root
  return {
    ...rest,
    fresh: freshReply(fresh),
    scan: scan === undefined ? null : { ...scan, expectedEntries: scan.expectedEntries ?? null },
  }
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}
