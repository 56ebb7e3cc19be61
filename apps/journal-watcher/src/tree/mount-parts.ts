import { MAX_FOLLOWED_MOUNTS, type FollowedMount as ToldMount } from '@hotpath/protocol'
import { isWithin } from './paths.js'

/** How what is mounted is followed. `marks-by-place`: by marks of fanotify where handles cannot be opened. */
export type Way = 'polling' | 'inotify' | 'marks-by-place' | 'marks'

/** A file system that is mounted in a root and belongs to it. */
export interface FollowedMount {
  /** Relative to the root; the root itself, which is always one of them, is empty. */
  readonly path: Uint8Array
  readonly way: Way
  /** Why nothing better does; empty if there is nothing to say. */
  readonly reason: string
}

/** What is followed of a root in one way. */
export interface MountPart {
  readonly way: Way
  /** Mounted directories that lie in another part, or the root. */
  readonly tops: readonly Uint8Array[]
}

const WORST_FIRST: readonly Way[] = ['polling', 'inotify', 'marks-by-place', 'marks']
const HOW: Readonly<Record<Way, string>> = {
  polling: 'polled',
  inotify: 'by inotify',
  'marks-by-place': 'by place',
  marks: 'by handle',
}
const NAMED_MOUNTS = 2

/** The parts of a root, that of the worst way first. */
export function partsOf(mounts: readonly FollowedMount[]): MountPart[] {
  return WORST_FIRST.map(way => ({
    way,
    tops: mounts.filter(mount => mount.way === way && wayAbove(mounts, mount) !== way).map(({ path }) => path),
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
  const said = WORST_FIRST.flatMap(way => {
    const why = mounts.filter(mount => mount.way === way && mount.reason !== '')
    if (why.length === 0) return []
    const paths = why.slice(0, NAMED_MOUNTS).map(({ path }) => Buffer.from(absolute(path)).toString())
    const more = why.length > NAMED_MOUNTS ? ` and ${why.length - NAMED_MOUNTS} more` : ''
    const reasons = [...new Set(why.map(({ reason }) => reason))]
    // What can be done about it first: the end may be cut off.
    return [`${reasons.join(', ')} (${paths.join(', ')}${more} ${HOW[way]})`]
  })
  return said.join('; ')
}

const MECHANISMS = { polling: 'polling', inotify: 'inotify', 'marks-by-place': 'fanotify', marks: 'fanotify' } as const
/** Characters of a reason: well below the 512 bytes of a message. */
const MAX_REASON = 160

/** The same as data, those of the worst way first; undefined where all is one file system of which there is nothing to say. */
export function toldMounts(
  mounts: readonly FollowedMount[],
  absolute: (path: Uint8Array) => Uint8Array,
): readonly ToldMount[] | undefined {
  if (mounts.length === 1 && mounts[0]!.reason === '') return undefined
  return WORST_FIRST.flatMap(way => mounts.filter(mount => mount.way === way))
    .slice(0, MAX_FOLLOWED_MOUNTS)
    .map(({ path, way, reason }) => ({
      path: absolute(path),
      mechanism: MECHANISMS[way],
      reason: reason.slice(0, MAX_REASON),
    }))
}

function wayAbove(mounts: readonly FollowedMount[], mount: FollowedMount): Way | undefined {
  const above = mounts.filter(({ path }) => path.length < mount.path.length && isWithin(mount.path, path))
  return above.sort((a, b) => b.path.length - a.path.length)[0]?.way
}
