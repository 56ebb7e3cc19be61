import type { JournalPosition } from '@hotpath/model'
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

/**
 * The same of a volume: whether the journal that a watcher follows is told from where the index knows it, or from before. Where the index
 * knew a journal and that does not lead on, changes are lost.
 */
export function journalContinuity(known: JournalPosition | null, { journal }: Pick<WatchState, 'journal'>): Continuity {
  if (known === null) return 'downtime'
  return journal?.id === known.id && journal.next <= known.next ? 'continuous' : 'loss'
}
