export * from './accounts.js'
export * from './clock.js'
export * from './credentials.js'
export { type DirectoryEntryColumns, DirentType } from './directory-entries.js'
export * from './directory-reader.js'
export * from './errno.js'
export * from './errors.js'
export {
  createEventJournal,
  EventJournal,
  type EventSlot,
  READ_BYTES,
  RESUMABLE_STREAM,
  RING_BYTES,
} from './event-journal.js'
export { EventPump, type EventPumpOptions, type PumpedQueue, type QueueReader } from './event-pump.js'
export * from './fanotify.js'
export * from './fanotify-marks.js'
export * from './file-system-info.js'
export * from './file-system-type.js'
export * from './file-version.js'
export { foreignProblem } from './foreign.js'
export * from './idle-priority.js'
export * from './inotify.js'
export { nativeProblem } from './libc.js'
export * from './lock-file.js'
export { type Arena, addressOf, createArena, pageSize } from './memory.js'
export * from './mmap.js'
export * from './mount-table.js'
export * from './page-cache.js'
export * from './process-age.js'
export * from './process-memory.js'
export * from './release-memory.js'
export { replaceFile, replaceFileSync } from './replace-file.js'
export { createStatColumns, deviceNumber, FileType, NOT_ASKED, type StatColumns } from './stat-columns.js'
export { type StorageDevice, storageDeviceOf } from './storage-device.js'
export { raiseLimit, readWatchLimits, WATCH_SYSCTLS, type WatchLimits } from './watch-limits.js'
export * from './windows/index.js'
export { restrictToUser } from './windows/private-path.js'
