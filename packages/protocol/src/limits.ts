/** Bounds of the contract. Each is checked by sender and receiver; docs/formats/protocol.md lists them. */

/** Version history: 1 is the first. A reader of another version refuses the peer. */
export const PROTOCOL_VERSION = 1

/** Largest frame a server reads: an EntryBatch of 1 M rows with all columns is about 60 MB. More closes the connection. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024
/** Replies above this travel as fragments of this size, so that one large page does not hold up the others. */
export const FRAGMENT_BYTES = 8 * 1024 * 1024
/** Largest reply in fragments (a page of 1 M rows with paths of 200 bytes). Stated guess; larger pages must be asked for in parts. */
export const MAX_REPLY_BYTES = 256 * 1024 * 1024

/** Rows of one batch or page. */
export const MAX_ROWS = 1_048_576
/** Rows of a page that can be asked for. */
export const MAX_LIMIT = 1_000_000
/** Searches in one SearchBatch; beyond 64 nothing is gained (267,000 queries/s measured), the rest is room. */
export const MAX_BATCH = 256
export const MAX_QUERY_BYTES = 65_536
export const MAX_CLOCK_BYTES = 1_024
/** Ids: root, volume, source, instance, boot. */
export const MAX_ID_BYTES = 128
/** Paths in messages (Linux: 4,096; roots of images and lists may be longer). */
export const MAX_PATH_BYTES = 65_536
export const MAX_PROSE_BYTES = 1_024
/** JSON of `explain`. */
export const MAX_EXPLAIN_BYTES = 1_048_576
export const MAX_ROOTS = 4_096
export const MAX_EXCLUDES = 4_096
export const MAX_PROBLEMS = 100
export const MAX_METRICS = 4_096
export const MAX_LABELS = 16
export const MAX_CHECKS = 256
export const MAX_STAGES = 64
/** Largest envelope that a tap copies. */
export const MAX_TAP_BYTES = 1_048_576
