/** How far a volume's journal has been followed: what is kept for each volume. */
export interface JournalState {
  /** Of the journal: positions of another one say nothing. */
  readonly id: string
  /** Position from which on nothing was applied. */
  readonly nextUsn: number
}

/** What a journal is now. */
export interface JournalNow {
  readonly id: string
  /** First position that is still stored. */
  readonly firstUsn: number
  /** First position that this journal wrote. */
  readonly lowestValidUsn: number
  /** Behind the last that it has, or can have: NextUsn, the end of the records, or bytes of `$J`. */
  readonly size: number
}

/**
 * Why a volume has to be read again as a whole.
 *
 * | reason | what has happened |
 * | --- | --- |
 * | `first` | it was never read |
 * | `inactive` | nothing is written to a journal: there is none, or it is being deleted |
 * | `deleted` | the journal that was followed is gone |
 * | `recreated` | it was deleted and another one begun, at position 0 |
 * | `restamped` | it was given another id; positions go on, changes before may be missing |
 * | `truncated` | it ends before what was already read: an older copy of the volume, or another one |
 * | `wrapped` | its front, in which what comes next was, was given back |
 * | `damaged` | it holds something that is no record |
 */
export type RescanReason =
  | 'first'
  | 'inactive'
  | 'deleted'
  | 'recreated'
  | 'restamped'
  | 'truncated'
  | 'wrapped'
  | 'damaged'

export type Continuation =
  | { readonly kind: 'replay'; readonly from: number }
  | { readonly kind: 'rescan'; readonly reason: RescanReason }

/** Whether what was kept can be continued. The id comes first: a position alone may look right in another journal. */
export function continuationOf(kept: JournalState | undefined, now: JournalNow | 'absent' | 'inactive'): Continuation {
  if (now === 'inactive') return rescan('inactive')
  if (now === 'absent') return rescan(kept === undefined ? 'inactive' : 'deleted')
  if (kept === undefined) return rescan('first')
  if (kept.id !== now.id) {
    const goesOn = now.lowestValidUsn > 0 && now.size >= kept.nextUsn
    return rescan(goesOn ? 'restamped' : 'recreated')
  }
  if (kept.nextUsn > now.size) return rescan('truncated')
  if (kept.nextUsn < now.lowestValidUsn) return rescan('restamped')
  if (kept.nextUsn < now.firstUsn) return rescan('wrapped')
  return { kind: 'replay', from: kept.nextUsn }
}

function rescan(reason: RescanReason): Continuation {
  return { kind: 'rescan', reason }
}

/**
 * Follows one volume: what is kept, and in which order. A snapshot takes the position of the journal first, then the master
 * file table, then what the journal has from that position on, some of which the table already showed. Only what `position`
 * says is to be kept; it never goes on over a loss.
 */
export class JournalCursor {
  #position: JournalState | undefined
  #snapshot: { readonly at: JournalState | undefined } | undefined
  #lost: RescanReason | undefined

  /** @param kept as the last run has left it; undefined: nothing */
  constructor(kept: JournalState | undefined) {
    this.#position = kept
  }

  /** What to keep; undefined: nothing that could be continued. */
  get position(): JournalState | undefined {
    return this.#position
  }

  /** What to do now. While a snapshot is made, nothing is to be replayed: throws RangeError. */
  next(now: JournalNow | 'absent' | 'inactive'): Continuation {
    if (this.#snapshot !== undefined) throw new RangeError('a snapshot is being made')
    const found = this.#lost === undefined ? continuationOf(this.#position, now) : rescan(this.#lost)
    // What cannot be continued now must not look as if it could later.
    if (found.kind === 'rescan') this.#lose(found.reason)
    return found
  }

  /** All rows before `nextUsn` were applied. */
  applied(nextUsn: number): void {
    const { id } = this.#followed()
    this.#position = { id, nextUsn }
  }

  /** Something that was read is no record: `next` will ask for a rescan. */
  foundDamage(): void {
    this.#followed()
    this.#lose('damaged')
  }

  /**
   * Before the master file table is read.
   *
   * @param at id of the journal and where its records end now; undefined: there is none, and changes during the snapshot cannot be known
   */
  beginSnapshot(at: JournalState | undefined): void {
    this.#snapshot = { at }
    this.#position = undefined
  }

  /** The whole table was read and applied: `next` says what is to be replayed, or that it was lost meanwhile. */
  endSnapshot(): void {
    if (this.#snapshot === undefined) throw new RangeError('no snapshot was begun')
    this.#position = this.#snapshot.at
    this.#snapshot = undefined
    this.#lost = undefined
  }

  #lose(reason: RescanReason): void {
    this.#lost = reason
    this.#position = undefined
  }

  #followed(): JournalState {
    if (this.#position === undefined) throw new RangeError('no journal is being followed')
    return this.#position
  }
}
