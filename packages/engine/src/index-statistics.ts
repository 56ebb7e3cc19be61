import { NO_DIRECTORY } from '@hotpath/model'
import { directoryAtPath, rootDirectory } from './directory-at-path.js'
import { ENTRY_TYPES, type EntryType, FOLDER_TYPE, typeOfKey } from './entry-types.js'
import { childrenOf, compareChildren, type FolderChild, type FolderSizes, pathOf, restOf } from './folder-sizes.js'
import type { SegmentState } from './segment-state.js'
import { SegmentSums } from './segment-sums.js'
import type { ViewState } from './view-state.js'

/** How many entries there are of a type, and what they take. */
export interface TypeSums {
  readonly type: EntryType
  readonly count: number
  readonly size: number
}

/** Statistics of the views of an engine. What segments give is gathered in steps while nobody searches, and kept. */
export class IndexStatistics {
  private readonly sums = new Map<SegmentState, SegmentSums>()

  /** @returns true when the other methods may be called; false if the time came first (performance.now()) */
  run(views: readonly ViewState[], untilMs: number): boolean {
    const segments = views.flatMap(view => view.segments)
    for (const segment of this.sums.keys()) if (!segments.includes(segment)) this.sums.delete(segment)
    return segments.every(segment => this.of(segment).run(untilMs))
  }

  /** Lets go of what was gathered. */
  clear(): void {
    this.sums.clear()
  }

  get isEmpty(): boolean {
    return this.sums.size === 0
  }

  /** Every entry once. Cost: a pass over the deltas. */
  types(views: readonly ViewState[]): TypeSums[] {
    const counts = new Float64Array(ENTRY_TYPES.length)
    const sizes = new Float64Array(ENTRY_TYPES.length)
    for (const { segments, delta } of views) {
      for (const segment of segments) {
        const sums = this.of(segment)
        counts[FOLDER_TYPE] += segment.visibleCount('d')
        for (let type = 0; type < ENTRY_TYPES.length; type++) {
          counts[type] += sums.counts[type]
          sizes[type] += sums.sizes[type]
        }
      }
      for (let row = 0; row < delta.end; row++) {
        if (!delta.isEntry(row)) continue
        const isDirectory = delta.isDirectory(row)
        const type = isDirectory ? FOLDER_TYPE : typeOfKey(delta.keys.bytes, delta.keyStart(row), delta.keyEnds[row])
        counts[type]++
        if (!isDirectory && !Number.isNaN(delta.size[row])) sizes[type] += delta.size[row]
      }
    }
    return ENTRY_TYPES.map((type, i) => ({ type, count: counts[i], size: sizes[i] }))
  }

  /**
   * What the children of a directory take.
   * @param path of the directory, as hits have it; undefined: of the roots, or of what is at the top of lists
   * @returns undefined if there is no such directory
   */
  folder(views: readonly ViewState[], path: Uint8Array | undefined, limit: number): FolderSizes | undefined {
    if (path === undefined) return this.roots(views, limit)
    for (const view of views) {
      const dirId = directoryAtPath(view, path)
      if (dirId !== NO_DIRECTORY) return childrenOf(view, dirId, segment => this.of(segment), limit)
    }
    return undefined
  }

  private roots(views: readonly ViewState[], limit: number): FolderSizes {
    const all: FolderChild[] = []
    const total = { count: 0, size: 0 }
    for (const view of views) {
      const root = rootDirectory(view)
      if (root === NO_DIRECTORY) continue
      const sizes = childrenOf(view, root, segment => this.of(segment), view.virtualRoot ? limit : 0)
      const isEntry = !view.virtualRoot && view.isEntryDirectory(root)
      total.count += sizes.count + Number(isEntry)
      total.size += sizes.size
      if (view.virtualRoot) all.push(...sizes.children)
      else {
        const { count, size } = sizes
        const name = view.placeOf(root)?.name ?? new Uint8Array(0)
        all.push({ path: pathOf(view.childPrefixOf(root)), name, isDirectory: true, isEntry, count, size })
      }
    }
    const children = all.sort(compareChildren).slice(0, limit)
    return { path: new Uint8Array(0), ...total, children, rest: restOf(total, children) }
  }

  private of(segment: SegmentState): SegmentSums {
    let sums = this.sums.get(segment)
    if (sums === undefined) {
      sums = new SegmentSums(segment)
      this.sums.set(segment, sums)
    }
    return sums
  }
}
