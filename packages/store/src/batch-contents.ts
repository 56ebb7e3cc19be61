import { compareNames } from '@hotpath/index-format'
import { type ChangeColumns, Kind, type NodeRef, Op } from '@hotpath/model'
import { nameKey, parentRefAt, refAt, refKey } from './entry-row.js'

/** Last row of each directory node that the batch calls present. */
export function presentDirectories(changes: ChangeColumns): Map<string, number> {
  const last = new Map<string, number>()
  const { entries, op } = changes
  for (let i = 0; i < entries.count; i++) {
    if (op[i] !== Op.present || entries.kind[i] !== Kind.directory || !entries.ref) continue
    last.set(refKey({ low: entries.ref.low[i], high: entries.ref.high[i], birth: entries.ref.birth[i] }), i)
  }
  return last
}

/** Nodes that a batch says all names of. */
function wholeNodes({ op, entries }: ChangeColumns): Set<string> {
  const whole = new Set<string>()
  for (let i = 0; i < op.length; i++) {
    const ref = op[i] === Op.named ? refAt(entries.ref, i) : undefined
    if (ref) whole.add(refKey(ref))
  }
  return whole
}

/** What a batch says of one node or one directory in several of its rows. */
export class BatchContents {
  /** Nodes (`refKey`) of which the batch tells all entries: none of them has to follow another. */
  readonly whole: ReadonlySet<string>
  /** Names that the batch calls present, by directory node. */
  private listings: Map<string, Set<string>> | undefined
  /** Rows that call a node present, by the node. */
  private presentRows: Map<string, number[]> | undefined

  constructor(private readonly changes: ChangeColumns) {
    this.whole = wholeNodes(changes)
  }

  /** Names (`nameKey`) that the batch calls present in a directory (`refKey`). */
  namesIn(directory: string): Set<string> | undefined {
    if (!this.listings) {
      this.listings = new Map()
      const { op, entries } = this.changes
      for (let i = 0; i < entries.count; i++) {
        const ref = op[i] === Op.present ? parentRefAt(this.changes, i) : undefined
        if (!ref) continue
        const names = this.listings.get(refKey(ref))
        const key = nameKey(entries.names.subarray(entries.nameOffsets[i], entries.nameOffsets[i + 1]))
        if (names) names.add(key)
        else this.listings.set(refKey(ref), new Set([key]))
      }
    }
    return this.listings.get(directory)
  }

  /** Rows that call a node present. */
  rowsOf(ref: NodeRef): readonly number[] {
    if (!this.presentRows) {
      this.presentRows = new Map()
      const { op, entries } = this.changes
      for (let i = 0; i < entries.count; i++) {
        const node = op[i] === Op.present ? refAt(entries.ref, i) : undefined
        if (!node) continue
        const rows = this.presentRows.get(refKey(node))
        if (rows) rows.push(i)
        else this.presentRows.set(refKey(node), [i])
      }
    }
    return this.presentRows.get(refKey(ref)) ?? []
  }

  /** Whether all names that the rows before `i` call present in its directory are in the range. */
  isInOrder(i: number, from: Uint8Array, to: Uint8Array | undefined): boolean {
    if (to !== undefined && compareNames(from, to) >= 0) return false
    const { op, parentRef, entries } = this.changes
    for (let row = 0; row < i; row++) {
      if (op[row] !== Op.present || parentRef.low[row] !== parentRef.low[i]) continue
      if (parentRef.high[row] !== parentRef.high[i] || parentRef.birth[row] !== parentRef.birth[i]) continue
      const name = entries.names.subarray(entries.nameOffsets[row], entries.nameOffsets[row + 1])
      if (compareNames(name, from) < 0 || (to !== undefined && compareNames(name, to) >= 0)) return false
    }
    return true
  }
}
