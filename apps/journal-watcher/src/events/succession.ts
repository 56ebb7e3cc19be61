import { createHash } from 'node:crypto'
import type { EventJournal } from '@hotpath/platform'

/** Who followed a root: a source with its term. */
export interface Follower {
  readonly source: string
  readonly term: number
}

/** Some 150 bytes each in a table of 64 KiB, which is written as a whole. With more, none is continued. */
const MAX_ROOTS = 400

interface Entry extends Follower {
  /** What it continued, as long as the store may not have heard of it. */
  readonly before?: Follower
  readonly identity: string
}

interface LiveRoot {
  entry: Entry
  /** Everything of the root before this position is durable. */
  reached: number
  /** Slots before this position were given up: until all that came of them is durable, nobody can continue. */
  gaveUpUntil: number
}

/**
 * Who follows which root, in the table of the event journal, so that the next watcher can go on where this one ends; and which
 * slots of the journal it would need for that. A root is in the table as long as all its events that are not durable are in the
 * journal or in the kernel.
 */
export class Succession {
  /** Of the watcher before this one; those that nobody has asked for yet. */
  readonly #inherited = new Map<string, Entry>()
  readonly #inheritedFrom: number
  readonly #live = new Map<string, LiveRoot>()

  /** @param isInherited whether the queue whose events are in the journal is that of the watcher before */
  constructor(
    private readonly journal: EventJournal,
    isInherited: boolean,
  ) {
    this.#inheritedFrom = journal.tail
    if (isInherited) for (const [root, entry] of entriesOf(journal.readTable())) this.#inherited.set(root, entry)
    else this.#write()
  }

  /** Position from which on the journal is needed; infinite: not at all. */
  get keepFrom(): number {
    let from = this.#inherited.size > 0 ? this.#inheritedFrom : Number.POSITIVE_INFINITY
    for (const { reached, gaveUpUntil } of this.#live.values()) from = Math.min(from, Math.max(reached, gaveUpUntil))
    return from
  }

  /**
   * What the watcher before this one has left of a root: who it was, and the position from which on its events must be looked at
   * again. Undefined if there is nothing, or it is not the same root any more. It can be asked once.
   */
  take(root: string, identity: string): { follower: Follower; before: Follower | undefined; from: number } | undefined {
    const entry = this.#inherited.get(root)
    this.#inherited.delete(root)
    if (entry === undefined) return undefined
    if (entry.identity !== identity) {
      this.#write()
      return undefined
    }
    const { source, term, before } = entry
    return { follower: { source, term }, before, from: this.#inheritedFrom }
  }

  /** A root is followed, and nothing that happens after `position` is lost. `before`: whom the follower continues. */
  follow(root: string, follower: Follower, identity: string, position: number, before?: Follower): void {
    const { source, term } = follower
    this.#inherited.delete(root)
    this.#live.set(root, {
      entry: { source, term, identity, ...(before === undefined ? {} : { before }) },
      reached: position,
      gaveUpUntil: 0,
    })
    this.#write()
  }

  /** Events of a root were lost, or it is not followed any more. */
  forget(root: string): void {
    const wasInherited = this.#inherited.delete(root)
    if (this.#live.delete(root) || wasInherited) this.#write()
  }

  /** The store has heard of the follower of a root. */
  confirm(root: string): void {
    const live = this.#live.get(root)
    if (live?.entry.before === undefined) return
    const { source, term, identity } = live.entry
    live.entry = { source, term, identity }
    this.#write()
  }

  reach(root: string, position: number): void {
    const live = this.#live.get(root)
    if (live === undefined) return
    live.reached = position
    if (live.gaveUpUntil === 0 || position < live.gaveUpUntil) return
    live.gaveUpUntil = 0
    this.#write()
  }

  /** The slots before a position are not kept any longer. */
  giveUp(position: number): void {
    this.#inherited.clear()
    for (const live of this.#live.values()) if (live.reached < position) live.gaveUpUntil = position
    this.#write()
  }

  #write(): void {
    const table: Record<string, Entry> = Object.fromEntries(this.#inherited)
    for (const [root, { entry, gaveUpUntil }] of this.#live) if (gaveUpUntil === 0) table[root] = entry
    const fits = Object.keys(table).length <= MAX_ROOTS && this.journal.writeTable(table)
    if (!fits) this.journal.writeTable({})
  }
}

/** What must be the same for a root to be followed on: a short text for whatever can be written as JSON. */
export function identityOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

/** Entries of a table; what an earlier version may have written otherwise is left out. */
function entriesOf(table: unknown): [string, Entry][] {
  if (typeof table !== 'object' || table === null) return []
  return Object.entries(table).flatMap(([root, value]): [string, Entry][] => {
    const follower = followerOf(value)
    const identity = isObject(value) && typeof value.identity === 'string' ? value.identity : undefined
    if (follower === undefined || identity === undefined) return []
    const before = isObject(value) ? followerOf(value.before) : undefined
    return [[root, { ...follower, identity, ...(before === undefined ? {} : { before }) }]]
  })
}

function followerOf(value: unknown): Follower | undefined {
  if (!isObject(value) || typeof value.source !== 'string' || typeof value.term !== 'number') return undefined
  return { source: value.source, term: value.term }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
