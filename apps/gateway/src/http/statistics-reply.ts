import type { FolderSizes, IndexStatistics } from '../search-backend.js'
import { shownPath } from './search-reply.js'

/** Searches by the time that the engine took: counts[i] took at most boundsMs[i], the last count longer than all of them. */
export interface Latency {
  readonly boundsMs: readonly number[]
  readonly counts: readonly number[]
}

export interface StatisticsReply extends IndexStatistics {
  readonly latency: Latency
}

export function statisticsReply(statistics: IndexStatistics, latency: Latency): StatisticsReply {
  const { clock, types, sections, segments, changesPerMinute } = statistics
  return { clock, types, sections, segments, latency, changesPerMinute }
}

interface Path {
  readonly path: string
  /** Base64 of the path, where the text loses something. */
  readonly pathBytes?: string
}

export interface SizesChildReply extends Path {
  readonly name: string
  readonly type: 'directory' | 'file'
  readonly count: number
  readonly size: number
}

export interface SizesReply extends Path {
  readonly clock: string
  readonly count: number
  readonly size: number
  readonly children: readonly SizesChildReply[]
  readonly rest: { readonly count: number; readonly size: number }
}

export function sizesReply({ clock, path, count, size, children, rest }: FolderSizes): SizesReply {
  return {
    clock,
    ...shownPath(path),
    count,
    size,
    children: children.map(child => ({
      ...shownPath(child.path),
      name: shownPath(child.path.subarray(child.path.length - child.nameSizeBytes)).path,
      type: child.isDirectory ? 'directory' : 'file',
      count: child.count,
      size: child.size,
    })),
    rest,
  }
}
