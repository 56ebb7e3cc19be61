import type { FollowedMount as ToldMount } from '@hotpath/protocol'
import { attempt } from './attempt.js'
import type { FanotifyGroup } from './fanotify/fanotify-group.js'
import { FanotifyTree } from './fanotify/fanotify-tree.js'
import { MarkedMounts } from './fanotify/marked-mounts.js'
import { PlacedFanotifyTree } from './fanotify/placed-fanotify-tree.js'
import { InotifyTree } from './inotify/inotify-tree.js'
import type { PollingPace } from './polling/polling-pace.js'
import { PollingTree } from './polling/polling-tree.js'
import { CompositeTree, type MakeTree } from './tree/composite-tree.js'
import { type FollowedMount, partsOf, reasonOf, toldMounts } from './tree/mount-parts.js'
import { TreePart } from './tree/tree-part.js'
import type { TreeRules } from './tree/tree-rules.js'
import type { TreeListener, WatchedTree } from './tree/watched-tree.js'

export const MECHANISMS = ['auto', 'fanotify', 'inotify', 'polling'] as const
export type MechanismChoice = (typeof MECHANISMS)[number]

/** What there is to follow roots with. */
export interface FollowingMeans {
  readonly mechanism: MechanismChoice
  readonly group: FanotifyGroup | undefined
  /** Why there is no group. */
  readonly groupProblem: string
  /** Why inotify cannot be used for this root. */
  readonly inotifyLimit: string | undefined
  readonly pace: PollingPace
  /** The kind of file system that a path lies in, if others may change it without an event. */
  readonly sharedFileSystem: (path: Uint8Array) => string | undefined
}

export interface Followed {
  readonly tree: WatchedTree
  /** What has to be said of it although it is followed; may be empty. */
  readonly reserve: string
  /** How each file system is followed, where there is more than one or something to say. */
  readonly mounts: readonly ToldMount[] | undefined
}

/** Marks for the trees of one root: by handle where handles can be opened, else by place. */
interface RootMarks {
  readonly byHandle: MarkedMounts
  readonly byPlace: MarkedMounts
}

/**
 * Begins to follow a root: each file system that is mounted in it and belongs to it by the best mechanism that tells of all its
 * changes, or all of them by the one that was chosen. Returns why that cannot be done; nothing is left behind then.
 */
export function followRoot(rules: TreeRules, means: FollowingMeans, listener: TreeListener): Followed | string {
  const { group } = means
  const marks = group && { byHandle: new MarkedMounts(group), byPlace: new MarkedMounts(group) }
  const make: MakeTree = (way, part, to) => {
    if (way === 'polling') return new PollingTree(part, to, means.pace)
    if (way === 'inotify') return new InotifyTree(part, to)
    return way === 'marks'
      ? new FanotifyTree(marks!.byHandle, part, to)
      : new PlacedFanotifyTree(marks!.byPlace, part, to)
  }
  const mounts = followedMounts(rules, means, marks)
  let followed = typeof mounts === 'string' ? mounts : follow(mounts, rules, listener, make)
  if (typeof followed === 'string' && typeof mounts !== 'string' && means.mechanism === 'auto') {
    // Limits of inotify show that late.
    const reason = followed
    const polled = mounts.map(mount =>
      mount.way === 'inotify' ? { ...mount, way: 'polling' as const, reason } : mount,
    )
    followed = follow(polled, rules, listener, make)
  }
  if (typeof followed === 'string') for (const taken of [marks?.byHandle, marks?.byPlace]) taken?.release()
  return followed
}

function followedMounts(
  rules: TreeRules,
  means: FollowingMeans,
  marks: RootMarks | undefined,
): FollowedMount[] | string {
  const mounts: FollowedMount[] = []
  for (const path of rules.mountPoints()) {
    const mount = attempt(() => bestFor(path, rules, means, marks))
    if (typeof mount === 'string') return mount
    mounts.push(mount)
  }
  return mounts
}

function follow(
  mounts: readonly FollowedMount[],
  rules: TreeRules,
  listener: TreeListener,
  make: MakeTree,
): Followed | string {
  const parts = partsOf(mounts)
  const tree = attempt(() =>
    parts.length > 1
      ? new CompositeTree(rules, parts, make, listener)
      : make(parts[0]!.way, new TreePart(rules), listener),
  )
  if (typeof tree === 'string') return tree
  // Inotify alone lacks nothing that a person would have to know.
  const isOrdinary = parts.length === 1 && tree.mechanism !== 'polling'
  const absolute = (path: Uint8Array) => rules.absolute(path)
  return { tree, reserve: isOrdinary ? '' : reasonOf(mounts, absolute), mounts: toldMounts(mounts, absolute) }
}

/** Who follows one mount; a text says why nobody does. */
function bestFor(
  path: Uint8Array,
  rules: TreeRules,
  means: FollowingMeans,
  marks: RootMarks | undefined,
): FollowedMount | string {
  const absolute = rules.absolute(path)
  const mayBe = (mechanism: MechanismChoice) => means.mechanism === 'auto' || means.mechanism === mechanism
  const shared = means.sharedFileSystem(absolute)
  let problem = ''
  if (shared !== undefined) problem = `it lies on ${shared}, where changes by others give no events`
  else {
    if (mayBe('fanotify')) {
      if (marks !== undefined) {
        if (attempt(() => marks.byHandle.mark(absolute)) === undefined) return { path, way: 'marks', reason: '' }
        const refusal = attempt(() => marks.byPlace.use(absolute, marks.byHandle.fileSystems))
        if (refusal === undefined) return { path, way: 'marks-by-place', reason: '' }
        problem = refusal
      }
      // Without a group there is none for any root: that is no news of this one.
      else if (means.mechanism === 'fanotify') problem = means.groupProblem
    }
    if (mayBe('inotify')) {
      if (means.inotifyLimit === undefined) return { path, way: 'inotify', reason: problem }
      problem = means.inotifyLimit
    }
  }
  if (mayBe('polling')) return { path, way: 'polling', reason: problem }
  return `${Buffer.from(absolute).toString()}: ${problem}`
}
