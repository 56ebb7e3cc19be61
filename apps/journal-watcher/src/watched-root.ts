import type { JournalPosition, RootSpec } from '@hotpath/model'
import type { FollowedMount, ScanOptions, WatchState } from '@hotpath/protocol'
import type { TreeRules } from './tree/tree-rules.js'
import type { FollowedRoot } from './tree/watched-tree.js'

/** A root that the store wants followed. */
export interface WatchedRoot {
  readonly spec: RootSpec
  readonly source: string
  readonly options: ScanOptions
  tree: FollowedRoot | undefined
  /** Of a directory tree. */
  rules: TreeRules | undefined
  /** Of a volume: up to where its journal is known, until it is set up. */
  journal: JournalPosition | undefined
  state: WatchState
  mounts: string
  /** It must be set up anew. */
  lostReason: string | undefined
  /** Seconds since 1970: before, nothing was lost; NaN: not known. */
  wholeUntil: number
  /** Of the system: trying inotify again would end in the same way. */
  inotifyLimit: string | undefined
  /** What has to be said of it although it is armed. */
  reserve: string
  /** How what is mounted in it is followed, where there is something to say. */
  followed: readonly FollowedMount[] | undefined
}

/** A root that nothing was done about yet. @param journal up to where the journal of a volume is known */
export function newRoot(
  spec: RootSpec,
  options: ScanOptions,
  source: string,
  journal: JournalPosition | undefined,
): WatchedRoot {
  return {
    spec,
    source,
    options,
    tree: undefined,
    rules: undefined,
    journal,
    state: unwatchedState(spec.id, source),
    mounts: '',
    lostReason: undefined,
    wholeUntil: Number.NaN,
    inotifyLimit: undefined,
    reserve: '',
    followed: undefined,
  }
}

function unwatchedState(root: string, source: string): WatchState {
  return {
    root,
    source,
    state: 'unwatched',
    mechanism: 'none',
    reason: '',
    term: 1,
    continuesSource: '',
    continuesTerm: 0,
    wholeUntil: Number.NaN,
  }
}

export function sameOptions(a: ScanOptions, b: ScanOptions): boolean {
  return (
    a.crossFileSystems === b.crossFileSystems &&
    a.namesOnly === b.namesOnly &&
    (a.access ?? false) === (b.access ?? false) &&
    (a.streams ?? false) === (b.streams ?? false) &&
    a.excludes.length === b.excludes.length &&
    a.excludes.every((glob, i) => glob === b.excludes[i])
  )
}
