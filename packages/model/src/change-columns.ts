import type { EntryColumns, RefColumn } from './entry-columns.js'

/** What was observed. On the wire and in the WAL: never renumber. */
export const Op = {
  /** (parent, name) does not exist. Only parentRef, name and observed are meaningful. */
  absent: 0,
  /** (parent, name) exists with this kind, ref and metadata. */
  present: 1,
  /**
   * The directory named by parentRef was listed completely: its `present` rows in this batch are all it holds, and
   * every other child observed before `observed` is absent. The row has an empty name.
   */
  listed: 2,
  /**
   * This row and the next one, a `listedBefore` of the same directory and time, say what `listed` says of some of its
   * names: from this row's name on (empty: from the first). The rows of this batch before them that call names of the
   * directory present must be of that range. Names are ordered as in dictionaries: by key, then by bytes. Each part
   * says nothing of the others, so parts may be applied as they come; the one without an end comes last.
   */
  listedFrom: 3,
  /** See `listedFrom`: names before this row's name (empty: to the last). */
  listedBefore: 4,
  /**
   * The node named by entries.ref has exactly the names under which this batch calls it present: every other entry of it
   * that was observed before `observed` is absent; without one, the node is gone. Only ref and observed are meaningful. Each of those rows
   * stands for itself, as alternate streams do, which have the ref of their node; other rows of a file speak of all its names.
   */
  named: 5,
} as const
export type Op = (typeof Op)[keyof typeof Op]

/**
 * Observations of directory entries, in the order in which they were made. `entries.parent` and
 * `entries.directory` are not used (zero): a watcher names directories by ref, which survives moves.
 * A rename is sent as `present` at the new place before `absent` at the old one.
 */
export interface ChangeColumns {
  readonly op: Uint8Array
  /** Directory that holds the entry; all zero for the root of the tree itself, of which only `present` is sent. */
  readonly parentRef: RefColumn
  readonly entries: EntryColumns
  /** Microseconds of the host's monotonic clock, taken before the system call that made the observation. */
  readonly observed: Float64Array
}

/**
 * Row of the first `listedFrom` that no `listedBefore` of the same directory and time follows, or of the first
 * `listedBefore` that no `listedFrom` precedes; -1 if all stand in pairs.
 */
export function unpairedBound(changes: Pick<ChangeColumns, 'op' | 'parentRef' | 'observed'>): number {
  const { op, parentRef, observed } = changes
  for (let i = 0; i < op.length; i++) {
    if (op[i] === Op.listedBefore) return i
    if (op[i] !== Op.listedFrom) continue
    const next = i + 1
    const isPair =
      op[next] === Op.listedBefore &&
      observed[next] === observed[i] &&
      parentRef.low[next] === parentRef.low[i] &&
      parentRef.high[next] === parentRef.high[i] &&
      parentRef.birth[next] === parentRef.birth[i]
    if (!isPair) return i
    i = next
  }
  return -1
}

export interface ChangeBatch {
  /** Stable root id (see RootSpec). */
  readonly root: string
  /** Who observed: unique for each start of a watcher. */
  readonly source: string
  /** 1, 2, 3 … within `source`; a batch already applied is acknowledged and otherwise ignored. */
  readonly sequence: number
  /** Boot id of the host; observation times of different boots are not comparable (the later boot wins). */
  readonly bootId: string
  readonly changes: ChangeColumns
}
