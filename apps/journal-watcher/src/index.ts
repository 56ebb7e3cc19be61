export {
  ChangeWatcher,
  type ChangeWatcherOptions,
  MECHANISMS,
  type MechanismChoice,
  type ObservationSink,
} from './change-watcher.js'
export { type DumpOptions, dumpChanges } from './session/dump.js'
export { WatcherSession, type WatcherSessionOptions } from './session/watcher-session.js'
