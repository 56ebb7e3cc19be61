import type { Metric } from '@hotpath/protocol'

/** What is known of one cache. */
export interface CacheFigures {
  readonly name: string
  readonly hits: number | undefined
  readonly misses: number | undefined
  readonly entries: number | undefined
  readonly bytes: number | undefined
}

const PREFIX = 'hotpath_cache_'
const SUFFIXES = { hits: 'hits_total', misses: 'misses_total', entries: 'entries', bytes: 'bytes' } as const

/**
 * Caches by the metrics `hotpath_cache_…` of a stage: those with the same labels, or with the same name before `hits_total`,
 * `misses_total`, `entries` and `bytes`, are of one cache.
 */
export function cachesOf(metrics: readonly Metric[]): CacheFigures[] {
  const caches = new Map<string, CacheFigures>()
  for (const { name, labels, value } of metrics) {
    if (!name.startsWith(PREFIX)) continue
    const rest = name.slice(PREFIX.length)
    const found = Object.entries(SUFFIXES).find(([, suffix]) => rest === suffix || rest.endsWith(`_${suffix}`))
    if (found === undefined) continue
    const [figure, suffix] = found
    const words = [rest.slice(0, -suffix.length - 1).replaceAll('_', ' '), ...labels.map(label => label.value)]
    const cache = words.filter(word => word !== '').join(' ') || 'all'
    const known = caches.get(cache) ?? {
      name: cache,
      hits: undefined,
      misses: undefined,
      entries: undefined,
      bytes: undefined,
    }
    caches.set(cache, { ...known, [figure]: value })
  }
  return [...caches.values()]
}

/** Share of what was asked that was found; undefined where nothing was asked, or nobody counts. */
export function hitRate({ hits, misses }: CacheFigures): number | undefined {
  if (hits === undefined || misses === undefined || hits + misses === 0) return undefined
  return hits / (hits + misses)
}
