export type { IgnoredCounts } from './batch-applier.js'
export { type CompactionLimits, DEFAULT_COMPACTION_LIMITS } from './compaction-policy.js'
export { type AppendFile, type FileSystem, NodeFileSystem, type PageFile, publishFile } from './file-system.js'
export { type FollowedNodes, TAKEOVER_US } from './followed-nodes.js'
export { type DigestSum, IndexedDirectories } from './indexed-directories.js'
export { LocalSegmentBackend } from './local-backend.js'
export { openStore } from './open-store.js'
export type { DamagedFile } from './recovery.js'
export type { ReaderHandle } from './retired-files.js'
export type { Listing } from './scan-batch.js'
export { MAX_SCAN_DIRECTORY } from './scan-directories.js'
export type { ReceivedEntries } from './scan-session.js'
export type {
  MergedSegment,
  MergeSource,
  OpenSegment,
  SectionSize,
  SegmentAccess,
  SegmentBackend,
} from './segment-access.js'
export { Store } from './store.js'
export * from './store-types.js'
export { SegmentWriteError, WorkerSegmentBackend } from './worker-backend.js'
