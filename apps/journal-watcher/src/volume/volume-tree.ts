import type { ChangeColumns, JournalPosition, NodeRef } from '@hotpath/model'
import {
  type ChangedNode,
  ChangedNodes,
  continuationOf,
  type JournalPart,
  type JournalSource,
  mayRenameOrphaned,
  Reason,
  type RescanReason,
  UsnReader,
} from '@hotpath/ntfs'
import { monotonicMicros } from '@hotpath/platform'
import { type ExclusionRules, isJournalChange } from '@hotpath/scanner'
import type { FollowerStats } from '../observation/observation-batch.js'
import type { FollowedRoot } from '../tree/watched-tree.js'
import type { Waiting } from '../watch-reports.js'
import { DurablePosition } from './durable-position.js'
import type { JournalPace } from './journal-pace.js'
import { VolumeBatch } from './volume-batch.js'
import { volumeFailureOf } from './volume-failure.js'
import type { VolumeImage } from './volume-image.js'
import { VolumeListings } from './volume-listings.js'
import { VolumeObserver } from './volume-observer.js'

/** Nodes that are folded before they are looked at: 10 MB. */
const MAX_NODES = 32_768
/** Nodes that are looked at in one go: some 20 ms. */
const NODES_PER_LOOK = 512
/** Parts of a journal (256 KiB of `$J`, replies of 64 KiB) that are read in one go: a backlog is taken in steps, between which others have their turn. A guess. */
const PARTS_PER_LOOK = 64

/** What a volume that is followed tells the one who watches it. */
export interface VolumeListener {
  emit(changes: ChangeColumns): void
  hasRoom(): boolean
  /** Work has come. */
  woken(): void
  /** Changes were lost: the volume must be set up anew and scanned. */
  lost(reason: string): void
  /** Of the last batch that was emitted; 0: none was. */
  lastSequence(): number
  /** All from a position (where following began) up to here is durable. */
  reached(from: number, position: JournalPosition): void
}

export interface VolumeTreeOptions {
  readonly image: VolumeImage
  readonly journal: JournalSource
  /** Where to begin. */
  readonly from: JournalPosition
  readonly rules: ExclusionRules
  readonly pace: JournalPace
  /** Tell alternate streams, too. */
  readonly streams?: boolean | undefined
}

/** Nodes that records of the journal have named, and how far they are looked at. */
interface Fold {
  readonly nodes: readonly ChangedNode[]
  next: number
  /** Told last: what was in a directory has moved out by then. */
  readonly gone: ChangedNode[]
  readonly observer: VolumeObserver
  /** Position behind the records. */
  readonly end: number
  /** Generations up to this one are done with it. */
  readonly through: number
}

/** What to say of a journal that cannot be continued. */
export const RESCAN_TEXTS: Readonly<Record<RescanReason, string>> = {
  first: 'nothing is known of its change journal',
  inactive: 'it has no change journal',
  deleted: 'its change journal was deleted',
  recreated: 'its change journal was begun anew',
  restamped: 'its change journal was given another id',
  truncated: 'its change journal ends before what was read',
  wrapped: 'its change journal has given back what was not read yet',
  damaged: 'its change journal is damaged',
}

const RENAMED_TEXT = 'a name of its root is like that of what has lost its directory'

/**
 * Follows a volume by its change journal, which is read again and again. Records are hints: the nodes that they name are looked at in the
 * master file table as it is now.
 */
export class VolumeTree implements FollowedRoot {
  readonly mechanism = 'journal'
  readonly watchCount = 0
  readonly isArmed = true
  readonly waitsForEvents = false
  readonly holdsBack = false
  readonly from: JournalPosition
  readonly #options: VolumeTreeOptions
  readonly #listener: VolumeListener
  readonly #batch: VolumeBatch
  readonly #listings: VolumeListings
  readonly #durable: DurablePosition
  readonly #rows = UsnReader.rows()
  /** Position up to which records were read. */
  #cursor: number
  #fold: Fold | undefined
  /** Of the oldest record that was read and not told; infinity: none. */
  #since = Number.POSITIVE_INFINITY
  /** Told when the batch is sent. */
  #told: { readonly end: number; readonly through: number } | undefined
  #isDue = true
  /** The journal is to be read although the file looks as before. */
  #isForced = false
  #generation = 0
  /** Generations up to this one are told, but for listings. */
  #done = -1
  #pauseMs: number
  #timer: NodeJS.Timeout | undefined
  #isLost = false

  constructor(options: VolumeTreeOptions, listener: VolumeListener) {
    const { from, pace } = options
    this.from = from
    this.#options = options
    this.#listener = listener
    this.#cursor = from.next
    this.#pauseMs = pace.leastMs
    this.#batch = new VolumeBatch(changes => listener.emit(changes))
    this.#listings = new VolumeListings(this.#batch)
    this.#durable = new DurablePosition(from, position => listener.reached(from.next, position))
  }

  get stats(): FollowerStats {
    return this.#batch.stats
  }

  get hasWork(): boolean {
    return !this.#isLost && (this.#isDue || this.#fold !== undefined || !this.#listings.isEmpty)
  }

  isThere(): boolean {
    return true
  }

  /** Whether all that the journal has from a position on is told. */
  tellsFrom({ id, next }: JournalPosition): boolean {
    return !this.#isLost && id === this.from.id && this.from.next <= next
  }

  /** The store has batches up to this one durable. */
  durable(sequence: number): void {
    this.#durable.durable(sequence)
  }

  observe(): boolean {
    if (this.#isLost || !this.#listener.hasRoom()) return false
    return this.#attempt(() => {
      if (this.#fold !== undefined) return this.#lookAtNodes(this.#fold)
      // The end of what was looked at is told before more is read.
      return this.#isDue && this.#told === undefined && this.#readJournal()
    })
  }

  listPending(untilMs: number): void {
    if (this.#isLost || this.#listings.isEmpty) return
    this.#attempt(() => {
      const observer = this.#fold?.observer ?? this.#openVolume()
      const refusal = this.#listings.work(observer, untilMs, () => this.#listener.hasRoom())
      if (refusal !== undefined) this.#lose(refusal)
      return true
    })
    if (this.#fold === undefined) this.#options.image.close()
  }

  flush(): void {
    if (this.#isLost) return
    this.#batch.send()
    const told = this.#told
    if (told === undefined) return
    this.#told = undefined
    this.#done = Math.max(this.#done, told.through)
    this.#durable.emitted(told.end, this.#listener.lastSequence())
  }

  waiting(): Waiting {
    const { fold, listed } = { fold: this.#fold, listed: this.#listings.count }
    const nodes = fold === undefined ? 0 : fold.nodes.length - fold.next
    return { oldest: Math.min(this.#since, this.#listings.oldest), count: nodes + listed, directories: [] }
  }

  nextGeneration(): number {
    this.#isDue = true
    this.#isForced = true
    return this.#generation++
  }

  isDone(generation: number): boolean {
    return this.#done >= generation && this.#listings.isDone(generation)
  }

  requestListing(_path: Uint8Array, ref: NodeRef, since: number, deep: boolean): boolean {
    // What stands for directories that are gone has what was told of it; no index names them.
    if (ref.high !== 0) {
      if (!this.#isLost) this.#batch.listedAsTold(ref, monotonicMicros())
      return true
    }
    this.#listings.add(ref, since, deep, this.#generation)
    return true
  }

  close(): void {
    this.#isLost = true
    clearTimeout(this.#timer)
    this.#durable.close()
    this.#fold = undefined
    this.#options.image.close()
  }

  // ---- Work

  /** Reads what the journal has had since; true if there was something. */
  #readJournal(): boolean {
    const { image, journal, from } = this.#options
    const isForced = this.#isForced
    const through = this.#generation - 1
    this.#isDue = false
    this.#isForced = false
    // Asked in any case, so that the next look compares with now.
    const mayHaveChanged = image.mayHaveChanged()
    if (!mayHaveChanged && !isForced) return this.#pause(false)
    const since = monotonicMicros()
    const next = continuationOf({ id: from.id, nextUsn: this.#cursor }, journal.look())
    if (next.kind === 'rescan') return this.#lose(RESCAN_TEXTS[next.reason])
    const changed = new ChangedNodes()
    const start = this.#cursor
    let isEnd = false
    for (let parts = 0; !isEnd && parts < PARTS_PER_LOOK && changed.count < MAX_NODES; parts++) {
      const part = this.#nextPart()
      if (typeof part === 'string') return this.#lose(part)
      if (part.damage !== undefined) return this.#lose(RESCAN_TEXTS.damaged)
      if (mayRenameOrphaned(this.#rows)) return this.#lose(RENAMED_TEXT)
      changed.take(this.#rows)
      this.#cursor = part.next
      isEnd = part.isEnd
    }
    const done = isEnd ? through : this.#done
    const hasNews = this.#cursor !== start
    if (!isEnd) {
      this.#isDue = true
      this.#isForced = true
    } else this.#pause(hasNews)
    if (changed.count === 0) {
      image.close()
      this.#told = { end: this.#cursor, through: done }
      return hasNews
    }
    this.#since = since
    const observer = this.#openVolume()
    this.#fold = { nodes: [...changed.nodes()], next: 0, gone: [], observer, end: this.#cursor, through: done }
    return true
  }

  /** Records from here on. Where a driver tells them, the journal may be another one than a moment ago: what has happened to it then. */
  #nextPart(): JournalPart | string {
    const { journal, from } = this.#options
    try {
      return journal.read(this.#cursor, this.#rows)
    } catch (error) {
      if (!isJournalChange(error)) throw error
      const next = continuationOf({ id: from.id, nextUsn: this.#cursor }, journal.look())
      // It is as it was: the call has failed for a reason of its own.
      if (next.kind === 'replay') throw error
      return RESCAN_TEXTS[next.reason]
    }
  }

  #openVolume(): VolumeObserver {
    const { image, rules, streams = false } = this.#options
    return new VolumeObserver(image, rules, this.#batch, streams)
  }

  #lookAtNodes(fold: Fold): boolean {
    const until = Math.min(fold.nodes.length, fold.next + NODES_PER_LOOK)
    while (fold.next < until) {
      const node = fold.nodes[fold.next++]!
      const { record, sequence } = node
      const found = fold.observer.node(record, sequence)
      if (found === 'gone') fold.gone.push(node)
      // What is in it came with it, or later: listed now, the store need not ask for it.
      else if (found === 'directory' && (node.reasons & Reason.fileCreate) !== 0)
        this.#listings.add({ low: record, high: 0, birth: sequence }, monotonicMicros(), false, this.#generation)
      if (this.#batch.isFull) this.#batch.send()
    }
    if (fold.next < fold.nodes.length) return true
    for (const { record, sequence } of fold.gone) {
      this.#batch.gone({ low: record, high: 0, birth: sequence }, monotonicMicros())
      if (this.#batch.isFull) this.#batch.send()
    }
    this.#told = { end: fold.end, through: fold.through }
    this.#fold = undefined
    this.#since = Number.POSITIVE_INFINITY
    this.#options.image.close()
    return true
  }

  /** Looks again later: soon if there was something. */
  #pause(hasNews: boolean): false {
    const { leastMs, mostMs } = this.#options.pace
    this.#pauseMs = hasNews ? leastMs : Math.min(mostMs, 2 * this.#pauseMs)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#isDue = true
      this.#listener.woken()
    }, this.#pauseMs)
    return false
  }

  #attempt(work: () => boolean): boolean {
    try {
      return work()
    } catch (error) {
      const failure = volumeFailureOf(error)
      if (failure === undefined) throw error
      return this.#lose(failure)
    }
  }

  #lose(reason: string): false {
    this.#isLost = true
    this.#batch.clear()
    this.#fold = undefined
    this.#options.image.close()
    this.#listener.lost(reason)
    return false
  }
}
