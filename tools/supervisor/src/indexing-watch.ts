import { setTimeout as sleep } from 'node:timers/promises'
import { DealerPeer, type Endpoints, type Identity, type RootStatus, type StatusReply } from '@hotpath/protocol'
import type { IndexingState } from './progress.js'

/** What there is to tell about the index. */
export type IndexingNews =
  /** The first scan of a root is under way. */
  | { readonly state: 'indexing'; readonly progress: IndexingState }
  /** Every root has been scanned once. */
  | { readonly state: 'complete'; readonly entries: number }

/** Fast enough for a bar that moves, slow enough to cost the store nothing. */
const POLL_MS = 250
/** Roots may join one after the other: the index counts as complete when it was so twice in a row. */
const COMPLETE_POLLS = 2

/**
 * Asks the store how far the first scan is, and calls `tell` until it is complete; then returns. Returns early when
 * `signal` is aborted. A store that is not there (yet, or for a moment) is waited for.
 */
export async function watchIndexing(
  endpoints: Endpoints,
  identity: Identity,
  signal: AbortSignal,
  tell: (news: IndexingNews) => void,
): Promise<void> {
  const peer = new DealerPeer({ endpoint: endpoints['store-query'], identity, expects: 'store' })
  peer.start()
  let completePolls = 0
  try {
    while (!signal.aborted) {
      const news = await peer.request('statusRequest', {}, { signal }).then(newsOf, () => undefined)
      completePolls = news?.state === 'complete' ? completePolls + 1 : 0
      if (news?.state === 'indexing' || completePolls === COMPLETE_POLLS) tell(news!)
      if (completePolls === COMPLETE_POLLS) return
      await sleep(POLL_MS, undefined, { signal }).catch(() => {})
    }
  } finally {
    await peer.stop()
  }
}

/** What a status says about the first scans; undefined while the store has no roots. */
export function newsOf(status: StatusReply): IndexingNews | undefined {
  if (status.roots.length === 0) return undefined
  const open = status.roots.filter(root => root.partial)
  if (open.length === 0) return { state: 'complete', entries: status.entries }
  const totals = status.roots.map(root => (root.partial ? (root.scan?.knownTotal ?? Number.NaN) : root.entries))
  const knownTotal = totals.reduce((sum, total) => sum + total, 0)
  return {
    state: 'indexing',
    progress: {
      entries: status.roots.reduce((sum, root) => sum + entriesOf(root), 0),
      knownTotal: Number.isNaN(knownTotal) ? undefined : knownTotal,
      directory: currentDirectory(open),
    },
  }
}

function entriesOf(root: RootStatus): number {
  return root.partial ? (root.scan?.entries ?? root.entries) : root.entries
}

function currentDirectory(roots: readonly RootStatus[]): string {
  const bytes = roots.find(root => root.scan !== undefined)?.scan?.currentDirectory
  return bytes === undefined ? '' : new TextDecoder().decode(bytes)
}
