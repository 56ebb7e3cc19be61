import { ApplyQueue } from './apply-queue.js'
import type { LogFiles } from './log-files.js'
import { ManifestStore } from './manifest-store.js'
import { OpStream } from './op-stream.js'
import { RetiredFiles } from './retired-files.js'
import type { Roots } from './roots.js'
import { StoreClock } from './store-clock.js'
import type { StoreNumbers } from './store-numbers.js'
import type { StoreLog, StoreOptions } from './store-types.js'
import type { WalWriter } from './wal-writer.js'
import type { WriterState } from './writer-state.js'

/** What opening made of a data directory: state in memory, and the log that goes on. */
export interface OpenedFiles {
  readonly roots: Roots
  readonly numbers: StoreNumbers
  readonly writer: WriterState
  readonly wal: WalWriter
  readonly logs: LogFiles
}

/** What the parts of one open store share; each part says which of it it uses. */
export interface StoreCore extends OpenedFiles {
  readonly options: StoreOptions
  readonly log: StoreLog
  readonly clock: StoreClock
  readonly ops: OpStream
  readonly queue: ApplyQueue
  readonly manifest: ManifestStore
  readonly retired: RetiredFiles
}

const SILENT: StoreLog = { info: () => {}, warn: () => {} }

export function createCore(options: StoreOptions, opened: OpenedFiles): StoreCore {
  const { roots, numbers, writer } = opened
  const log = options.log ?? SILENT
  const clock = new StoreClock(numbers.incarnation)
  writer.onFailure(error => clock.fail(writer.storageError ?? error))
  return {
    ...opened,
    options,
    log,
    clock,
    ops: new OpStream(),
    queue: new ApplyQueue(),
    manifest: new ManifestStore(options.fs, options.directory, () => {
      writer.checkStorage()
      return { ...numbers.nextManifest(), roots: roots.toManifest((options.now ?? Date.now)()) }
    }),
    retired: new RetiredFiles(options.fs, error => log.warn('a file could not be removed', { error: error.message })),
  }
}
