import type { RootStatus } from '@hotpath/protocol'
import type { Store } from '@hotpath/store'
import type { RootState } from './root-state.js'

/** How roots stand, for people and metrics. @param reading why the index cannot be written, if it cannot */
export function rootStatuses(
  states: Iterable<RootState>,
  store: Pick<Store, 'sizes' | 'rootStatus'>,
  reading: string | undefined,
): RootStatus[] {
  const sizes = store.sizes()
  const known = new Map(store.rootStatus().map(status => [status.spec.id, status]))
  return [...states].map(state => {
    const status = known.get(state.spec.id)
    const segments = sizes.filter(size => size.root === state.spec.id)
    return {
      root: state.spec,
      entries: status?.entries ?? 0,
      directories: segments.reduce((sum, segment) => sum + segment.directories - segment.stubs, 0),
      segments: status?.segments ?? 0,
      indexBytes: segments.reduce((sum, segment) => sum + segment.sizeBytes, 0),
      deltaRows: status?.deltaRows ?? 0,
      fresh: state.fresh(),
      mechanism: state.mechanism,
      partial: !state.life.hasIndex,
      scan: state.scan?.progress,
      reason: reading ?? state.reason,
      ...state.counts,
      losses: state.losses,
      ...(state.mechanism !== 'none' && { mounts: state.watch?.mounts }),
    }
  })
}
