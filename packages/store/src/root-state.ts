import type { FollowedSource, ManifestRoot, ManifestView, RootTrust, ScanFacts } from '@hotpath/index-format'
import type { JournalPosition, RootSpec } from '@hotpath/model'
import type { ScanSession } from './scan-session.js'
import type { View } from './view.js'

/** Sources whose last sequence is remembered; a watcher gets a new name at each start. */
const MAX_SOURCES = 64

/** A root: what the manifest says about it and what is in memory. */
export class RootState {
  /** Answers queries and is in the manifest. */
  active: View | undefined
  /** Last checkpoint of `active`: what the manifest says. */
  durable: ManifestView | null = null
  lastScan: ScanFacts | null = null
  /** Why the root must be scanned, empty if it need not. */
  scanReason = 'new'
  partial = false
  /** Who told of every change up to now, and how far the index is believed. */
  followed: FollowedSource | null = null
  trust: RootTrust = 'none'
  /** Milliseconds since 1970, as the manifest has it: changes before this are in the index. 0: not known. */
  wholeUntilMs = 0
  /** It is followed now, and everything that happens is in the index: `wholeUntilMs` moves on with every manifest. */
  isWhole = false
  /** Of a volume: up to where the index knows its change journal. */
  journal: JournalPosition | null = null
  scan: ScanSession | undefined
  /** When the open scan began, in milliseconds since 1970. */
  scanBeganMs = 0
  /** The scan's view answers queries already (first scan). */
  scanVisible = false
  /** A finished scan is being made durable: changes must be in the log from now on, even without an active view. */
  switching = false
  /** Last applied sequence of each source, least recently used first. */
  readonly applied = new Map<string, number>()
  flushQueued = false
  removed = false
  private jobs: Promise<void> = Promise.resolve()

  constructor(
    public spec: RootSpec,
    public volume: string,
    public prefix: Uint8Array,
    public virtualRoot: boolean,
  ) {}

  /** The view that answers queries: the active one, or during a first scan the one that is being built. */
  get answering(): View | undefined {
    return this.active ?? (this.scanVisible ? this.scan?.view : undefined)
  }

  /** The scan is over: its view is the active one now, or was dropped. */
  closeScan(): void {
    this.scan = undefined
    this.scanVisible = false
    this.switching = false
  }

  noteApplied(source: string, sequence: number): void {
    this.applied.delete(source)
    this.applied.set(source, sequence)
    if (this.applied.size > MAX_SOURCES)
      for (const oldest of this.applied.keys()) return void this.applied.delete(oldest)
  }

  /** Runs jobs that write the root's files one after the other. */
  enqueue<T>(job: () => Promise<T>): Promise<T> {
    const result = this.jobs.then(job)
    this.jobs = result.then(
      () => {},
      () => {},
    )
    return result
  }

  /** Resolves when no job is left. */
  async idle(): Promise<void> {
    for (let last: Promise<void> | undefined; last !== this.jobs; ) {
      last = this.jobs
      await last
    }
  }

  /** Changes are missing, and nobody knows which. */
  distrust(): void {
    this.followed = null
    this.trust = 'none'
    this.isWhole = false
    this.journal = null
  }

  /**
   * All that the journal has from `from` on and before `position` is in the index. False: what comes before `from` is not, or
   * nothing is new.
   */
  reached(from: number, position: JournalPosition): boolean {
    const { journal } = this
    if (journal?.id !== position.id || from > journal.next || position.next <= journal.next) return false
    this.journal = position
    return true
  }

  /** @param nowMs milliseconds since 1970 */
  toManifest(nowMs: number): ManifestRoot {
    if (this.isWhole) this.wholeUntilMs = nowMs
    return {
      spec: this.spec,
      volume: this.volume,
      prefix: this.prefix,
      virtualRoot: this.virtualRoot,
      scanReason: this.scanReason,
      partial: this.partial,
      followed: this.followed,
      trust: this.trust,
      wholeUntilMs: this.wholeUntilMs,
      journal: this.journal,
      view: this.durable,
      lastScan: this.lastScan,
    }
  }
}
