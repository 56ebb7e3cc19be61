import type { EntryColumns } from './entry-columns.js'
import type { HotColumns } from './hot-columns.js'

/**
 * How the store keeps query workers up to date. The thread that ingests emits lists of these; each list is atomic
 * for queries. A worker applies lists in order on its own replica, so queries need no locks and see whole states.
 */
export type EngineOp =
  /**
   * A new, empty, invisible view. `prefix`: what stands before the root's name in every path (`/home/`), may be empty.
   * `virtualRoot`: the root row is not a component of paths (file lists: it only holds the first components together).
   */
  | { op: 'createView'; view: number; root: string; volume: string; prefix: Uint8Array; virtualRoot: boolean }
  /** From now on `root` is answered from `view`; `partial` while its first scan is not finished. Replaces (and drops) the former view. */
  | { op: 'activateView'; view: number; root: string; partial: boolean }
  | { op: 'dropView'; view: number }
  /**
   * Segment joins the view; `dead` is a roaring bitmap (portable) of tombstoned entry ids, empty bytes if none.
   * `origin`: directories of two slices of one scan never contradict each other, so readers need not compare them.
   */
  | {
      op: 'addSegment'
      view: number
      segment: number
      file: string
      dead: Uint8Array
      origin: 'scan' | 'flush' | 'merge'
    }
  | { op: 'dropSegment'; view: number; segment: number }
  /** Entry ids [ranges[2i], ranges[2i+1]) of the segment are no longer entries. */
  | { op: 'kill'; view: number; segment: number; ranges: Uint32Array }
  /** Rows join the delta under the given slots (unique for the life of the view); parent and directory are directory ids of the view. */
  | { op: 'put'; view: number; slots: Uint32Array; rows: EntryColumns }
  | { op: 'remove'; view: number; slots: Uint32Array }
  /** A segment was damaged and set aside: answers of this root are partial until it is scanned again. */
  | { op: 'markPartial'; root: string; partial: boolean }
  /** Records of opened nodes, of any volume; those with 0 runs are none any more. */
  | { op: 'hot'; records: HotColumns }
