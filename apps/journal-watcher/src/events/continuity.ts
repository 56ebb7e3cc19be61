import type { EventPump, EventSlot } from '@hotpath/platform'
import { DurablePoints } from './durable-points.js'
import { type Follower, Succession } from './succession.js'

/** A tree whose events are in the journal. */
export interface ResumableTree {
  /** Every file system of it was marked before, so that its events were collected all the time. */
  readonly wasMarked: boolean
  nextGeneration(): number
  isDone(generation: number): boolean
  /** Takes events that a former watcher has read, in case it did not look at what they are about. */
  resume(slots: Iterable<EventSlot>): void
}

export interface ContinuityOptions {
  readonly pump: EventPump
  /** Journal and group are those of a former watcher. */
  readonly isInherited: boolean
  /** Of the last batch of a source. Undefined: whatever was given away is durable. */
  lastSequence: ((source: string) => number) | undefined
}

/** Whom a watcher of a root continues, and whom that one did, if the store may not have heard of it. */
export interface Continued {
  readonly follower: Follower
  readonly before: Follower | undefined
}

interface Live {
  readonly source: string
  readonly tree: ResumableTree
  readonly points: DurablePoints
}

/** Goes on where a former watcher ended, and keeps what the next one needs for that. */
export class Continuity {
  readonly #options: ContinuityOptions
  readonly #succession: Succession
  readonly #live = new Map<string, Live>()

  constructor(options: ContinuityOptions) {
    this.#options = options
    this.#succession = new Succession(options.pump.journal, options.isInherited)
  }

  /** Position from which on the journal is needed; infinite: not at all. */
  get keepFrom(): number {
    return this.#succession.keepFrom
  }

  /**
   * A root is followed by a tree from now on. Returns whom it continues: its events were given to the tree then.
   *
   * @param identity what must be the same for that
   */
  begin(root: string, follower: Follower, identity: string, tree: ResumableTree): Continued | undefined {
    const { pump } = this.#options
    const former = this.#succession.take(root, identity)
    const continued = tree.wasMarked ? former : undefined
    const from = continued?.from ?? pump.taken
    const isHeard = this.#options.lastSequence === undefined
    this.#succession.follow(root, follower, identity, from, isHeard ? undefined : continued?.follower)
    this.#live.set(root, { source: follower.source, tree, points: new DurablePoints(from) })
    if (continued === undefined) return undefined
    tree.resume(pump.takenSince(from))
    // What came while nobody was there may say that events were lost.
    pump.drain()
    return continued
  }

  /** Events of a root were lost, or it is not followed any more. */
  forget(root: string): void {
    this.#live.delete(root)
    this.#succession.forget(root)
  }

  /** Call it before what is dirty is looked at. */
  mark(): void {
    const { taken } = this.#options.pump
    for (const { tree, points } of this.#live.values()) points.mark(taken, () => tree.nextGeneration())
  }

  /** Call it when everything that was looked at was given away. */
  settle(): void {
    for (const { source, tree, points } of this.#live.values())
      points.settle(generation => tree.isDone(generation), this.#options.lastSequence?.(source) ?? 0)
    this.#release()
  }

  /** The store has heard of a source, and has its batches up to `sequence` durable. */
  durable(root: string, source: string, sequence: number): void {
    const live = this.#live.get(root)
    if (live?.source !== source) return
    live.points.durable(sequence)
    this.#succession.confirm(root)
    this.#release()
  }

  /** There is no room for what is not durable. */
  giveUp(): void {
    this.#succession.giveUp(this.#options.pump.taken)
  }

  #release(): void {
    for (const [root, { points }] of this.#live) this.#succession.reach(root, points.reached)
    this.#options.pump.release()
  }
}
