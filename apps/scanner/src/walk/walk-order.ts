import { type PendingGroup, pathInGroup, pickFromGroup } from './pending-directories.js'
import type { DeferredMount } from './walk-host.js'

const SLASH = 0x2f

/**
 * Depth first, a directory before what is in it, and the directories of one directory in the order of the bytes of
 * their names: that is the order of paths in which `/` is the smallest byte.
 */
export class WalkOrder {
  /** @param after path, relative to the root, of the last directory that need not be read again; undefined: none */
  constructor(private readonly after: Uint8Array | undefined) {}

  get isWhole(): boolean {
    return this.after === undefined
  }

  /** The directory stands before the beginning: it is read for what lies below it alone. */
  isPast(path: Uint8Array): boolean {
    return this.after !== undefined && comparePaths(path, this.after) <= 0
  }

  /** Groups of directories of one parent, as they are to be pushed: the first of all comes last. Leaves out what need not be read. */
  arrange(groups: readonly PendingGroup[]): PendingGroup[] {
    const [first] = groups
    if (first === undefined) return []
    const isWhole = !this.isPast(first.parentPath)
    if (groups.length === 1 && isWhole) return [sorted(first)]
    const rows = groups
      .flatMap(group => Array.from({ length: group.count }, (_, index) => ({ group, index })))
      .filter(({ group, index }) => isWhole || this.#isWanted(pathInGroup(group, index)))
      .sort((a, b) => compareNames(b.group, b.index, a.group, a.index))
    const arranged: PendingGroup[] = []
    for (let from = 0; from < rows.length; ) {
      const { group } = rows[from]!
      let to = from
      while (to < rows.length && rows[to]!.group === group) to++
      arranged.push(
        pickFromGroup(
          group,
          Uint32Array.from(rows.slice(from, to), ({ index }) => index),
        ),
      )
      from = to
    }
    return arranged
  }

  #isWanted(path: Uint8Array): boolean {
    return !this.isPast(path) || isAtOrAbove(path, this.after!)
  }
}

/** The directories of a group, the first one last. */
function sorted(group: PendingGroup): PendingGroup {
  const { count } = group
  if (count < 2) return group
  const order = Uint32Array.from({ length: count }, (_, index) => index)
  return pickFromGroup(
    group,
    order.sort((a, b) => compareNames(group, b, group, a)),
  )
}

function compareNames(a: PendingGroup, atA: number, b: PendingGroup, atB: number): number {
  const [startA, startB] = [a.offsets[atA]!, b.offsets[atB]!]
  const [lengthA, lengthB] = [a.offsets[atA + 1]! - startA, b.offsets[atB + 1]! - startB]
  const length = Math.min(lengthA, lengthB)
  for (let i = 0; i < length; i++) {
    const difference = a.names[startA + i]! - b.names[startB + i]!
    if (difference !== 0) return difference
  }
  return lengthA - lengthB
}

/** So that of two ways to a directory every walk takes the same one. Sorts in place. */
export function inOrderOfPaths(mounts: DeferredMount[]): DeferredMount[] {
  const pathOf = ({ parentPath, name }: DeferredMount) => Buffer.concat([parentPath, Buffer.from('/'), name])
  return mounts.sort((a, b) => Buffer.compare(pathOf(a), pathOf(b)))
}

/** Negative, 0 or positive: order of a walk. */
export function comparePaths(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a[i] === b[i]) continue
    if (a[i] === SLASH) return -1
    return b[i] === SLASH ? 1 : a[i]! - b[i]!
  }
  return a.length - b.length
}

function isAtOrAbove(path: Uint8Array, other: Uint8Array): boolean {
  if (path.length === 0) return true
  if (other.length < path.length || (other.length > path.length && other[path.length] !== SLASH)) return false
  return path.every((byte, i) => other[i] === byte)
}
