import { type EntryRow, StorageError, systemFailureOf } from '@hotpath/model'
import { changeColumns, FaultFileSystem, fullDisk, Random, readOnlyDisk } from '@hotpath/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { LocalSegmentBackend } from './local-backend.js'
import { Store } from './store.js'
import { HISTORY_OPTIONS, runHistory } from './testing/history.js'
import { DATA, newReplica, ROOT, StoreDriver, stateOf } from './testing/store-driver.js'

const LONG = process.env.SOAK === '1'
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
/** One call in so many fails, one at a time, from a random one on. */
const STRIDE = LONG ? 1 : 6
const CODES = ['ENOSPC', 'EIO', 'EMFILE', 'ENOMEM', 'EROFS']
const NO_CHANGES = changeColumns([])
const NO_LISTING = { directory: new Uint32Array(0), observed: new Float64Array(0) }

async function open(fs: FaultFileSystem): Promise<Store> {
  return Store.open({ directory: DATA, fs, backend: new LocalSegmentBackend(fs), ...HISTORY_OPTIONS })
}

/** What a query worker answers from. */
function textOf(store: Store, fs: FaultFileSystem): string {
  const replica = newReplica(fs, () => {})
  replica.apply(store.snapshotOps())
  return stateOf(new Map<string, EntryRow>([...replica.entries(ROOT.id)].map(([path, { row }]) => [path, row])))
}

/** Everything that writes is refused, in a typed way and without a call of the file system. */
async function expectReading(store: Store, fs: FaultFileSystem): Promise<void> {
  const { calls } = fs
  const batch = { root: ROOT.id, source: 'other', sequence: 1, bootId: 'b', changes: NO_CHANGES }
  const place = { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false }
  await expect(store.applyChanges(batch)).rejects.toThrow(StorageError)
  expect(() => store.addEntries(1, 1, NO_CHANGES.entries, NO_LISTING)).toThrow(StorageError)
  const refused = [
    () => store.addRoot({ ...ROOT, id: 'new' }, place),
    () => store.removeRoot(ROOT.id),
    () => store.requestScan(ROOT.id, 'asked'),
    () => store.beginScan(ROOT.id, { bootId: 'b', startedAt: 1 }),
    () => store.endScan(1, { lastSequence: 0 }),
    () => store.flush(),
    () => store.compact(),
    () => store.waitForClock(store.clock().applied + 1),
  ]
  for (const work of refused) await expect(work()).rejects.toBeInstanceOf(StorageError)
  expect(fs.calls).toBe(calls)
}

/** A data directory with a segment, tombstones, a log, the torn end of one, and a file that nothing names. */
async function usedDisk(): Promise<{ fs: FaultFileSystem; text: string }> {
  const fs = new FaultFileSystem()
  const { driver } = await runHistory(fs)
  const text = stateOf(driver.tree.entries())
  await driver.closeAndReopen()
  await driver.store.close()
  const [log] = fs
    .paths()
    .filter(path => path.endsWith('.log'))
    .slice(-1)
  fs.damage(log!, bytes => Buffer.concat([bytes, Buffer.alloc(37, 1)]))
  await (await fs.create(`${DATA}/seg-000000099999.seg.tmp`)).close()
  return { fs: fs.crash(), text }
}

describe('a store on a disk that takes nothing', () => {
  let disk: FaultFileSystem
  let text: string
  beforeAll(async () => {
    const used = await usedDisk()
    disk = used.fs
    text = used.text
  })

  it.each([
    ['read-only', readOnlyDisk, 'failed'],
    ['full', fullDisk, 'full'],
  ] as const)('that is %s opens and answers, and can be opened for writing later', async (_name, plan, state) => {
    const fs = disk.crash()
    fs.plan = plan
    const store = await open(fs)
    expect(store.storageError?.state).toBe(state)
    expect(textOf(store, fs)).toBe(text)
    await expectReading(store, fs)
    expect(await store.verify()).toEqual([])
    await store.close()
    expect(fs.openFiles).toBe(0)
    fs.plan = () => undefined
    const again = await open(fs)
    expect(again.failure).toBeUndefined()
    expect(textOf(again, fs)).toBe(text)
    expect(again.report.removedOrphans).toEqual(['seg-000000099999.seg.tmp'])
    await again.close()
  })

  it('changes nothing on it', async () => {
    const fs = disk.crash()
    fs.plan = readOnlyDisk
    const before = contentsOf(fs)
    const store = await open(fs)
    await store.close()
    expect(contentsOf(fs)).toEqual(before)
    expect(fs.operationCount).toBe(0)
  })

  it('leaves damaged files in place until they can be set aside', async () => {
    const fs = disk.crash()
    const [segment] = fs.paths().filter(path => path.endsWith('.seg'))
    fs.damage(segment!, bytes => bytes.subarray(0, bytes.length - 5))
    fs.plan = readOnlyDisk
    const store = await open(fs)
    expect(store.rootStatus()[0]).toMatchObject({ partial: true, scanReason: 'damaged segment' })
    await store.close()
    expect(fs.paths()).toContain(segment)
    fs.plan = () => undefined
    await (await open(fs)).close()
    expect(fs.paths()).toContain(`${segment}.damaged`)
  })

  it.each(CODES)('opens whole, as a reader, or not at all, whichever call fails (%s)', async code => {
    const clean = disk.crash()
    await (await open(clean)).close()
    for (let at = 0; at < clean.calls; at++) {
      const fs = disk.crash()
      fs.plan = call => (call.index === at ? code : undefined)
      const store = await open(fs).catch((error: unknown) => {
        expect(systemFailureOf(error)?.code, `call ${at}`).toBe(code)
        return undefined
      })
      if (store) {
        expect(textOf(store, fs), `call ${at}`).toBe(text)
        if (store.failure) await expectReading(store, fs)
        await store.close()
        expect(fs.openFiles, `call ${at}`).toBe(0)
      }
      const again = await open(fs.crash(fs.operationCount, 'unsyncedNames'))
      expect(textOf(again, fs), `after call ${at}`).toBe(text)
      await again.close()
    }
  })
})

describe('a store whose disk fails', () => {
  it.each(CODES)(
    'goes on as if nothing had happened, or reads on with every acknowledged batch (%s)',
    { timeout: LONG ? 600_000 : 60_000 },
    async code => {
      const clean = new FaultFileSystem()
      const { driver } = await runHistory(clean)
      await driver.store.close()
      for (let at = new Random(SEED).below(STRIDE); at < clean.calls; at += STRIDE) {
        const where = `SEED=${SEED}, ${code} at call ${at}`
        const fs = new FaultFileSystem()
        fs.plan = call => (call.index === at ? code : undefined)
        const { driver, states, failure } = await runHistory(fs)
        const { store } = driver
        if (store === undefined) {
          // It could not even be read.
          expect(systemFailureOf(failure)?.code, where).toBe(code)
          continue
        }
        if (failure !== undefined) expect(failure, where).toBeInstanceOf(StorageError)
        const acknowledged = states.findLastIndex(state => state.isAcknowledged)
        const place = (text: string): number => states.findLastIndex(state => state.text === text)
        if (store.failure) {
          await expectReading(store, fs)
          if (acknowledged >= 0) expect(place(textOf(store, fs)), where).toBeGreaterThanOrEqual(acknowledged)
        } else expect(failure, where).toBeUndefined()
        // Read on another machine, say, before anything is mended.
        const left = fs.crash()
        left.plan = readOnlyDisk
        const reader = await open(left)
        const text = textOf(reader, left)
        await reader.close()
        if (acknowledged >= 0) expect(place(text), where).toBeGreaterThanOrEqual(acknowledged)
        left.plan = () => undefined
        const mended = await open(left)
        expect(textOf(mended, left), where).toBe(text)
        await mended.close()
      }
    },
  )

  it('keeps what a scan has brought, and neither goes on with it nor drops it', async () => {
    const fs = new FaultFileSystem()
    const driver = new StoreDriver(new Random(5), fs, { ...HISTORY_OPTIONS, firstSliceRows: 10 })
    await driver.open()
    for (let i = 0; i < 80; i++) driver.tree.step()
    await driver.beginScan(true)
    while (driver.scanStep()) {}
    await new Promise(resolve => driver.store.onOps(resolve))
    const shown = driver.replica.entries(ROOT.id).size
    expect(shown).toBeGreaterThan(0)
    fs.plan = fullDisk
    await expect(driver.endScan()).rejects.toBeInstanceOf(StorageError)
    await driver.store.abortScan(driver.store.rootStatus()[0]!.scanEpoch)
    expect(driver.replica.entries(ROOT.id).size).toBeGreaterThanOrEqual(shown)
    expect(driver.store.storageError?.state).toBe('full')
    await driver.store.close()
  })
})

function contentsOf(fs: FaultFileSystem): Map<string, string> {
  return new Map(fs.paths().map(path => [path, Buffer.from(fs.peek(path)).toString('base64')]))
}
