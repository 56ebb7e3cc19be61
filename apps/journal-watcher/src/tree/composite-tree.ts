import type { NodeRef } from '@hotpath/model'
import { MAX_DIRTY_SUBTREES } from '@hotpath/protocol'
import type { FollowerStats } from '../observation/observation-batch.js'
import type { Waiting } from '../watch-reports.js'
import { type MountPart, partAt, type Way } from './mount-parts.js'
import { keyOf } from './paths.js'
import { type OtherParts, TreePart } from './tree-part.js'
import type { TreeRules } from './tree-rules.js'
import type { TreeListener, WatchedTree } from './watched-tree.js'

/** Makes the tree that follows a part. */
export type MakeTree = (way: Way, part: TreePart, listener: TreeListener) => WatchedTree

interface Waited {
  /** Of each tree. */
  readonly generations: readonly number[]
  /** Listings that had gone on in another part then. */
  readonly handedOn: number
}

/** A root whose mounts are followed in several ways, by a tree for each. They share the rules and tell in the name of one root. */
export class CompositeTree implements WatchedTree {
  readonly #parts: readonly MountPart[]
  readonly #trees: WatchedTree[] = []
  readonly #partOfTop: ReadonlyMap<string, MountPart>
  #isArmed = false
  #generation = 0
  readonly #waited = new Map<number, Waited>()
  #handedOn = 0
  /** What is waited for was begun anew: there is work although no tree has any. */
  #mustLook = false

  /**
   * @param parts those of the worst way first
   * @param make whatever it throws is thrown; nothing is left behind then
   */
  constructor(
    readonly rules: TreeRules,
    parts: readonly MountPart[],
    make: MakeTree,
    listener: TreeListener,
  ) {
    this.#parts = parts
    this.#partOfTop = new Map(parts.flatMap(part => part.tops.map(top => [keyOf(top), part])))
    const shared: TreeListener = {
      ...listener,
      // What comes before all of the root is followed is seen by its scan.
      emit: changes => {
        if (this.#isArmed) listener.emit(changes)
      },
      hasRoom: () => !this.#isArmed || listener.hasRoom(),
    }
    try {
      for (const part of parts)
        this.#trees.push(make(part.way, new TreePart(rules, part.tops, this.#others(part)), shared))
    } catch (error) {
      for (const tree of this.#trees) tree.close()
      throw error
    }
  }

  /** That of the worst part. */
  get mechanism(): WatchedTree['mechanism'] {
    return this.#trees[0]!.mechanism
  }

  get isArmed(): boolean {
    return this.#isArmed
  }

  get stats(): FollowerStats {
    const sum = { present: 0, absent: 0, listed: 0, errors: 0 }
    for (const { stats } of this.#trees)
      for (const key of ['present', 'absent', 'listed', 'errors'] as const) sum[key] += stats[key]
    return sum
  }

  get watchCount(): number {
    return this.#trees.reduce((sum, { watchCount }) => sum + watchCount, 0)
  }

  get hasWork(): boolean {
    return this.#mustLook || this.#trees.some(tree => tree.hasWork)
  }

  get waitsForEvents(): boolean {
    return this.#trees.some(tree => tree.waitsForEvents)
  }

  get holdsBack(): boolean {
    return this.#trees.some(tree => tree.holdsBack)
  }

  observe(withHeld: boolean): boolean {
    this.#mustLook = false
    let worked = false
    for (const tree of this.#trees) worked = tree.observe(withHeld) || worked
    return worked
  }

  listPending(untilMs: number): void {
    for (const tree of this.#trees) tree.listPending(untilMs)
  }

  flush(): void {
    for (const tree of this.#trees) tree.flush()
    this.#isArmed ||= this.#trees.every(tree => tree.isArmed)
  }

  waiting(): Waiting {
    const all = this.#trees.map(tree => tree.waiting())
    return {
      oldest: Math.min(...all.map(({ oldest }) => oldest)),
      count: all.reduce((sum, { count }) => sum + count, 0),
      directories: all.flatMap(({ directories }) => directories).slice(0, MAX_DIRTY_SUBTREES),
    }
  }

  nextGeneration(): number {
    this.#waited.set(this.#generation, this.#begin())
    return this.#generation++
  }

  isDone(generation: number): boolean {
    const waited = this.#waited.get(generation)
    if (waited === undefined) return true
    if (!this.#trees.every((tree, i) => tree.isDone(waited.generations[i]!))) return false
    if (waited.handedOn !== this.#handedOn) {
      // A listing that it waited for may have gone on in a later generation of another part.
      this.#waited.set(generation, this.#begin())
      this.#mustLook = true
      return false
    }
    for (const earlier of this.#waited.keys()) if (earlier <= generation) this.#waited.delete(earlier)
    return true
  }

  requestListing(path: Uint8Array, ref: NodeRef, since: number, deep: boolean): boolean {
    if (path.length > 0) return this.#treeAt(path).requestListing(path, ref, since, deep)
    // It may be that of any directory.
    let isKnown = false
    for (const tree of this.#trees) isKnown = tree.requestListing(path, ref, since, deep) || isKnown
    return isKnown
  }

  elsewhere(path: Uint8Array, ref: NodeRef): boolean {
    return this.#treeAt(path).elsewhere(path, ref)
  }

  isThere(): boolean {
    return this.rules.rootIsThere()
  }

  close(): void {
    for (const tree of this.#trees) tree.close()
  }

  #begin(): Waited {
    return { generations: this.#trees.map(tree => tree.nextGeneration()), handedOn: this.#handedOn }
  }

  #others(own: MountPart): OtherParts {
    return {
      beginAt: path => (this.#partOfTop.get(keyOf(path)) ?? own) !== own,
      hold: path => partAt(this.#parts, path) !== own,
      elsewhere: (path, ref) => this.elsewhere(path, ref),
      list: (path, ref, since) => {
        this.#handedOn++
        this.requestListing(path, ref, since, true)
      },
    }
  }

  #treeAt(path: Uint8Array): WatchedTree {
    return this.#trees[this.#parts.indexOf(partAt(this.#parts, path))]!
  }
}
