import type { RefColumn } from './entry-columns.js'

/** Hot records (packages/hot-score) as columns: how often and when nodes were opened. */
export interface HotColumns {
  readonly count: number
  /** Hash of the volume's id. */
  readonly volume: Uint32Array
  /** The node; of an entry of a file list a hash of its path. */
  readonly ref: RefColumn
  /** Opens ever; 0: the record is gone. */
  readonly runs: Uint32Array
  /** Seconds since 1970 of the last open. */
  readonly opened: Uint32Array
  /** Decayed opens as of `opened`. */
  readonly heat: Float64Array
}
