import { compareBytes } from '@hotpath/index-format'
import { NO_DIRECTORY } from '@hotpath/model'
import type { Bitset } from './bitset.js'
import { joinPath } from './path-text.js'
import type { SegmentState } from './segment-state.js'
import type { SegmentSums } from './segment-sums.js'
import { TopItems } from './top-items.js'
import type { ViewState } from './view-state.js'

/** What lies below a directory: entries, and what they take together. */
export interface Sums {
  count: number
  size: number
}

/** An entry in a directory. `count` and `size` of a directory are those of what lies below it. */
export interface FolderChild extends Readonly<Sums> {
  readonly path: Uint8Array
  readonly name: Uint8Array
  readonly isDirectory: boolean
  /** Else a list has only things below it. */
  readonly isEntry: boolean
}

export interface FolderSizes extends Readonly<Sums> {
  readonly path: Uint8Array
  /** The largest first. */
  readonly children: readonly FolderChild[]
  /** What is not listed, and what lies below it. */
  readonly rest: Readonly<Sums>
}

/** A file that may be listed. */
interface FileChild {
  readonly size: number
  readonly name: () => Uint8Array
}

/**
 * What the children of a directory take, where everything is now. Subtrees are ranges of each segment: those of directories that moved since are
 * taken out of what they lay in, and added to where they lie. Cost: microseconds a child and a displaced directory, a pass over the marks
 * of dead rows in the range, and over the delta.
 * @param sums of a segment; they are complete
 */
export function childrenOf(
  view: ViewState,
  dirId: number,
  sums: (segment: SegmentState) => SegmentSums,
  limit: number,
): FolderSizes {
  const directories = new Map<number, Sums>()
  const sumsOf = (child: number): Sums => {
    let own = directories.get(child)
    if (own === undefined) {
      own = { count: 0, size: 0 }
      directories.set(child, own)
    }
    return own
  }
  const files = new TopItems<FileChild>(limit, (a, b) => b.size - a.size)
  const total: Sums = { count: 0, size: 0 }
  const addFile = (size: number, name: () => Uint8Array): void => {
    const known = Number.isNaN(size) ? 0 : size
    files.offer({ size: known, name })
    total.count++
    total.size += known
  }
  const childAbove = climber(view, dirId)
  for (const segment of view.segments) {
    new SegmentShare(segment, sums(segment)).add(dirId, childAbove, sumsOf, addFile)
  }
  const { delta } = view
  for (let row = 0; row < delta.end; row++) {
    if (!delta.isEntry(row)) continue
    const parent = delta.parent[row]
    const isDirectory = delta.isDirectory(row)
    if (parent === dirId) {
      if (isDirectory) sumsOf(delta.directory[row])
      else addFile(delta.size[row], () => delta.nameOf(row))
      continue
    }
    const child = childAbove(parent)
    if (child !== NO_DIRECTORY) add(sumsOf(child), 1, isDirectory ? 0 : delta.size[row])
  }
  const prefix = view.childPrefixOf(dirId)
  const listed: FolderChild[] = []
  const offered = new TopItems<FolderChild>(limit, compareChildren)
  for (const [child, { count, size }] of directories) {
    const isEntry = view.isEntryDirectory(child)
    const place = view.placeOf(child)
    if ((!isEntry && count === 0) || place === undefined) continue
    total.count += count + Number(isEntry)
    total.size += size
    const { name } = place
    offered.offer({ path: joinPath(prefix, name), name, isDirectory: true, isEntry, count, size })
  }
  for (const { size, name: nameOf } of files.sorted()) {
    const name = nameOf()
    offered.offer({ path: joinPath(prefix, name), name, isDirectory: false, isEntry: true, count: 0, size })
  }
  listed.push(...offered.sorted())
  return { path: pathOf(prefix), ...total, children: listed, rest: restOf(total, listed) }
}

/** What is left of a directory without some of its children. */
export function restOf(total: Readonly<Sums>, listed: readonly FolderChild[]): Sums {
  const rest = { ...total }
  for (const { isEntry, count, size } of listed) add(rest, -(count + Number(isEntry)), -size)
  return rest
}

/** The largest first, then those that hold most, then by name. */
export function compareChildren(a: FolderChild, b: FolderChild): number {
  return b.size - a.size || b.count - a.count || compareBytes(a.path, b.path)
}

/** The path of a directory from what stands before its children. */
export function pathOf(prefix: Uint8Array): Uint8Array {
  return prefix.length === 1 ? prefix : prefix.subarray(0, Math.max(0, prefix.length - 1))
}

/** Finds the child of a directory below which (or which) another directory is now; NO_DIRECTORY: it is not below it. */
function climber(view: ViewState, dirId: number): (from: number) => number {
  const known = new Map<number, number>()
  return from => {
    const climbed: number[] = []
    let child: number | undefined
    for (let at = from; child === undefined; ) {
      child = known.get(at)
      if (child !== undefined) break
      if (at === dirId) child = climbed.at(-1) ?? NO_DIRECTORY
      else {
        climbed.push(at)
        const parent = view.placeOf(at)?.parent ?? NO_DIRECTORY
        if (parent === NO_DIRECTORY) child = NO_DIRECTORY
        at = parent
      }
    }
    for (const at of climbed) known.set(at, child)
    return child
  }
}

/** What one segment has below a directory. */
class SegmentShare {
  private readonly displaced: Uint32Array

  constructor(
    private readonly segment: SegmentState,
    private readonly sums: SegmentSums,
  ) {
    this.displaced = Uint32Array.from(segment.displaced).sort()
  }

  add(
    dirId: number,
    childAbove: (dirId: number) => number,
    sumsOf: (child: number) => Sums,
    addFile: (size: number, name: () => Uint8Array) => void,
  ): void {
    const { segment } = this
    const { reader, displaced } = segment
    const local = reader.findDir(dirId)
    if (local >= 0) {
      const end = reader.dirEnd(local)
      for (let child = local + 1; child < end; child = reader.dirEnd(child)) {
        if (!displaced.has(child)) this.addIsland(child, sumsOf(reader.dirIdOf(child)))
      }
      const last = reader.firstFile(local + 1)
      for (let file = reader.firstFile(local); file < last; file++) {
        if (segment.isHidden('f', file)) continue
        addFile(reader.sizes?.at(file) ?? 0, () => reader.nameOf(reader.dirCount + file))
      }
    }
    for (const moved of this.displaced) {
      const own = reader.dirIdOf(moved)
      const child = own === dirId ? NO_DIRECTORY : childAbove(own)
      if (child !== NO_DIRECTORY) this.addIsland(moved, sumsOf(child))
    }
  }

  /** Adds what lies below a directory here, without what moved away from there. */
  private addIsland(local: number, to: Sums): void {
    this.addBelow(local, to, 1)
    const end = this.segment.reader.dirEnd(local)
    for (let at = this.firstDisplaced(local + 1); at < this.displaced.length && this.displaced[at] < end; ) {
      const moved = this.displaced[at]
      this.addBelow(moved, to, -1)
      at = this.firstDisplaced(this.segment.reader.dirEnd(moved))
    }
  }

  /** Adds (or takes off) the live entries of a range. */
  private addBelow(local: number, to: Sums, sign: 1 | -1): void {
    const { segment, sums } = this
    const { reader, hidden } = segment
    const end = reader.dirEnd(local)
    const [first, last] = [reader.firstFile(local), reader.firstFile(end)]
    let count = end - local - 1 + (last - first)
    let size = sums.sizeOf(first, last)
    count -= countIn(hidden.d, local + 1, end)
    forEachIn(hidden.f, first, last, file => {
      count--
      const dead = reader.sizes?.at(file) ?? 0
      if (!Number.isNaN(dead)) size -= dead
    })
    add(to, sign * count, sign * size)
  }

  /** Position of the first displaced directory at or after a row. */
  private firstDisplaced(local: number): number {
    const { displaced } = this
    let low = 0
    let high = displaced.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (displaced[middle] < local) low = middle + 1
      else high = middle
    }
    return low
  }
}

function add(to: Sums, count: number, size: number): void {
  to.count += count
  if (!Number.isNaN(size)) to.size += size
}

function countIn(bits: Bitset | undefined, from: number, to: number): number {
  let count = 0
  forEachIn(bits, from, to, () => count++)
  return count
}

function forEachIn(bits: Bitset | undefined, from: number, to: number, visit: (at: number) => void): void {
  if (bits === undefined || from >= to) return
  for (let at = bits.next(from); at >= 0 && at < to; at = bits.next(at + 1)) visit(at)
}
