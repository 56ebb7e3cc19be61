import { isWithin } from './paths.js'
import type { WatchedTree } from './watched-tree.js'

export type TreeMechanism = WatchedTree['mechanism']

/** A file system that is mounted in a root and belongs to it. */
export interface FollowedMount {
  /** Relative to the root; the root itself, which is always one of them, is empty. */
  readonly path: Uint8Array
  /** What follows it. */
  readonly mechanism: TreeMechanism
  /** Why nothing better does; empty if there is nothing to say. */
  readonly reason: string
}

/** What one mechanism follows of a root. */
export interface MountPart {
  readonly mechanism: TreeMechanism
  /** Mounted directories that lie in another part, or the root. */
  readonly tops: readonly Uint8Array[]
}

const WORST_FIRST: readonly TreeMechanism[] = ['polling', 'inotify', 'fanotify']
const HOW: Readonly<Record<TreeMechanism, string>> = {
  polling: 'polled',
  inotify: 'by inotify',
  fanotify: 'by fanotify',
}
const NAMED_MOUNTS = 2

/** The parts of a root, that of the worst mechanism first. */
export function partsOf(mounts: readonly FollowedMount[]): MountPart[] {
  return WORST_FIRST.map(mechanism => ({
    mechanism,
    tops: mounts
      .filter(mount => mount.mechanism === mechanism && mechanismAbove(mounts, mount) !== mechanism)
      .map(({ path }) => path),
  })).filter(({ tops }) => tops.length > 0)
}

/** The part that a path of the root lies in: that of the deepest top at or above it. */
export function partAt(parts: readonly MountPart[], path: Uint8Array): MountPart {
  let best: { part: MountPart; length: number } | undefined
  for (const part of parts)
    for (const top of part.tops)
      if (isWithin(path, top) && top.length >= (best?.length ?? 0)) best = { part, length: top.length }
  if (best === undefined) throw new RangeError('no part begins at the root')
  return best.part
}

/** Which mounts are followed by something that is not the best, and why, in a few words. */
export function reasonOf(mounts: readonly FollowedMount[], absolute: (path: Uint8Array) => Uint8Array): string {
  const said = WORST_FIRST.flatMap(mechanism => {
    const why = mounts.filter(mount => mount.mechanism === mechanism && mount.reason !== '')
    if (why.length === 0) return []
    const paths = why.slice(0, NAMED_MOUNTS).map(({ path }) => Buffer.from(absolute(path)).toString())
    const more = why.length > NAMED_MOUNTS ? ` and ${why.length - NAMED_MOUNTS} more` : ''
    const reasons = [...new Set(why.map(({ reason }) => reason))]
    // What can be done about it first: the end may be cut off.
    return [`${reasons.join(', ')} (${paths.join(', ')}${more} ${HOW[mechanism]})`]
  })
  return said.join('; ')
}

function mechanismAbove(mounts: readonly FollowedMount[], mount: FollowedMount): TreeMechanism | undefined {
  const above = mounts.filter(({ path }) => path.length < mount.path.length && isWithin(mount.path, path))
  return above.sort((a, b) => b.path.length - a.path.length)[0]?.mechanism
}
