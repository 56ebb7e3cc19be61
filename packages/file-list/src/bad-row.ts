/** Why a row of a list was left out. */
export const BadRowReason = {
  emptyPath: 'the row names no file',
  nul: 'the path contains a NUL byte',
  parentComponent: 'the path contains a component ".."',
  nameTooLong: 'a component of the path is longer than 4,096 bytes',
  tooDeep: 'the path has more than 2,048 components',
  rowTooLong: 'the row is longer than 131,072 bytes',
  quote: 'a quote is not closed, or text follows a closed one',
  tooManyFields: 'the row has more fields than the header',
  size: 'the size is not a whole number of bytes below 2^53',
  date: 'a date is neither a FILETIME nor an ISO 8601 date',
  attributes: 'the attributes are neither a number nor attribute letters',
  header: 'the header has no column Filename',
} as const
export type BadRowReason = (typeof BadRowReason)[keyof typeof BadRowReason]

export interface BadRow {
  /** Line of the list on which the row starts, counted from 1. */
  readonly line: number
  /** Byte of the list at which the row starts, counted from 0. */
  readonly offset: number
  readonly reason: BadRowReason
}

/** Bytes of the longest name; the index takes no longer ones, file systems end at 255 bytes or UTF-16 units. */
export const MAX_NAME_BYTES = 4096
/** Components of the deepest path: what Linux allows in a path (4,096 bytes). */
export const MAX_COMPONENTS = 2048
/** Bytes of the longest row: the longest path of Windows (32,767 UTF-16 units, up to 98,301 bytes) and its fields. */
export const MAX_ROW_BYTES = 131_072
