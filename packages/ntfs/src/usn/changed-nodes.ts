import { FIRST_USER_RECORD, ROOT_RECORD } from '../layout.js'
import { NO_RECORD } from '../mft-parser.js'
import { FILE_ATTRIBUTE_DIRECTORY, NAME_REASONS, Reason } from './usn-layout.js'
import type { UsnRows } from './usn-rows.js'

const RENAME_REASONS = Reason.renameOldName | Reason.renameNewName
/** Makes keys of (record, sequence): 48 bits. */
const SEQUENCES = 2 ** 16

/** A node that is to be looked at in the master file table as it is now. */
export interface ChangedNode {
  readonly record: number
  readonly sequence: number
  /** Of all its records in the batch, together; 0: only what is in it has changed names, which changes its times. */
  reasons: number
  /** Its names are to be compared, not only its metadata. */
  hasNewNames: boolean
  /** A directory that got another name or place: so do all paths below it. The table may show that before the journal does. */
  isMovedDirectory: boolean
  /** Deleted, or its record was given to another node: it will hardly be found. */
  isGone: boolean
}

/**
 * Folds records of a journal into the nodes that are to be looked at: one for each (record, sequence), however often it
 * changed. What the journal says are hints, also because more may have happened by now: the master file table says what is. So what is
 * found there under another sequence number, or not in use, is gone, and all else is as found.
 *
 * Directories in which names come and go are nodes to look at, too: their times change, and no record says so.
 */
export class ChangedNodes {
  readonly #nodes = new Map<number, ChangedNode>()
  /** The node that a record number stood for last. */
  readonly #latest = new Map<number, ChangedNode>()
  readonly #deletedDirectory: number

  /** @param deletedDirectory record of `$Extend\$Deleted` (`lookUp` finds it), into which files are moved that are deleted while they are open; NO_RECORD: none */
  constructor(deletedDirectory = NO_RECORD) {
    this.#deletedDirectory = deletedDirectory
  }

  /** Distinct nodes. */
  get count(): number {
    return this.#nodes.size
  }

  /** In the order in which they were first seen. */
  nodes(): IterableIterator<ChangedNode> {
    return this.#nodes.values()
  }

  clear(): void {
    this.#nodes.clear()
    this.#latest.clear()
  }

  /** Adds records, which follow those that were added before. Cost: two look-ups a record, an allocation for each new node. */
  take(rows: UsnRows): void {
    for (let row = 0; row < rows.count; row++) {
      const reasons = rows.reasons[row]!
      const parent = rows.parent[row]!
      const node = this.#nodeOf(rows.record[row]!, rows.sequence[row]!)
      if (node !== undefined) this.#note(node, reasons, rows.attributes[row]!, parent)
      if ((reasons & NAME_REASONS) !== 0) this.#nodeOf(parent, rows.parentSequence[row]!)
    }
  }

  #note(node: ChangedNode, reasons: number, attributes: number, parent: number): void {
    node.reasons = (node.reasons | reasons) >>> 0
    if ((reasons & NAME_REASONS) === 0) return
    node.hasNewNames = true
    const isRenamed = (reasons & RENAME_REASONS) !== 0
    if (isRenamed && (attributes & FILE_ATTRIBUTE_DIRECTORY) !== 0) node.isMovedDirectory = true
    if ((reasons & Reason.fileDelete) !== 0) node.isGone = true
    else if ((reasons & Reason.renameNewName) !== 0) node.isGone = parent === this.#deletedDirectory
  }

  /** The node of a reference; undefined: NTFS's own, or none that a master file table has. */
  #nodeOf(record: number, sequence: number): ChangedNode | undefined {
    if (record === NO_RECORD || (record < FIRST_USER_RECORD && record !== ROOT_RECORD)) return undefined
    const latest = this.#latest.get(record)
    if (latest?.sequence === sequence) return latest
    const key = record * SEQUENCES + sequence
    let node = this.#nodes.get(key)
    if (node === undefined) {
      node = { record, sequence, reasons: 0, hasNewNames: false, isMovedDirectory: false, isGone: false }
      this.#nodes.set(key, node)
      if (latest !== undefined) latest.isGone = true
      this.#latest.set(record, node)
    }
    return node
  }
}
