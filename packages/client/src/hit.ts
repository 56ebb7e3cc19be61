import type { HitRank, Instant, Kind } from '@hotpath/model'

export type { HitRank, Instant }

export type HitKind = keyof typeof Kind

/** One row. Paths are bytes, because names need not be UTF-8; the texts hold U+FFFD where they are not. */
export interface Hit {
  /** Opaque; survives restarts and rebuilds of the index. */
  readonly id: string
  readonly pathBytes: Uint8Array
  /** Where in `pathBytes` the name starts. */
  readonly nameStart: number
  readonly path: string
  readonly name: string
  /** Path of the directory, without a slash at the end except for the root; empty if the path is only a name. */
  readonly directory: string
  readonly kind: HitKind
  readonly sizeBytes: number | undefined
  readonly modified: Instant | undefined
  readonly created: Instant | undefined
  /** Known where a list or a volume of NTFS says it. */
  readonly accessed: Instant | undefined
  /** How hot it is now by what was opened; 0 where it never was. */
  readonly hot: number
  /** How often it was opened, and when last. */
  readonly opens: number
  readonly opened: Instant | undefined
  /** Only a tolerant term finds it. */
  readonly fuzzy?: boolean
  /** Why it stands where it stands; undefined unless the search was asked to explain itself. */
  readonly rank?: HitRank | undefined
}
