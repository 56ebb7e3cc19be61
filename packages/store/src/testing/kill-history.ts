import { createHash } from 'node:crypto'
import { type EntryRow, Kind, Op } from '@hotpath/model'
import { type PlainChange, type PlainEntry, Random, TreeModel } from '@hotpath/testing'
import { stateOf } from './store-driver.js'

/** Microseconds between two steps: what is looked at after a step gets times between. */
const STEP_US = 1000
/** The writer waits for every third step. */
export const MOST_UNACKNOWLEDGED = 3

/**
 * The same changes of the same tree in every process that has the seed: creations, moves of directories, hard links,
 * removals. So a process can go on where another was killed, and a third knows what must be there.
 */
export class KillHistory {
  readonly tree: TreeModel
  /** Steps done. */
  steps = 0

  constructor(seed: number) {
    this.tree = new TreeModel(new Random(seed))
  }

  /** Does the next step. Names that are new come first: nothing has to be asked for then, and each batch is a state. */
  next(): PlainChange[] {
    const observed = ++this.steps * STEP_US
    const changes = this.tree.step().map(change => ({ ...change, observed }))
    const isNew = ({ op }: PlainChange): boolean => op === Op.present
    return [...changes.filter(isNew), ...changes.filter(change => !isNew(change))]
  }

  /** The time of a look after the last step. */
  lookTime(look: number): number {
    return this.steps * STEP_US + look
  }

  digest(): string {
    return digestOf(this.tree.entries())
  }

  /** Rows of the whole tree, as a scan numbers them; directories have the numbers 1 … `directories`. */
  scanRows(): { rows: PlainEntry[]; directories: number } {
    const { tree } = this
    const rows: PlainEntry[] = [
      { parent: 0, directory: 1, kind: Kind.directory, name: 'root', row: tree.rowOf(tree.root) },
    ]
    const queue = [{ node: tree.root, number: 1 }]
    let directories = 1
    for (const { node, number } of queue) {
      for (const [name, child] of node.children ?? []) {
        const directory = child.children ? ++directories : 0
        rows.push({ parent: number, directory, kind: child.kind, name, row: tree.rowOf(child) })
        if (child.children) queue.push({ node: child, number: directory })
      }
    }
    return { rows, directories }
  }
}

export function digestOf(entries: ReadonlyMap<string, EntryRow>): string {
  return createHash('sha1').update(stateOf(entries)).digest('hex')
}
