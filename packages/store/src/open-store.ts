import { acquireLock } from '@hotpath/platform'
import { NodeFileSystem } from './file-system.js'
import { Store } from './store.js'
import { LOCK_NAME } from './store-files.js'
import type { StoreOptions } from './store-types.js'
import { WorkerSegmentBackend } from './worker-backend.js'

/**
 * A store on the real file system: mapped segments, a worker thread for building, the directory's lock.
 * @throws BusyError if another process has the directory
 */
export function openStore(options: Omit<StoreOptions, 'fs' | 'backend' | 'lock'>): Promise<Store> {
  return Store.open({
    ...options,
    fs: new NodeFileSystem(),
    backend: new WorkerSegmentBackend(),
    lock: () => acquireLock(`${options.directory}/${LOCK_NAME}`),
  })
}
