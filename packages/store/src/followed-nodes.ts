import type { EntryRow, NodeRef } from '@hotpath/model'
import type { Observed } from './delta.js'
import { isSameRef } from './entry-row.js'

/**
 * Whoever keeps something about nodes of a volume (their hot records), and wants it to stay with the name when another node
 * takes over the name. Called while changes are applied, also at opening, when the log is replayed: the same takeover can be
 * told again, in the order in which it came.
 */
export interface FollowedNodes {
  /** False if nothing is kept about any node: then nobody looks at names. */
  readonly any: boolean
  has(ref: NodeRef): boolean
  /** Another node has the name now. */
  moved(from: NodeRef, to: NodeRef): void
  /** Every node that something is kept about. */
  refs(): NodeRef[]
}

/** Editors that do not rename over a file delete it and create it anew; within so many microseconds that is one save. */
export const TAKEOVER_US = 15_000_000
/** Names that are remembered; the one that was given up first is forgotten. Only names of followed nodes are. */
const MAX_VACATED = 4096

interface Vacated {
  readonly ref: NodeRef
  readonly isDirectory: boolean
  readonly at: Observed
}

/** Names that followed nodes have left, in one view. */
export class VacatedNames {
  private readonly names = new Map<string, Vacated>()
  /** When what is being applied was observed. */
  now: Observed = { boot: -1, time: 0 }

  constructor(private readonly nodes: FollowedNodes) {}

  /** True if rows that go must be told. */
  get isNeeded(): boolean {
    return this.nodes.any
  }

  /** An entry is no longer there. */
  left(parent: number, key: string, { ref }: EntryRow, isDirectory: boolean): void {
    if (ref === undefined || !this.nodes.has(ref)) return
    const name = `${parent}/${key}`
    this.names.delete(name)
    this.names.set(name, { ref, isDirectory, at: this.now })
    if (this.names.size > MAX_VACATED) for (const oldest of this.names.keys()) return void this.names.delete(oldest)
  }

  /** An entry is there now: if a node of its kind has left the name a moment ago, what was kept about that is this one's. */
  taken(parent: number, key: string, { ref }: EntryRow, isDirectory: boolean): void {
    if (this.names.size === 0) return
    const name = `${parent}/${key}`
    const vacated = this.names.get(name)
    if (vacated === undefined) return
    this.names.delete(name)
    const { at } = vacated
    const isSoon = at.boot === this.now.boot && this.now.time - at.time <= TAKEOVER_US
    if (ref === undefined || !isSoon || vacated.isDirectory !== isDirectory || isSameRef(vacated.ref, ref)) return
    this.nodes.moved(vacated.ref, ref)
  }
}
