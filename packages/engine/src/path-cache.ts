import type { NodeRef } from '@hotpath/model'
import { LRUCache } from 'lru-cache'
import { type CacheCounts, MAX_AGE_MS } from './cache-counts.js'
import { pathKey } from './path-key.js'
import { childPrefix } from './path-text.js'

/** Directories whose paths are kept in each searcher, and about what they take. */
const MOST_DIRECTORIES = 16_384
const MOST_BYTES = 8 * 2 ** 20
/** Bytes of a directory beside its path, and of each component: its own name and what objects take. Measured as heap. */
const DIRECTORY_BYTES = 560
const COMPONENT_BYTES = 8
/** How exactly ages are known: a page reads a hundred paths, and need not read the clock for each. */
const AGE_RESOLUTION_MS = 1_000
/** Directory ids are below this. */
const DIRECTORY_IDS = 2 ** 32

/** A path, decoded as far as somebody asked. */
export class DirectoryPath {
  private madePrefix: Uint8Array | undefined
  private madeKey: Uint8Array | undefined
  /** The node behind the directory, once it was looked up; null: it has none. */
  ref: NodeRef | null | undefined

  constructor(
    readonly components: readonly Uint8Array[],
    /** Of the view, when this was found. */
    readonly epoch: number,
  ) {}

  /** Path and separator. */
  get prefix(): Uint8Array {
    this.madePrefix ??= childPrefix(this.components)
    return this.madePrefix
  }

  /** Bytes that stand in path order (see path-key.ts). */
  get key(): Uint8Array {
    this.madeKey ??= pathKey(this.components)
    return this.madeKey
  }
}

/** Decoded paths of the directories of all views of an engine, as long as no directory moves that was known before. */
export class PathCache {
  private readonly paths: LRUCache<number, DirectoryPath>
  private views = 0
  private hits = 0
  private misses = 0

  /** @param nowMs of a clock that only goes forward */
  constructor(nowMs: () => number) {
    this.paths = new LRUCache({
      max: MOST_DIRECTORIES,
      maxSize: MOST_BYTES,
      sizeCalculation: bytesOf,
      ttl: MAX_AGE_MS,
      ttlResolution: AGE_RESOLUTION_MS,
      perf: { now: nowMs },
    })
  }

  /** A number for a view, never used again. */
  newView(): number {
    return this.views++
  }

  get(view: number, dirId: number, epoch: number): DirectoryPath | undefined {
    const path = this.paths.get(view * DIRECTORY_IDS + dirId)
    if (path?.epoch === epoch) {
      this.hits++
      return path
    }
    this.misses++
    return undefined
  }

  keep(view: number, dirId: number, path: DirectoryPath): void {
    this.paths.set(view * DIRECTORY_IDS + dirId, path)
  }

  /** Forgets what is too old. */
  expire(): void {
    this.paths.purgeStale()
  }

  get counts(): CacheCounts {
    const { hits, misses, paths } = this
    return { hits, misses, entries: paths.size, bytes: paths.calculatedSize }
  }
}

function bytesOf({ components }: DirectoryPath): number {
  let bytes = DIRECTORY_BYTES + COMPONENT_BYTES * components.length
  // As components, and as what stands before children.
  for (const component of components) bytes += 2 * component.length
  return bytes
}
