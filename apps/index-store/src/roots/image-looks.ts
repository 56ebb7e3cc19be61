import { alignedDelay } from '@hotpath/model'
import { fileVersion } from '@hotpath/platform'
import type { RootState } from './root-state.js'

/** Images are looked at this often: a system call for each. A guess. */
const LOOK_MS = 5_000
/** After a scan, the next one waits this many times as long as that took: then no more than a tenth of the time is spent on scans. */
const REST_FACTOR = 9

/** What is known of an image since a scan of it was commanded. */
interface Seen {
  /** The file as it was then. */
  readonly version: string
  readonly fromMs: number
  /** When (performance.now) it may be scanned again; undefined: it is being scanned. */
  restsUntilMs: number | undefined
}

export interface ImageLooksOptions {
  roots(): Iterable<Pick<RootState, 'spec' | 'life'>>
  /** The image of a root is not the one that was scanned. */
  changed(root: string): void
}

/**
 * Looks whether images have changed that nothing else tells of: of volumes without a change journal. Devices have no time that would say so,
 * and are left alone.
 */
export class ImageLooks {
  private readonly seen = new Map<string, Seen>()
  private timer: NodeJS.Timeout | undefined
  private isStopped = false

  constructor(private readonly options: ImageLooksOptions) {}

  /** A scan is to be commanded: what it finds is not older than the file is now. */
  scanStarts({ spec }: Pick<RootState, 'spec'>): void {
    const version = spec.kind === 'volume' ? versionOf(spec.path) : undefined
    if (version === undefined) this.seen.delete(spec.id)
    else this.seen.set(spec.id, { version, fromMs: performance.now(), restsUntilMs: undefined })
  }

  scanEnded(root: string): void {
    const seen = this.seen.get(root)
    const now = performance.now()
    if (seen !== undefined) seen.restsUntilMs = now + REST_FACTOR * (now - seen.fromMs)
  }

  /** Something about a root has changed. */
  update(): void {
    if (this.isStopped || this.timer !== undefined) return
    if (![...this.options.roots()].some(root => this.isLookedAt(root))) return
    this.timer = setTimeout(
      () => {
        this.timer = undefined
        this.look()
        this.update()
      },
      alignedDelay(LOOK_MS, Date.now()),
    )
  }

  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
  }

  private look(): void {
    for (const root of [...this.options.roots()]) {
      const { id, path } = root.spec
      const { version, restsUntilMs = Number.POSITIVE_INFINITY } = this.seen.get(id) ?? {}
      if (!this.isLookedAt(root) || performance.now() < restsUntilMs) continue
      const now = versionOf(path)
      // A file that is not there now is not gone from the index for that.
      if (now !== undefined && now !== version) this.options.changed(id)
    }
  }

  /** Nobody follows it, and it has been read. */
  private isLookedAt({ spec, life }: Pick<RootState, 'spec' | 'life'>): boolean {
    const isUnfollowed = life.watch === 'unwatched' && life.auto && life.writable
    return isUnfollowed && life.work === 'idle' && life.wanted === undefined && this.seen.has(spec.id)
  }
}

/** Undefined: there is no file, or no plain one. */
function versionOf(path: string): string | undefined {
  try {
    return fileVersion(path)
  } catch {
    return undefined
  }
}
