import { type EntryRow, Kind, type RootSpec } from '@hotpath/model'
import { entryColumns, type FaultFileSystem, Random, type ReplicaModel } from '@hotpath/testing'
import { publishFile } from '../file-system.js'
import { HISTORY_OPTIONS } from './history.js'
import { partsOf } from './listing-parts.js'
import { DATA, ROOT, StoreDriver, stateOf, turns } from './store-driver.js'

/** What queries see, and with how many file operations it was first asked for and acknowledged. */
export interface RecordedState {
  readonly text: string
  readonly sentAt: number
  acknowledgedAt: number
}

export interface CrashHistory {
  readonly states: readonly RecordedState[]
  /** The segment that was set aside on the way. */
  readonly damaged: string
}

const SECOND: RootSpec = { id: 'tree:second', kind: 'tree', path: '/second' }
const IMPORTED = 'imported-roots.json'

/** Everything that a data directory says: entries of both roots, and the roots that were added by hand. */
export function contentsOf(replica: ReplicaModel, fs: FaultFileSystem): string {
  const entries = [ROOT, SECOND].map(({ id }) =>
    stateOf(new Map<string, EntryRow>([...replica.entries(id)].map(([path, { row }]) => [path, row]))),
  )
  const file = `${DATA}/${IMPORTED}`
  const imported = fs.paths().includes(file) ? JSON.parse(Buffer.from(fs.peek(file)).toString()) : []
  return [...entries, JSON.stringify(imported)].join('\n--\n')
}

/**
 * Everything that writes, one after the other and, where that can be, at once: scans, changes, listings in parts, flushes,
 * merges, a scan that is switched to, roots added by hand, a second root whose segment is set aside, scanned again, and that
 * is removed. Closes the store.
 */
export async function recordCrashHistory(fs: FaultFileSystem): Promise<CrashHistory> {
  const states: RecordedState[] = []
  const driver = new StoreDriver(new Random(11), fs, HISTORY_OPTIONS)
  let sentAt = 0
  const note = (): void => {
    states.push({ text: contentsOf(driver.replica, fs), sentAt, acknowledgedAt: Number.POSITIVE_INFINITY })
  }
  driver.onTaken = note
  /** One step: what it asks for is seen when it returns, and acknowledged when it is settled. */
  const step = async (work: () => Promise<void> | void): Promise<void> => {
    sentAt = fs.operationCount
    await work()
    driver.compare()
    note()
    await driver.settle()
    for (const state of states) state.acknowledgedAt = Math.min(state.acknowledgedAt, fs.operationCount)
  }
  const changes = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await turns(1)
      await step(() => driver.deliver(driver.tree.step()))
    }
  }
  const importRoots = (count: number) =>
    step(async () => {
      const roots = Array.from({ length: count }, (_, i) => ({ kind: 'tree', path: `/imported/${i}` }))
      await publishFile(fs, DATA, IMPORTED, Buffer.from(JSON.stringify(roots)))
    })

  await driver.open()
  for (let i = 0; i < 40; i++) driver.tree.step()
  await driver.beginScan()
  await step(() => driver.endScan())
  await changes(10)
  await step(() => driver.store.flush())
  // While segments are built and merged, changes go on.
  const flushing = driver.store.flush()
  await changes(8)
  await flushing
  await importRoots(1)
  const compacting = driver.store.compact()
  await changes(8)
  await compacting

  await step(() => scanSecond(driver))
  await changes(3)
  const [segment] = driver.store.sizes().filter(({ root }) => root === SECOND.id)
  const damaged = `seg-${String(segment.segment).padStart(12, '0')}.seg`
  await step(async () => {
    fs.damage(`${DATA}/${damaged}`, bytes => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte)))
    await driver.store.verify(segment.segment)
  })
  await changes(3)
  await step(() => scanSecond(driver))
  await importRoots(2)

  for (let i = 0; i < 10; i++) driver.tree.step()
  await step(async () => {
    for (const directory of driver.tree.directories()) {
      for (const part of partsOf(driver.tree, directory, 2)) await driver.deliver(part)
    }
  })
  await driver.beginScan()
  await changes(4)
  await step(() => driver.endScan())
  await changes(4)
  await step(() => driver.store.removeRoot(SECOND.id))
  await step(() => driver.store.flush())
  await changes(24)
  await driver.store.close()
  return { states, damaged }
}

/** A scan of a second, small tree. */
async function scanSecond({ store }: StoreDriver): Promise<void> {
  await store.addRoot(SECOND, { volume: 'w', prefix: new Uint8Array(0), virtualRoot: false })
  const epoch = await store.beginScan(SECOND.id, { bootId: 'boot-1', startedAt: 1 })
  const ref = (low: number) => ({ low, high: 0, birth: 9 })
  const rows = Array.from({ length: 5 }, (_, i) => ({
    parent: 1,
    directory: 0,
    kind: Kind.file,
    name: `file-${i}`,
    row: { kind: Kind.file, size: i, ref: ref(10 + i) },
  }))
  const root = { kind: Kind.directory, size: Number.NaN, ref: ref(1) }
  store.addEntries(
    epoch,
    1,
    entryColumns([{ parent: 0, directory: 1, kind: Kind.directory, name: 'second', row: root }, ...rows]),
    { directory: Uint32Array.of(1), observed: Float64Array.of(2) },
  )
  await store.endScan(epoch, { lastSequence: 1 })
}
