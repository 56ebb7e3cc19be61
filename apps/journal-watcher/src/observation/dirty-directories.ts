import { monotonicMicros } from '@hotpath/platform'

/** What an event said of a name; bits are joined when several events name it. */
export const Hint = {
  /** Size, times or permissions changed. */
  metadata: 1,
  /** The name came, went, or stands for something else. */
  structure: 2,
  /** A directory came by this name: what is in it may not be known. */
  directoryCame: 4,
} as const
export type Hint = number

/** Stands for the directory itself; no entry can have this name. */
export const SELF = '.'

/** Names that wait, over all directories; beyond, whole directories are listed. 65,536 of 30 bytes are about 8 MB. */
export const MAX_DIRTY_NAMES = 65_536
/** A name whose metadata changes again and again is looked at this often: 20 updates a second at most. */
export const HOLD_MICROS = 50_000

/** No time at all. */
const NOTHING = Number.POSITIVE_INFINITY

export type Names = Map<string, Hint>

/**
 * Which names of which directories must be looked at: a set, so a thousand events of one name are one look. Bounded: a
 * directory with too many names is handed to `onOverfull` instead, to be listed.
 */
export class DirtyDirectories<D> {
  #dirty = new Map<D, Names>()
  readonly #held = new Map<D, Set<string>>()
  /** Names that were looked at for their metadata, in this span of time and the one before. */
  #recent = new Map<D, Set<string>>()
  #recentBefore = new Map<D, Set<string>>()
  #turnedAt = 0
  #names = 0
  /** When the oldest of what waits was marked (µs). */
  #since = NOTHING
  #heldSince = NOTHING

  /**
   * @param onOverfull takes over a directory of which every name may have changed, and what was said of any of them
   * @param maxNames names that wait at most
   */
  constructor(
    private readonly onOverfull: (directory: D, hints: Hint) => void,
    private readonly maxNames = MAX_DIRTY_NAMES,
  ) {}

  get isEmpty(): boolean {
    return this.#dirty.size === 0
  }

  get holdsBack(): boolean {
    return this.#held.size > 0
  }

  get nameCount(): number {
    return this.#names
  }

  /** When the oldest of what waits, or is held back, was marked (monotonic µs); infinity if nothing does. */
  get oldest(): number {
    return Math.min(this.#since, this.#heldSince)
  }

  mark(directory: D, name: string, hint: Hint): void {
    if (hint === Hint.metadata && this.#wasLookedAt(directory, name)) {
      if (this.#held.size === 0) this.#heldSince = monotonicMicros()
      const held = this.#held.get(directory)
      if (held === undefined) this.#held.set(directory, new Set([name]))
      else held.add(name)
    } else {
      if (this.#since === NOTHING) this.#since = monotonicMicros()
      this.#add(directory, name, hint)
    }
  }

  /** All that is dirty now, in the order in which directories became dirty; what is held back only if asked. */
  take(nowMicros: number, withHeld: boolean): Map<D, Names> {
    if (withHeld || nowMicros - this.#turnedAt > HOLD_MICROS) this.#turn(nowMicros)
    const taken = this.#dirty
    this.#dirty = new Map()
    this.#names = 0
    this.#since = NOTHING
    return taken
  }

  /** Gives back what could not be looked at yet, and was marked `since` (µs) or later. */
  putBack(directory: D, names: Names, since: number): void {
    this.#since = Math.min(this.#since, since)
    for (const [name, hint] of names) this.#add(directory, name, hint)
  }

  /** Says that a name was looked at for its metadata alone. */
  noteLookedAt(directory: D, name: string): void {
    const names = this.#recent.get(directory)
    if (names === undefined) this.#recent.set(directory, new Set([name]))
    else names.add(name)
  }

  clear(): void {
    this.#dirty.clear()
    this.#held.clear()
    this.#recent.clear()
    this.#recentBefore.clear()
    this.#names = 0
    this.#since = NOTHING
    this.#heldSince = NOTHING
  }

  #add(directory: D, name: string, hint: Hint): void {
    let names = this.#dirty.get(directory)
    if (names === undefined) {
      names = new Map()
      this.#dirty.set(directory, names)
    }
    const former = names.get(name)
    names.set(name, (former ?? 0) | hint)
    if (former !== undefined) return
    this.#names++
    if (this.#names > this.maxNames) this.#collapse()
  }

  /** Turns the directories with the most names into listings, until half of the room is free. */
  #collapse(): void {
    const largest = [...this.#dirty].sort(([, a], [, b]) => b.size - a.size)
    for (const [directory, names] of largest) {
      if (this.#names <= this.maxNames / 2) return
      this.#names -= names.size
      this.#dirty.delete(directory)
      let hints = 0
      for (const hint of names.values()) hints |= hint
      this.onOverfull(directory, hints)
    }
  }

  #wasLookedAt(directory: D, name: string): boolean {
    return this.#recent.get(directory)?.has(name) === true || this.#recentBefore.get(directory)?.has(name) === true
  }

  #turn(nowMicros: number): void {
    this.#turnedAt = nowMicros
    this.#recentBefore = this.#recent
    this.#recent = new Map()
    const held = [...this.#held]
    this.#held.clear()
    this.#since = Math.min(this.#since, this.#heldSince)
    this.#heldSince = NOTHING
    for (const [directory, names] of held) for (const name of names) this.#add(directory, name, Hint.metadata)
  }
}
