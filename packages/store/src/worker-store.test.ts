import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BusyError, CorruptFileError, type EntryColumns, Kind, type NodeRef, Op } from '@hotpath/model'
import { acquireLock } from '@hotpath/platform'
import { changeColumns, entryColumns } from '@hotpath/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NodeFileSystem } from './file-system.js'
import { RowBuffer } from './row-buffer.js'
import { Store } from './store.js'
import { SegmentWriteError, WorkerSegmentBackend } from './worker-backend.js'

const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }
/** The worker is compiled code; this test runs from the sources. */
const WORKER = new URL('../dist/build-worker.js', import.meta.url)

describe('a store on disk with its worker thread', () => {
  let directory = ''

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hotpath-store-'))
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  function open(): Promise<Store> {
    return Store.open({
      directory,
      fs: new NodeFileSystem(),
      backend: new WorkerSegmentBackend(WORKER),
      lock: () => acquireLock(`${directory}/LOCK`),
      sliceRows: 400,
    })
  }

  async function scan(store: Store, files: number): Promise<void> {
    await store.addRoot(
      { id: 'root', kind: 'tree', path: '/r' },
      { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false },
    )
    const epoch = await store.beginScan('root', { bootId: 'b', startedAt: 1 })
    const root = { parent: 0, directory: 1, kind: Kind.directory, name: 'r', row: { ref: ROOT_REF } }
    const rows = Array.from({ length: files }, (_, i) => ({
      parent: 1,
      directory: 0,
      kind: Kind.file,
      name: `file ${i}`,
      row: { size: i },
    }))
    const { received, durable } = store.addEntries(epoch, 1, entryColumns([root, ...rows]), {
      directory: Uint32Array.of(1),
      observed: Float64Array.of(2),
    })
    await received
    const finished = await store.endScan(epoch, { lastSequence: 1 })
    await durable
    expect(finished.entries).toBe(files + 1)
  }

  async function change(store: Store, sequence: number, name: string): Promise<void> {
    const row = { kind: Kind.file, size: 1, ref: { low: 1000 + sequence, high: 0, birth: 7 } }
    const changes = changeColumns([{ op: Op.present, parentRef: ROOT_REF, name, row, observed: 100 + sequence }])
    await (await store.applyChanges({ root: 'root', source: 'w', sequence, bootId: 'b', changes })).durable
  }

  it('scans, changes, flushes, merges, verifies and opens again', async () => {
    const store = await open()
    await scan(store, 1000)
    await change(store, 1, 'one')
    await store.flush()
    await change(store, 2, 'two')
    await store.compact()
    await change(store, 3, 'three')
    expect(await store.verify()).toEqual([])
    expect(store.sizes()).toHaveLength(1)
    expect(store.rootStatus()[0]).toMatchObject({ entries: 1004, segments: 1, deltaRows: 1 })
    await store.close()
    const again = await open()
    expect(again.rootStatus()[0]).toMatchObject({ entries: 1004, segments: 1, deltaRows: 1, scanReason: '' })
    await again.close()
    expect(readdirSync(directory).filter(name => name.endsWith('.tmp'))).toEqual([])
  })

  it('belongs to one at a time', async () => {
    const store = await open()
    await expect(open()).rejects.toThrow(BusyError)
    await store.close()
    await (await open()).close()
  })

  it('names damage and failures of the worker thread', async () => {
    const backend = new WorkerSegmentBackend(WORKER)
    const rows = entryColumns([{ parent: 0, directory: 1, kind: Kind.directory, name: 'r' }])
    await expect(backend.build(rows, join(directory, 'no', 'such.seg'))).rejects.toThrow(SegmentWriteError)
    const file = join(directory, 'manifest')
    await new NodeFileSystem().create(file).then(async handle => {
      await handle.append(new Uint8Array(8192))
      await handle.close()
    })
    await expect(backend.verify(file)).rejects.toThrow(CorruptFileError)
    await backend.stop()
    await expect(backend.verify(file)).rejects.toThrow(/stopped/)
  })

  it('gives the same segments for rows that it shares with its thread and rows that it moves there', async () => {
    const backend = new WorkerSegmentBackend(WORKER)
    const count = 20_000
    let spare: EntryColumns | undefined
    for (const round of [1, 2]) {
      const root = { parent: 0, directory: 1, kind: Kind.directory, name: 'r' }
      const files = Array.from({ length: count - round }, (_, i) => ({
        parent: 1,
        directory: 0,
        kind: Kind.file,
        name: `${round} ${i}`,
        row: { size: i, modified: { seconds: round * i, ticks: i }, ref: { low: i, high: round, birth: 7 } },
      }))
      const rows = entryColumns([root, ...files])
      const [buffer, own] = [new RowBuffer(count, spare), RowBuffer.ofSize(rows.count, rows.names.length)]
      for (const to of [buffer, own]) to.addRange(rows, 0, rows.count)
      const [shared, moved] = [join(directory, `shared ${round}`), join(directory, `moved ${round}`)]
      expect(buffer.views().names.buffer).toBeInstanceOf(SharedArrayBuffer)
      spare = (await backend.build(buffer.views(), shared)).rows
      await backend.build(own.columns(), moved)
      expect(own.parent.byteLength).toBe(0)
      expect(readFileSync(shared).equals(readFileSync(moved))).toBe(true)
    }
    await backend.stop()
  })

  it('closes in the middle of a scan and asks for another', async () => {
    const store = await open()
    await store.addRoot(
      { id: 'root', kind: 'tree', path: '/r' },
      { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false },
    )
    const epoch = await store.beginScan('root', { bootId: 'b', startedAt: 1 })
    const root = { parent: 0, directory: 1, kind: Kind.directory, name: 'r' }
    const rows = Array.from({ length: 5000 }, (_, i) => ({
      parent: 1,
      directory: 0,
      kind: Kind.file,
      name: `file ${i}`,
    }))
    store.addEntries(epoch, 1, entryColumns([root, ...rows]), {
      directory: new Uint32Array(0),
      observed: new Float64Array(0),
    })
    await store.close()
    const again = await open()
    expect(again.rootStatus()[0]).toMatchObject({ entries: 0, scanReason: 'new' })
    expect(readdirSync(directory).filter(name => name.endsWith('.seg') || name.endsWith('.tmp'))).toEqual([])
    await again.close()
  })
})
