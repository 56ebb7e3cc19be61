import type { JournalPosition, RootSpec } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import {
  type Fresh,
  type FreshState,
  MAX_DIRTY_SUBTREES,
  type ScanProgress,
  type WatchMechanism,
  type WatchReport,
  type WatchState,
} from '@hotpath/protocol'
import type { Following } from '@hotpath/store'
import type { OpenCheck } from './check-desk.js'
import type { CheckCounts } from './check-run.js'
import { freshStateOf, type RootLife, type ScanReason } from './root-life.js'

/** What is known of one root beside its entries: what its life is at, who watches it, who reads it, how far it is behind. */
export class RootState {
  /** The scan that runs. */
  scan: { readonly epoch: number; readonly scanner: string; progress: ScanProgress | undefined } | undefined
  /** The check that runs because the root is not trusted. */
  check: OpenCheck | undefined
  readonly counts: CheckCounts = { checked: 0, wrong: 0, repaired: 0 }
  /** What its watcher said last. */
  watch: WatchState | undefined
  /** Up to where the journal of a volume was known when its watcher was commanded last. */
  commanded: JournalPosition | null = null
  /** Instance of the watcher that said it; empty: none is there. */
  watcher = ''
  /** How often events were lost. */
  losses = 0
  /** Who has told of every change up to now. */
  followed: Following['followed'] = null
  /** What a watcher has said of a volume as this source and term is not complete. */
  private incomplete: { readonly source: string; readonly term: number } | undefined
  /** Milliseconds since 1970 before which nothing is missing, where it is earlier than what the store knows. */
  wholeUntilMs: number | undefined
  report: WatchReport | undefined
  /** Since when (performance.now) the index has not been up to date. */
  private behindSince: number | undefined
  private readonly replaced = new Set<string>()

  constructor(
    readonly spec: RootSpec,
    public life: RootLife,
  ) {}

  get freshState(): FreshState {
    return freshStateOf(this.life)
  }

  /** A tree all of whose changes are in the index. */
  get isLiveTree(): boolean {
    return this.spec.kind === 'tree' && this.freshState === 'live'
  }

  /** It is not as it is to become. */
  get isBehind(): boolean {
    return this.freshState === 'catching-up' || this.freshState === 'repairing'
  }

  /** Another source follows the root from now on: what the one before has sent and was not taken is out of date. */
  follow(followed: NonNullable<Following['followed']>): void {
    const former = this.watch?.source
    if (former !== undefined && former !== followed.source) this.replaced.add(former)
    this.replaced.delete(followed.source)
    this.followed = followed
  }

  /** True for a source that another one has replaced: it could say of a name what is not so any more. */
  isReplaced(source: string): boolean {
    return this.replaced.has(source)
  }

  /** Changes were lost on their way from the watcher that follows it now. */
  loseChanges(): void {
    this.incomplete = this.watch
  }

  /** What is in the index now does not depend on what was lost. */
  forgiveLoss(): void {
    this.incomplete = undefined
  }

  /** Whether some of what it has told was lost. */
  isIncomplete({ source, term }: { readonly source: string; readonly term: number }): boolean {
    return this.incomplete?.source === source && this.incomplete.term === term
  }

  /** @param sinceMs milliseconds since 1970 from which on changes are missing; default: now */
  noteLag(sinceMs = Date.now()): void {
    const { life } = this
    // Of a root that nobody is to follow nobody knows how far it is behind.
    const isKnown = !life.writable || (life.hasIndex && life.followed)
    if (this.freshState === 'live' || !isKnown) this.behindSince = undefined
    else
      this.behindSince = Math.min(
        this.behindSince ?? Number.POSITIVE_INFINITY,
        performance.now() - (Date.now() - sinceMs),
      )
  }

  /** As of now. Cost: nothing is looked up. */
  fresh(): Fresh {
    const { report, life } = this
    const isRead = life.work !== 'idle' || life.wanted !== undefined || (this.isBehind && life.watch !== 'absent')
    const directories = isRead ? [new Uint8Array(Buffer.from(this.spec.path))] : (report?.directories ?? [])
    const oldest = report === undefined ? Number.NaN : report.oldest
    return {
      state: this.freshState,
      lagMs: Math.max(
        0,
        this.behindSince === undefined ? 0 : performance.now() - this.behindSince,
        Number.isNaN(oldest) ? 0 : (monotonicMicros() - oldest) / 1_000,
      ),
      dirty: directories.length,
      dirtySubtrees: directories,
    }
  }

  get mechanism(): WatchMechanism {
    return this.watch?.state === 'armed' && this.watcher !== '' ? this.watch.mechanism : 'none'
  }

  /** For people: why it is not live; empty if it is. */
  get reason(): string {
    const { life, freshState } = this
    if (freshState === 'live') return ''
    if (life.work === 'scan') return 'being scanned'
    if (life.wanted !== undefined) return 'waits for the scanner'
    if (!life.followed && this.spec.kind !== 'list') return 'changes are not followed'
    if (life.work === 'directories') return 'its directories are compared with the disk'
    if (life.work === 'full') return 'its files are compared with the disk'
    if (this.watcher === '') return 'waits for the journal watcher'
    return this.watch?.reason || 'waits to be compared with the disk'
  }
}

/** The life of a root that was just made known. @param wanted why it must be scanned; undefined if it need not */
export function newLife(
  kind: RootSpec['kind'],
  options: {
    readonly followed: boolean
    readonly auto: boolean
    readonly hasIndex: boolean
    readonly trust: RootLife['trust']
    readonly scanner: boolean
    readonly patient: boolean
    readonly wanted: ScanReason | undefined
  },
): RootLife {
  return {
    ...options,
    kind,
    watch: 'absent',
    work: 'idle',
    scanReason: undefined,
    gapless: false,
    caughtUp: false,
    resting: false,
    writable: true,
    cause: options.wanted === 'damaged' ? 'damage' : 'downtime',
  }
}

const ORDER: readonly FreshState[] = ['live', 'unwatched', 'catching-up', 'repairing']

/** The freshness of several roots together: the worst of them. */
export function worstFresh(parts: readonly Fresh[]): Fresh {
  let worst: FreshState = 'live'
  let lagMs = 0
  let dirty = 0
  const dirtySubtrees: Uint8Array[] = []
  for (const part of parts) {
    if (ORDER.indexOf(part.state) > ORDER.indexOf(worst)) worst = part.state
    lagMs = Math.max(lagMs, part.lagMs)
    dirty += part.dirty
    dirtySubtrees.push(...part.dirtySubtrees.slice(0, MAX_DIRTY_SUBTREES - dirtySubtrees.length))
  }
  return { state: worst, lagMs, dirty, dirtySubtrees }
}
