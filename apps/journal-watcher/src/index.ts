export {
  ChangeWatcher,
  type ChangeWatcherOptions,
  type ObservationSink,
} from './change-watcher.js'
export { type AuditSqlOptions, auditSql } from './database/audit/audit-sql.js'
export { MECHANISMS, type MechanismChoice } from './follow-root.js'
export { type DumpOptions, dumpChanges } from './session/dump.js'
export { WatcherSession, type WatcherSessionOptions } from './session/watcher-session.js'
