import type { RootKind } from '@hotpath/model'
import type { CheckMode, FreshInstance, FreshState } from '@hotpath/protocol'

/** How the changes of a root reach the index. `arming`: a watcher is there and has not said yet. `polled`: late. */
export type Watch = 'absent' | 'arming' | 'armed' | 'polled' | 'lost' | 'unwatched'

/** What is known to be right: nothing, which names there are, or everything. */
export type Trust = 'none' | 'names' | 'full'

/** Why a root has to be scanned. */
export type ScanReason = 'first' | 'catch-up' | 'list-changed' | 'asked' | 'damaged' | 'retry'

/** What is known of a root, as far as it decides what is to be done about it. Values only: `step` makes the next one. */
export interface RootLife {
  readonly kind: RootKind
  /** Its changes are to be followed. */
  readonly followed: boolean
  /** It is read by itself where that is needed; else only when somebody asks for it. */
  readonly auto: boolean
  readonly hasIndex: boolean
  readonly watch: Watch
  readonly trust: Trust
  /** What is being done. */
  readonly work: 'idle' | 'scan' | CheckMode
  /** The scan that must begin. */
  readonly wanted: ScanReason | undefined
  /** Why the scan that runs began. */
  readonly scanReason: ScanReason | undefined
  /** No event was lost since the scan that runs began to read. */
  readonly gapless: boolean
  /** As right as it gets without being followed: a scan has ended, or everything was checked, and nothing was lost since. */
  readonly caughtUp: boolean
  /** A scanner is there. */
  readonly scanner: boolean
  /** The watcher is waited for: scans that must begin begin with it, and a root that it left is not given up. */
  readonly patient: boolean
  /** What failed is tried again, but not yet. */
  readonly resting: boolean
  /** The index can be written. */
  readonly writable: boolean
  /** Why it is not trusted. */
  readonly cause: FreshInstance['reason']
}

export type LifeEvent =
  | { readonly type: 'watcherCame' }
  | { readonly type: 'watcherGone' }
  /** The watcher was waited for long enough. */
  | { readonly type: 'patienceOver' }
  /** `continuous`: every change since the index was last followed is told. `cause`: why not. */
  | {
      readonly type: 'armed'
      readonly continuous: boolean
      readonly polled: boolean
      readonly cause: 'loss' | 'downtime'
    }
  /** The watcher has lost events, and will be armed again or say that it cannot. */
  | { readonly type: 'lost' }
  | { readonly type: 'unwatched' }
  /** Changes were lost on their way from the watcher. */
  | { readonly type: 'gap' }
  /** `hasIndex`: the index that is there is whole. */
  | { readonly type: 'scanWanted'; readonly reason: ScanReason; readonly hasIndex: boolean }
  | { readonly type: 'scanners'; readonly there: boolean }
  /** The scan that was commanded begins to read now. */
  | { readonly type: 'scanBegan' }
  | { readonly type: 'scanEnded'; readonly complete: boolean }
  /** `different`: so much that a scan costs less. */
  | { readonly type: 'checkEnded'; readonly result: 'complete' | 'failed' | 'different' }
  | { readonly type: 'rested' }
  | { readonly type: 'storageFailed' }

export type LifeAction =
  | { readonly do: 'scan'; readonly reason: ScanReason }
  | { readonly do: 'cancelScan' }
  | { readonly do: 'check'; readonly mode: CheckMode }
  | { readonly do: 'cancelCheck' }
  /** Have the watcher follow the volume from where the index knows its journal: comes back as `armed`. */
  | { readonly do: 'followAgain' }
  /** Comes back as `rested`. */
  | { readonly do: 'rest' }
  /** Whoever derives something from changes has missed some. */
  | { readonly do: 'tellGap'; readonly reason: FreshInstance['reason'] }

export interface Step {
  readonly life: RootLife
  /** In this order. */
  readonly actions: readonly LifeAction[]
}

/** What becomes of a root when something happens, and what is to be done then. */
export function step(life: RootLife, event: LifeEvent): Step {
  const actions: LifeAction[] = []
  return { life: withWork(after(life, event, actions), actions), actions }
}

function after(life: RootLife, event: LifeEvent, actions: LifeAction[]): RootLife {
  switch (event.type) {
    case 'watcherCame':
      return life.followed && life.watch === 'absent' ? { ...life, watch: 'arming' } : life
    case 'watcherGone':
      // What it told is right: another one may go on where it ended.
      return life.followed ? { ...withoutCheck(life, actions), watch: 'absent', patient: true } : life
    case 'patienceOver':
      return isAlone(life) ? wantCatchUp({ ...life, patient: false }) : { ...life, patient: false }
    case 'armed':
      return life.followed ? armed(life, event, actions) : life
    case 'lost':
      return life.followed && life.watch !== 'lost' ? { ...distrusted(life, 'loss', actions), watch: 'lost' } : life
    case 'unwatched':
      if (!life.followed) return life
      return wantCatchUp({ ...withoutCheck(life, actions), watch: 'unwatched', trust: 'none', gapless: false })
    case 'gap':
      return life.followed ? distrusted(life, 'loss', actions) : life
    case 'scanWanted':
      return scanWanted(life, event.reason, event.hasIndex, actions)
    case 'scanners':
      return { ...life, scanner: event.there }
    case 'scanBegan':
      return life.work === 'scan' ? { ...life, gapless: isFollowedNow(life) } : life
    case 'scanEnded':
      return life.work === 'scan' ? scanEnded(life, event.complete, actions) : life
    case 'checkEnded':
      return isChecking(life) ? checkEnded(life, event.result, actions) : life
    case 'rested':
      return { ...life, resting: false }
    case 'storageFailed': {
      const stopped = withoutScan(withoutCheck(life, actions), actions)
      return { ...stopped, wanted: life.wanted ?? life.scanReason, writable: false }
    }
  }
}

function armed(life: RootLife, event: LifeEvent & { type: 'armed' }, actions: LifeAction[]): RootLife {
  const watch = event.polled ? 'polled' : 'armed'
  // What a journal has is all that can be missing.
  if (event.continuous) return { ...life, watch, ...(life.kind === 'volume' && life.hasIndex && { trust: 'full' }) }
  // A loss was told when it happened.
  if (life.watch === 'lost') return { ...life, watch }
  return { ...distrusted(life, event.cause, actions), watch }
}

/** Something is not known: all is to be checked again. */
function distrusted(life: RootLife, cause: 'loss' | 'downtime', actions: LifeAction[]): RootLife {
  const stopped = withoutCheck(life, actions)
  if (!life.hasIndex) return { ...stopped, trust: 'none', gapless: false }
  actions.push({ do: 'tellGap', reason: cause })
  return {
    ...stopped,
    trust: 'none',
    gapless: false,
    caughtUp: false,
    cause: life.cause === 'damage' ? life.cause : cause,
  }
}

function scanWanted(life: RootLife, reason: ScanReason, hasIndex: boolean, actions: LifeAction[]): RootLife {
  // The store asks for it while it is under way.
  if (reason === 'damaged' && life.work === 'scan') return life
  if (reason === 'damaged') actions.push({ do: 'tellGap', reason: 'damage' })
  // What is being read now may be too old already: begin again.
  const stopped = withoutScan(withoutCheck(life, actions), actions)
  return { ...stopped, wanted: reason, hasIndex, cause: reason === 'damaged' ? 'damage' : life.cause }
}

function scanEnded(life: RootLife, complete: boolean, actions: LifeAction[]): RootLife {
  const ended: RootLife = { ...life, work: 'idle', scanReason: undefined }
  if (!complete) return rested({ ...ended, wanted: 'retry' }, actions)
  const trust = life.gapless ? 'full' : 'none'
  const read: RootLife = { ...ended, trust, hasIndex: true, caughtUp: true, cause: 'downtime' }
  if (life.gapless || life.kind !== 'volume' || !isFollowedNow(life)) return read
  // What happened since the scan began stands in the journal.
  actions.push({ do: 'followAgain' })
  return { ...read, watch: 'arming' }
}

function checkEnded(
  life: RootLife,
  result: (LifeEvent & { type: 'checkEnded' })['result'],
  actions: LifeAction[],
): RootLife {
  const ended: RootLife = { ...life, work: 'idle' }
  if (result === 'failed') return rested(ended, actions)
  if (result === 'different') return { ...ended, wanted: 'catch-up' }
  if (life.work === 'directories') return { ...ended, trust: 'names' }
  return { ...ended, trust: 'full', caughtUp: true, cause: 'downtime' }
}

function rested(life: RootLife, actions: LifeAction[]): RootLife {
  actions.push({ do: 'rest' })
  return { ...life, resting: true }
}

function withoutCheck(life: RootLife, actions: LifeAction[]): RootLife {
  if (!isChecking(life)) return life
  actions.push({ do: 'cancelCheck' })
  return { ...life, work: 'idle' }
}

function withoutScan(life: RootLife, actions: LifeAction[]): RootLife {
  if (life.work !== 'scan') return life
  actions.push({ do: 'cancelScan' })
  return { ...life, work: 'idle', scanReason: undefined }
}

/** Nobody will tell what changed: only a scan finds it. */
function wantCatchUp(life: RootLife): RootLife {
  if (!life.auto || !life.hasIndex || life.caughtUp || life.work === 'scan') return life
  return { ...life, wanted: life.wanted ?? 'catch-up' }
}

/** Begins what is due. */
function withWork(life: RootLife, actions: LifeAction[]): RootLife {
  if (life.work !== 'idle' || !life.scanner || life.resting || !life.writable) return life
  const wanted = life.wanted ?? dueScan(life)
  if (wanted !== undefined) {
    if (isAlone(life) && life.patient) return life
    actions.push({ do: 'scan', reason: wanted })
    return { ...life, work: 'scan', scanReason: wanted, wanted: undefined, gapless: false }
  }
  const mode = dueCheck(life)
  if (mode === undefined) return life
  actions.push({ do: 'check', mode })
  return { ...life, work: mode }
}

/** A volume is read as a whole sooner than its directories are compared. */
function dueScan(life: RootLife): ScanReason | undefined {
  const isDue = life.kind === 'volume' && life.auto && life.hasIndex && isFollowedNow(life) && life.trust === 'none'
  return isDue ? 'catch-up' : undefined
}

function dueCheck(life: RootLife): CheckMode | undefined {
  if (life.kind === 'volume' || !life.auto || !life.hasIndex || !isFollowedNow(life)) return undefined
  if (life.trust === 'none') return 'directories'
  return life.trust === 'names' ? 'full' : undefined
}

function isChecking({ work }: RootLife): boolean {
  return work === 'directories' || work === 'full'
}

function isFollowedNow({ watch }: RootLife): boolean {
  return watch === 'armed' || watch === 'polled'
}

/** It should be followed, and no watcher has said anything of it. */
function isAlone({ followed, watch }: RootLife): boolean {
  return followed && (watch === 'absent' || watch === 'arming')
}

/**
 * Every change that is older than a barrier which its watcher has answered is in the index, or on its way in order. Not
 * so while what happened without a watcher is looked for, nor before the end of the first scan.
 */
export function isCovered({ kind, hasIndex, watch, trust }: RootLife): boolean {
  return kind !== 'list' && hasIndex && watch === 'armed' && trust === 'full'
}

export function freshStateOf(life: RootLife): FreshState {
  const state = readableStateOf(life)
  return state === 'live' && !life.writable ? 'catching-up' : state
}

function readableStateOf(life: RootLife): FreshState {
  const behind = life.cause === 'downtime' ? 'catching-up' : 'repairing'
  if (!life.hasIndex || life.work === 'scan' || life.wanted !== undefined) {
    // A volume is scanned where a tree is checked.
    if (life.kind === 'volume' && life.hasIndex) return behind
    return life.cause === 'damage' ? 'repairing' : 'catching-up'
  }
  if (life.kind === 'list') return 'live'
  if (!life.followed) return 'unwatched'
  switch (life.watch) {
    case 'absent':
    case 'arming':
      return life.patient ? 'catching-up' : 'unwatched'
    case 'unwatched':
      return 'unwatched'
    case 'lost':
      return 'repairing'
    case 'polled':
      return life.trust === 'full' ? 'unwatched' : behind
    case 'armed':
      return life.trust === 'full' ? 'live' : behind
  }
}
