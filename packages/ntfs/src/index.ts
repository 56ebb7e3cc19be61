export { type Geometry, parseBootSector } from './boot-sector.js'
export { type FoundFile, filesIn, lookUp } from './directory-index.js'
export { EXTEND_RECORD, ROOT_RECORD } from './layout.js'
export { type ListOptions, listVolume, listVolumeBy, type TablePass } from './list-volume.js'
export { type ListingBatch, ListingBatches, streamName } from './listing-batches.js'
export { MftParser, type MftStats, NO_RECORD } from './mft-parser.js'
export { MftRows } from './mft-rows.js'
export { mayRenameOrphaned, ORPHANED, orphanedName } from './orphaned-name.js'
export { type Extent, SPARSE } from './run-list.js'
export {
  answer,
  drive,
  type Reading,
  type ReadRequest,
  type RecordPart,
  readStream,
  Stream,
  type StreamRange,
} from './stream.js'
export { namesWithStreams, type StreamRows } from './stream-rows.js'
export { type ListingSink, ROOT_NUMBER, TableListing } from './table-listing.js'
export { type DirectoryPlace, TableNodes } from './table-nodes.js'
export { largestOf, type TablePiece, tablePieces } from './table-pieces.js'
export { type ChangedNode, ChangedNodes } from './usn/changed-nodes.js'
export {
  enumRequest,
  type JournalDescription,
  parseJournalData,
  parseVolumeData,
  readRequest,
  type VolumeDescription,
} from './usn/journal-calls.js'
export { type JournalPart, type JournalSource, journalPosition, StoredJournal } from './usn/journal-source.js'
export {
  type Continuation,
  continuationOf,
  JournalCursor,
  type JournalNow,
  type JournalState,
  type RescanReason,
} from './usn/journal-state.js'
export {
  parseDirectoryEntries,
  parseRecordReply,
  recordReplyBytes,
  recordRequest,
  referenceOf,
} from './usn/node-calls.js'
export { type JournalSettings, UsnJournal } from './usn/usn-journal.js'
export { Reason } from './usn/usn-layout.js'
export { UsnParser, type UsnStats } from './usn/usn-parser.js'
export { UsnReader } from './usn/usn-reader.js'
export { type ReplyStats, UsnReplies } from './usn/usn-reply.js'
export { UsnRows } from './usn/usn-rows.js'
export { Volume } from './volume.js'
