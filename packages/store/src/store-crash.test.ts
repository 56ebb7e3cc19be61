import type { EntryRow } from '@hotpath/model'
import { Op } from '@hotpath/model'
import {
  CRASH_DAMAGES,
  type CrashDamage,
  FaultFileSystem,
  type PlainChange,
  Random,
  type ReplicaModel,
} from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { LocalSegmentBackend } from './local-backend.js'
import { Store } from './store.js'
import { isStoreFile } from './store-files.js'
import { type CrashHistory, contentsOf, recordCrashHistory } from './testing/crash-history.js'
import { HISTORY_OPTIONS } from './testing/history.js'
import { compareEntries, DATA, newReplica, ROOT, StoreDriver, stateOf } from './testing/store-driver.js'

const OPTIONS = HISTORY_OPTIONS

async function openAfter(fs: FaultFileSystem): Promise<{ store: Store; replica: ReplicaModel }> {
  const store = await Store.open({ directory: DATA, fs, backend: new LocalSegmentBackend(fs), ...OPTIONS })
  const replica = newReplica(fs, () => {})
  replica.apply(store.snapshotOps())
  return { store, replica }
}

function entriesOf(replica: ReplicaModel): string {
  return stateOf(new Map<string, EntryRow>([...replica.entries(ROOT.id)].map(([path, { row }]) => [path, row])))
}

const LONG = process.env.SOAK === '1'
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
/** Every operation, or one in so many from a random one on. */
const STRIDE = LONG ? 1 : 6
const LEAST_STATES = LONG ? 1_500 : 150
/** Of one write: the sectors of a segment file are hundreds, and all the same to who reads it. */
const MOST_TEARS = LONG ? 12 : 3

/** Choices for a crash before one operation: one for each damage, and for a torn write some of the sectors it is torn at. */
function choicesAt(fs: FaultFileSystem, at: number, damage: CrashDamage, random: Random): number[] {
  if (damage !== 'tornWrite') return [random.below(0x7fffffff)]
  const tears = fs.tearsAt(at)
  if (tears <= MOST_TEARS) return Array.from({ length: tears }, (_, sectors) => sectors)
  return [0, tears - 1, ...Array.from({ length: MOST_TEARS - 2 }, () => random.below(tears))]
}

describe('power loss', () => {
  it(`leaves a prefix with every acknowledged step, in ${LEAST_STATES} states or more`, {
    timeout: LONG ? 1_800_000 : 120_000,
  }, async () => {
    const fs = new FaultFileSystem()
    const history = await recordCrashHistory(fs)
    expect(fs.openFiles).toBe(0)
    expect(fs.operationCount).toBeGreaterThanOrEqual(300)
    const random = new Random(SEED)
    let crashes = 0
    for (const damage of CRASH_DAMAGES) {
      for (let at = random.below(STRIDE); at <= fs.operationCount; at += STRIDE) {
        for (const choice of choicesAt(fs, at, damage, random)) {
          crashes++
          const where = `SEED=${SEED}, ${damage} ${choice} before operation ${at}`
          await expectPrefix(fs.crash(at, damage, choice), history, at, damage, where)
        }
      }
    }
    if (LONG) console.info(`${crashes} crash states of ${fs.operationCount} operations, SEED=${SEED}`)
    expect(crashes).toBeGreaterThanOrEqual(LEAST_STATES)
  })

  async function expectPrefix(
    after: FaultFileSystem,
    { states, damaged }: CrashHistory,
    at: number,
    damage: CrashDamage,
    where: string,
  ): Promise<void> {
    const { store, replica } = await openAfter(after)
    const text = contentsOf(replica, after)
    const acknowledged = states.findLastIndex(state => state.acknowledgedAt <= at)
    if (acknowledged < 0) {
      // The first scan had not ended: there is nothing yet, or its result, and the root says which.
      const isEmpty = replica.entries(ROOT.id).size === 0
      if (isEmpty) expect(store.rootStatus()[0]?.scanReason, where).not.toBe('')
      else expect(text, where).toBe(states[0].text)
    } else {
      const found = states.findIndex((state, i) => i >= acknowledged && state.text === text)
      expect(found, where).toBeGreaterThanOrEqual(acknowledged)
      expect(states[found].sentAt, where).toBeLessThanOrEqual(at)
    }
    // What a power loss leaves is never taken for a disk that lies: but a record that is there behind one that is not looks so.
    const blamed = store.report.damaged.filter(({ name }) => name !== damaged)
    if (damage === 'reordered') expect(blamed.every(({ name }) => name.endsWith('.log'))).toBe(true)
    else expect(blamed, where).toEqual([])
    expectNoUnknownFile(after, store, where)
    // What was recovered must itself be durable: a second loss right after changes nothing.
    const lost = after.crash(after.operationCount, 'unsyncedNames')
    const again = await openAfter(lost)
    expect(contentsOf(again.replica, lost), where).toBe(text)
    await again.store.close()
    await store.close()
    expect(after.openFiles, where).toBe(0)
    expect(lost.openFiles, where).toBe(0)
  }

  /** Segments are those of the store; nothing half-written is left, and nothing that nobody will ever remove. */
  function expectNoUnknownFile(fs: FaultFileSystem, store: Store, where: string): void {
    const names = fs.paths().map(path => path.slice(DATA.length + 1))
    const own = names.filter(isStoreFile)
    expect(
      own.filter(name => name.endsWith('.tmp')),
      where,
    ).toEqual([])
    const segments = own.filter(name => name.endsWith('.seg')).map(name => `${DATA}/${name}`)
    expect(segments.sort(), where).toEqual(
      store
        .sizes()
        .map(({ file }) => file)
        .sort(),
    )
    const others = names.filter(name => !isStoreFile(name) && !name.endsWith('.damaged'))
    expect(
      others.filter(name => !name.startsWith('imported-roots.json')),
      where,
    ).toEqual([])
  }
})

describe('a file call that fails', () => {
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
    const { store, replica } = await openAfter(fs.crash())
    expect(entriesOf(replica)).toBe(before)
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
