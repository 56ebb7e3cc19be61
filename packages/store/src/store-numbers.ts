import { randomBytes } from 'node:crypto'
import type { Manifest } from '@hotpath/index-format'
import { segmentId } from './store-files.js'

/**
 * What a store is called and what it counts: files, views (a scan's epoch is the number of its view), manifests, openings.
 * A number is given out once in the life of the data directory, also if the store dies before anything has it.
 */
export class StoreNumbers {
  private constructor(
    readonly storeId: string,
    /** How often the store was opened, this time included. */
    readonly incarnation: number,
    private generation: number,
    private nextFile: number,
    private nextView: number,
  ) {}

  /**
   * Numbers of an opening that found this manifest (none: a new store) and these files. A segment that was built but
   * never named in a manifest must not meet its number again.
   */
  static after(manifest: Manifest | undefined, files: readonly string[]): StoreNumbers {
    const { storeId, incarnation, generation, nextFile, nextView } = manifest ?? {
      storeId: randomBytes(16).toString('hex'),
      incarnation: 0,
      generation: 0,
      nextFile: 1,
      nextView: 1,
    }
    const free = files.reduce((free, name) => Math.max(free, segmentId(name) + 1), nextFile)
    return new StoreNumbers(storeId, incarnation + 1, generation, free, nextView)
  }

  takeFile(): number {
    return this.nextFile++
  }

  takeView(): number {
    return this.nextView++
  }

  /** True for numbers that takeView has returned. */
  isViewTaken(view: number): boolean {
    return view < this.nextView
  }

  /** The manifest's part about numbers; each call is another manifest. */
  nextManifest(): Omit<Manifest, 'roots'> {
    const { storeId, incarnation, nextFile, nextView } = this
    return { storeId, generation: ++this.generation, incarnation, nextFile, nextView }
  }
}
