import type { WatchState } from '@hotpath/protocol'
import type { Following } from '@hotpath/store'

/** Why changes may be missing, or that none are. */
export type Continuity = 'continuous' | 'loss' | 'downtime'

/**
 * Whether a watcher that is armed tells every change since `followed` was noted: it is the same source without a loss since,
 * or it tells again whatever that one had not seen acknowledged.
 */
export function continuityOf(
  followed: Following['followed'],
  { source, term, continuesSource, continuesTerm }: WatchState,
  bootId: string,
): Continuity {
  if (followed === null || followed.bootId !== bootId) return 'downtime'
  if (source === followed.source) return term === followed.term ? 'continuous' : 'loss'
  return continuesSource === followed.source && continuesTerm === followed.term ? 'continuous' : 'downtime'
}
