/** Bounds of the contract. Each is checked by sender and receiver; docs/formats/protocol.md lists them. */

/** Version history: 1 is the first. A reader of another version refuses the peer. */
export const PROTOCOL_VERSION = 1

/** Largest frame a server reads: an EntryBatch of 1 M rows with all columns is about 60 MB. More closes the connection. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024
/**
 * Replies above this travel as fragments of this size. With SEND_HIGH_WATER_MARK it bounds what libzmq holds for a peer
 * that does not read (128 MiB), and a small reply waits for no more than one piece of a large one.
 */
export const FRAGMENT_BYTES = 1024 * 1024
/** Largest reply in fragments (a page of 1 M rows with paths of 200 bytes). Stated guess; larger pages must be asked for in parts. */
export const MAX_REPLY_BYTES = 256 * 1024 * 1024

/** Rows of one batch or page. */
export const MAX_ROWS = 1_048_576
/** Rows of a page that can be asked for. */
export const MAX_LIMIT = 1_000_000
/** Searches in one SearchBatch; beyond 64 nothing is gained (267,000 queries/s measured), the rest is room. */
export const MAX_BATCH = 256
/** Rows of one OpenBatch: more than anybody opens while a message is under way. */
export const MAX_OPENS = 4_096
/** Rows of the page of a subscription: what a person may look at, and a difference of it is found in a millisecond. */
export const MAX_LIVE_ROWS = 1_000
/** Subscriptions of one peer: one for each list that a program shows. */
export const MAX_LIVE = 32
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
/** Paths that say where an answer may differ from the disk: what a person reads. */
export const MAX_DIRTY_SUBTREES = 16
/** Mounts of a root that are told; those that something less than the best follows come first. */
export const MAX_FOLLOWED_MOUNTS = 64
export const MAX_EXCLUDES = 4_096
/** Groups of one user: what Linux allows (NGROUPS_MAX), and the effective one. */
export const MAX_GROUPS = 65_537
export const MAX_PROBLEMS = 100
export const MAX_METRICS = 4_096
export const MAX_LABELS = 16
export const MAX_CHECKS = 256
export const MAX_STAGES = 64
/** Kinds of caches in a status. */
export const MAX_CACHES = 16
/** Kinds of entries, sections and segments in statistics. */
export const MAX_TYPES = 64
export const MAX_SECTIONS = 1_024
export const MAX_SEGMENTS = 65_536
/** Minutes of which statistics say how much changed. */
export const STATISTICS_MINUTES = 60
/** Children of a directory in one answer about sizes. */
export const MAX_CHILDREN = 1_000
/** Rows of followed databases that can be asked for. */
export const MAX_FOUND_ROWS = 1_000
/** Key of a row that can be found. */
export const MAX_ROW_KEY_BYTES = 65_536
/** Piece of the text of a row that is shown. */
export const MAX_SNIPPET_BYTES = 1_024
/** Databases that are followed, or named in a message. */
export const MAX_DATABASES = 1_024
/** Tables named in a message; columns of one (what SQLite allows), and bytes of a name. */
export const MAX_TABLES = 65_536
export const MAX_COLUMNS = 32_767
export const MAX_TABLE_NAME_BYTES = 65_536
/** Subscriptions of a peer to changes of rows. */
export const MAX_ROW_SUBSCRIPTIONS = 512
/** What a message with changes counts beside them: see RowsCredit. */
export const ROWS_MESSAGE_BYTES = 256
/** Largest envelope that a tap copies. */
export const MAX_TAP_BYTES = 1_048_576

/** Silence after which a side pings. Dead peers break their connections; this finds those that hang, and each ping wakes two processes. */
export const HEARTBEAT_MS = 20_000
/** Silence after which a peer is taken for dead: longer than any pause of a busy event loop should be. */
export const LOST_MS = 60_000
/** Silence after an event, until subscribers are told the last number. */
export const EVENT_BEAT_MS = 5_000
/** The same of journal watchers: as long as one that hangs is not found out, answers say `live`. */
export const WATCHER_HEARTBEAT_MS = 5_000
export const WATCHER_LOST_MS = 15_000
/** Time for an answer where the asker names none. */
export const REQUEST_TIMEOUT_MS = 10_000
/** Messages that libzmq holds for one peer; see FRAGMENT_BYTES. */
export const SEND_HIGH_WATER_MARK = 128
/** What libzmq holds of unread messages of one peer, at most; the high-water mark counts messages and follows from it. */
export const RECEIVE_BUDGET_BYTES = 256 * 1024 * 1024
/** What waits in our own queue for one peer beyond that, before the peer is given up. */
export const MAX_QUEUE_BYTES = MAX_REPLY_BYTES + MAX_MESSAGE_BYTES
/** Peers of one server: four stages, and clients of one person. */
export const MAX_PEERS = 256
/** Requests of one server that wait for their answers. */
export const MAX_PENDING = 4_096
/** A peer that takes nothing for so long while messages wait is given up. */
export const STUCK_MS = 10_000
/** Time that a closing socket keeps to hand over its last messages (Bye); 0 otherwise. */
export const STOP_LINGER_MS = 100
/** Time that a server which stops gives its peers to read what it said last. */
export const GOODBYE_MS = 100
/** Events that libzmq holds for one subscriber; beyond, PUB drops, and the numbers show it. */
export const EVENT_HIGH_WATER_MARK = 1_000
/** Largest event. */
export const MAX_EVENT_BYTES = 65_536
/** Copies and bytes that wait for one tap before copies are dropped. */
export const MAX_TAP_QUEUE_BYTES = 4 * 1024 * 1024
