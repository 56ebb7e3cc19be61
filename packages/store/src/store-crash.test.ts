import { type EntryRow, Op, StorageError } from '@hotpath/model'
import { CRASH_DAMAGES, type CrashDamage, FaultFileSystem, type PlainChange, Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { LocalSegmentBackend } from './local-backend.js'
import { Store } from './store.js'
import { HISTORY_OPTIONS, runHistory } from './testing/history.js'
import { compareEntries, DATA, newReplica, ROOT, StoreDriver, stateOf, turns } from './testing/store-driver.js'

interface Recorded {
  readonly driver: StoreDriver
  /** States of the tree, each with the number of file operations when it was first acknowledged as durable. */
  readonly states: { readonly text: string; acknowledgedAt: number }[]
}

const OPTIONS = HISTORY_OPTIONS

/** Insert, flush, compact, scan again and switch, with every batch acknowledged before the next. */
async function record(fs: FaultFileSystem): Promise<Recorded> {
  const driver = new StoreDriver(new Random(11), fs, OPTIONS)
  const states: Recorded['states'] = []
  const note = async (): Promise<void> => {
    const state = { text: stateOf(driver.tree.entries()), acknowledgedAt: Number.POSITIVE_INFINITY }
    states.push(state)
    await driver.settle()
    state.acknowledgedAt = fs.operationCount
  }
  await driver.open()
  for (let i = 0; i < 40; i++) driver.tree.step()
  await driver.beginScan()
  await driver.endScan()
  await note()
  const changes = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await turns(1)
      await driver.deliver(driver.tree.step())
      await note()
    }
  }
  await changes(8)
  await driver.store.flush()
  // While segments are built and merged, changes go on.
  const flushing = driver.store.flush()
  await changes(8)
  await flushing
  await changes(2)
  const compacting = driver.store.compact()
  await changes(8)
  await compacting
  await changes(2)
  await driver.beginScan()
  await changes(4)
  await driver.endScan()
  await note()
  await changes(4)
  return { driver, states }
}

async function openAfter(fs: FaultFileSystem): Promise<{ store: Store; text: string; scanReason: string }> {
  const store = await Store.open({ directory: DATA, fs, backend: new LocalSegmentBackend(fs), ...OPTIONS })
  const replica = newReplica(fs, () => {})
  replica.apply(store.snapshotOps())
  const rows = new Map<string, EntryRow>([...replica.entries(ROOT.id)].map(([path, { row }]) => [path, row]))
  return { store, text: stateOf(rows), scanReason: store.rootStatus()[0]?.scanReason ?? 'new' }
}

/** States after a crash before one operation: one for each damage, and for a write one for each sector it is torn at. */
function* crashesAt(fs: FaultFileSystem, at: number, damage: CrashDamage): Generator<FaultFileSystem> {
  if (damage !== 'tornWrite') yield fs.crash(at, damage)
  else for (let sectors = 0; sectors < fs.tearsAt(at); sectors++) yield fs.crash(at, damage, sectors)
}

describe('power loss', () => {
  const LONG = process.env.SOAK === '1'
  const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
  /** Every operation, or one in so many from a random one on. */
  const STRIDE = LONG ? 1 : 2
  const LEAST_STATES = LONG ? 1_500 : 150

  it(`leaves a prefix with every acknowledged batch and no damage, in ${LEAST_STATES} states or more`, {
    timeout: LONG ? 1_800_000 : 120_000,
  }, async () => {
    const fs = new FaultFileSystem()
    const { driver, states } = await record(fs)
    let crashes = 0
    for (const damage of CRASH_DAMAGES) {
      for (let at = new Random(SEED + crashes).below(STRIDE); at <= fs.operationCount; at += STRIDE) {
        for (const after of crashesAt(fs, at, damage)) {
          crashes++
          await expectPrefix(after, states, at, `SEED=${SEED}, ${damage} before operation ${at}`)
        }
      }
    }
    expect(crashes).toBeGreaterThanOrEqual(LEAST_STATES)
    await driver.store.close()
  })

  async function expectPrefix(
    after: FaultFileSystem,
    states: Recorded['states'],
    at: number,
    where: string,
  ): Promise<void> {
    const { store, text, scanReason } = await openAfter(after)
    const acknowledged = states.findLastIndex(state => state.acknowledgedAt <= at)
    if (acknowledged < 0) {
      // The first scan had not ended: there is nothing yet, or its result, and the root says which.
      expect(text === '' ? scanReason : text, where).not.toBe('')
    } else
      expect(
        states.findLastIndex(state => state.text === text),
        where,
      ).toBeGreaterThanOrEqual(acknowledged)
    // What a power loss leaves is never taken for a disk that lies.
    expect(store.report.damaged, where).toEqual([])
    // What was recovered must itself be durable: a second loss right after changes nothing.
    const again = await openAfter(after.crash(after.operationCount, 'unsyncedNames'))
    expect(again.text, where).toBe(text)
    await again.store.close()
    await store.close()
    expect(after.openFiles).toBe(0)
  }
})

describe('a file call that fails', () => {
  it('stops the store, and reopening recovers every acknowledged batch', { timeout: 120_000 }, async () => {
    const clean = new FaultFileSystem()
    const { driver } = await record(clean)
    await driver.store.close()
    const total = clean.operationCount
    for (let at = 12; at < total; at += 1) {
      const fs = new FaultFileSystem()
      fs.failAt(at, at % 3 === 0 ? 'ENOSPC' : 'EIO')
      const { driver, states, failure } = await runHistory(fs)
      if (failure !== undefined) expect(failure).toBeInstanceOf(StorageError)
      if (driver.store.failure)
        await expect(driver.deliver(driver.tree.listing(driver.tree.root))).rejects.toThrow(StorageError)
      const { store, text } = await openAfter(fs.crash())
      const acknowledged = states.findLastIndex(state => state.isAcknowledged)
      if (acknowledged >= 0) {
        const found = states.findLastIndex(state => state.text === text)
        expect(found, `after a failure at operation ${at}`).toBeGreaterThanOrEqual(acknowledged)
      }
      await store.close()
    }
  })

  it('is not retried after a failed sync', async () => {
    const fs = new FaultFileSystem()
    const driver = new StoreDriver(new Random(3), fs, OPTIONS)
    await driver.open()
    await driver.beginScan()
    await driver.endScan()
    // The checkpoint behind the end of the scan must not be among the calls that are counted.
    await driver.store.flush()
    const before = stateOf(driver.tree.entries())
    // The next batch is one write and one sync.
    fs.failAt(fs.operationCount + 1, 'EIO')
    const change = createFile(driver)
    const { durable } = await driver.store.applyChanges(change)
    await expect(durable).rejects.toThrow(/EIO/)
    expect(driver.store.failure).toBeDefined()
    await expect(driver.store.applyChanges({ ...change, sequence: 2 })).rejects.toThrow(/has failed/)
    const operations = fs.operationCount
    await new Promise(setImmediate)
    expect(fs.operationCount).toBe(operations)
    const { store, text } = await openAfter(fs.crash())
    expect(text).toBe(before)
    await store.close()
  })
})

function createFile(driver: StoreDriver): Parameters<Store['applyChanges']>[0] {
  const row: EntryRow = { kind: 0, size: 1, ref: { low: 999, high: 0, birth: 7 } }
  const change: PlainChange = {
    op: Op.present,
    parentRef: driver.tree.refOf(driver.tree.root),
    name: 'new',
    row,
    observed: driver.tree.now(),
  }
  return driver.batch([change], 1)
}

describe('the crash test itself', () => {
  it('sees a lost entry', async () => {
    const driver = new StoreDriver(new Random(3))
    await driver.open()
    await driver.beginScan()
    await driver.endScan()
    driver.compare()
    const missing = new Map(driver.tree.entries())
    missing.set('root/ghost', { kind: 0, size: 1 })
    expect(() => compareEntries(driver.replica, missing)).toThrow(/ghost.* is missing/)
    await driver.store.close()
  })
})
