import { type EntryRow, Kind, type NodeRef } from '@hotpath/model'
import { changeColumns, entryColumns, FaultFileSystem, type PlainChange, type ReplicaModel } from '@hotpath/testing'
import { LocalSegmentBackend } from '../local-backend.js'
import { Store } from '../store.js'
import type { AppliedBatch, StoreOptions } from '../store-types.js'
import { DATA, newReplica } from './store-driver.js'

/** A store with one scanned, empty directory `r`, and what a query worker sees of it. */
export class Scene {
  opCount = 0
  private sequence = 0

  private constructor(
    readonly fs: FaultFileSystem,
    readonly store: Store,
    readonly replica: ReplicaModel,
  ) {}

  static async open(
    rootRef: NodeRef,
    options: Partial<StoreOptions> = {},
    fs = new FaultFileSystem(),
    backend = new LocalSegmentBackend(fs),
  ): Promise<Scene> {
    const store = await Store.open({ directory: DATA, fs, backend, ...options })
    const replica = newReplica(fs, () => {})
    const scene = new Scene(fs, store, replica)
    store.onOps(ops => {
      scene.opCount += ops.length
      replica.apply(ops)
    })
    await store.addRoot(
      { id: 'root', kind: 'tree', path: '/r' },
      { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false },
    )
    const epoch = await store.beginScan('root', { bootId: 'boot-1', startedAt: 10 })
    const row: EntryRow = { kind: Kind.directory, size: Number.NaN, ref: rootRef }
    store.addEntries(epoch, 1, entryColumns([{ parent: 0, directory: 1, kind: Kind.directory, name: 'r', row }]), {
      directory: Uint32Array.of(1),
      observed: Float64Array.of(11),
    })
    await store.endScan(epoch, { lastSequence: 1 })
    return scene
  }

  send(changes: readonly PlainChange[], bootId = 'boot-1'): Promise<AppliedBatch> {
    const sequence = ++this.sequence
    return this.store.applyChanges({ root: 'root', source: 'w', sequence, bootId, changes: changeColumns(changes) })
  }

  paths(): string[] {
    return [...this.replica.entries('root').keys()].sort()
  }

  row(path: string): EntryRow {
    const entry = this.replica.entries('root').get(path)
    if (!entry) throw new Error(`${path} is not there`)
    return entry.row
  }

  close(): Promise<void> {
    return this.store.close()
  }
}

/** Sorted paths. */
export function filesOf(fs: FaultFileSystem, ending: string): string[] {
  return fs
    .paths()
    .filter(path => path.endsWith(ending))
    .sort()
}
