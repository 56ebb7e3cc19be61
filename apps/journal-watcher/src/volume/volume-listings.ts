import type { NodeRef } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import type { VolumeBatch } from './volume-batch.js'
import type { VolumeObserver } from './volume-observer.js'

/** Files of a directory that is listed in one batch, some 15 MB. A volume with a larger one that came is scanned. */
const MAX_FILES = 100_000
/** Listings that are remembered; more are forgotten together. */
const MAX_REMEMBERED = 4_096

interface Listing {
  readonly ref: NodeRef
  readonly isDeep: boolean
  readonly generation: number
  readonly askedAt: number
}

/** Directories of a volume that are to be listed. */
export class VolumeListings {
  #queue = new Map<string, Listing>()
  /** When directories were listed last, and whether with all that is below them. */
  readonly #listed = new Map<string, { readonly at: number; readonly isDeep: boolean }>()

  constructor(private readonly batch: VolumeBatch) {}

  get isEmpty(): boolean {
    return this.#queue.size === 0
  }

  get count(): number {
    return this.#queue.size
  }

  /** When the oldest of them was asked for (monotonic µs); infinity: none is. */
  get oldest(): number {
    for (const { askedAt } of this.#queue.values()) return askedAt
    return Number.POSITIVE_INFINITY
  }

  /** @param since a listing that was made after this does, too */
  add(ref: NodeRef, since: number, isDeep: boolean, generation: number): void {
    const key = keyOf(ref)
    const made = this.#listed.get(key)
    if (made !== undefined && made.at > since && (made.isDeep || !isDeep)) return
    const waiting = this.#queue.get(key)
    this.#queue.set(key, {
      ref,
      isDeep: isDeep || waiting?.isDeep === true,
      generation: waiting?.generation ?? generation,
      askedAt: waiting?.askedAt ?? monotonicMicros(),
    })
  }

  isDone(generation: number): boolean {
    for (const listing of this.#queue.values()) if (listing.generation <= generation) return false
    return true
  }

  /** Lists until `untilMs` (performance.now), one at least. Returns why a directory cannot be listed, if one cannot. */
  work(observer: VolumeObserver, untilMs: number, hasRoom: () => boolean): string | undefined {
    for (const [key, { ref, isDeep, generation }] of this.#queue) {
      if (!hasRoom()) return undefined
      this.#queue.delete(key)
      const at = monotonicMicros()
      const found = observer.list(ref.low, ref.birth, MAX_FILES, below => {
        if (isDeep) this.add(below, at, true, generation)
      })
      if (found === 'tooLarge') return `a directory with more than ${MAX_FILES} files came`
      if (found === 'gone') this.batch.gone(ref, at)
      if (this.#listed.size >= MAX_REMEMBERED) this.#listed.clear()
      this.#listed.set(key, { at, isDeep })
      if (this.batch.isFull) this.batch.send()
      if (performance.now() >= untilMs) return undefined
    }
    return undefined
  }
}

function keyOf({ low, birth }: NodeRef): string {
  return `${low}.${birth}`
}
