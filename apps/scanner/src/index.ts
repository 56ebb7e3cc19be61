export {
  DirectoryLister,
  type DirectoryListerOptions,
  type DirectoryListing,
  type EntryObservation,
} from './directory-lister.js'
export { type ExclusionOptions, ExclusionRules } from './exclusion/exclusion-rules.js'
export { IGNORE_FILE_NAME, MAX_IGNORE_FILE_BYTES } from './exclusion/ignore-scope.js'
export { PathExclusion } from './exclusion/path-exclusion.js'
export { hasVanished, kindOfMode } from './node-kind.js'
export { birthOf, deviceSalt, saltAt, volumeOf } from './node-ref.js'
export { VolumeSource } from './session/volume-source.js'
export { HandleJournal, isJournalChange } from './volume/handle-journal.js'
export { openVolumeFile, windowsVolume } from './volume/raw-volume.js'
export { TableThreads, type TableThreadsOptions } from './volume/table-threads.js'
export { VolumeFile } from './volume/volume-file.js'
export { MountPolicy, type MountPolicyOptions, type MountVerdict } from './walk/mount-policy.js'
export type { ScanBatch } from './walk/packed-batch.js'
export type { WalkProblem } from './walk/walk-host.js'
export { WalkPool } from './walk/walk-pool.js'
export { type TreeWalk, type WalkCounters, type WalkOptions, walkTree } from './walk/walk-tree.js'
