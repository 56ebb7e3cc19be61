import { type EntryRow, Kind, type NodeRef, Op } from '@hotpath/model'
import { changeColumns, entryColumns, type FaultFileSystem, type PlainChange } from '@hotpath/testing'
import { expect, it } from 'vitest'
import { LocalSegmentBackend } from './local-backend.js'
import { Store } from './store.js'
import { Scene } from './testing/scene.js'
import { DATA } from './testing/store-driver.js'

const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }
const FOLLOWED = { source: 'w/1', term: 3, bootId: 'boot-1' }

function present(name: string, observed: number): PlainChange {
  const row: EntryRow = { kind: Kind.file, size: 1, ref: { low: observed, high: 0, birth: 7 } }
  return { op: Op.present, parentRef: ROOT_REF, name, row, observed }
}

function reopen(fs: FaultFileSystem, now: () => number): Promise<Store> {
  return Store.open({ directory: DATA, fs, backend: new LocalSegmentBackend(fs), now })
}

it('how a root is followed is there after a restart, also after one that nobody ordered', async () => {
  let now = 1_000
  const scene = await Scene.open(ROOT_REF, { now: () => now })
  expect(scene.store.rootStatus()[0]).toMatchObject({ followed: null, trust: 'none', wholeUntilMs: 1_000 })
  now = 2_000
  await scene.store.noteFollowing('root', { followed: FOLLOWED, trust: 'full', isWhole: true })
  const store = await reopen(scene.fs.crash(), () => 9_000)
  expect(store.rootStatus()[0]).toMatchObject({ followed: FOLLOWED, trust: 'full', wholeUntilMs: 2_000 })
  await store.close()
  await scene.close()
})

it('writes nothing where a restart would find the same', async () => {
  const scene = await Scene.open(ROOT_REF)
  await scene.store.noteFollowing('root', { followed: FOLLOWED, trust: 'full', isWhole: true })
  // What the end of the scan has left to do.
  await scene.store.flush()
  const before = scene.fs.operationCount
  await scene.store.noteFollowing('root', { followed: { ...FOLLOWED }, trust: 'full', isWhole: false })
  await scene.store.noteFollowing('nowhere', { followed: null, trust: 'none', isWhole: false })
  expect(scene.fs.operationCount).toBe(before)
  await scene.store.noteFollowing('root', { followed: null, trust: 'none', isWhole: false })
  expect(scene.fs.operationCount).toBeGreaterThan(before)
  await scene.close()
})

it('the time until which nothing is missing moves on with manifests while a root is whole, and never without', async () => {
  let now = 1_000
  const scene = await Scene.open(ROOT_REF, { now: () => now })
  await scene.store.noteFollowing('root', { followed: FOLLOWED, trust: 'full', isWhole: true })
  now = 5_000
  await scene.send([present('a', 2_000)])
  await scene.store.flush()
  expect(scene.store.rootStatus()[0]?.wholeUntilMs).toBe(5_000)
  await scene.store.noteFollowing('root', { followed: FOLLOWED, trust: 'full', isWhole: false })
  now = 7_000
  await scene.send([present('b', 2_001)])
  await scene.store.flush()
  expect(scene.store.rootStatus()[0]?.wholeUntilMs).toBe(5_000)
  await scene.close()
  // Opening writes a manifest, and nobody is known to follow yet.
  for (let opening = 0; opening < 2; opening++) {
    const store = await reopen(scene.fs, () => 9_000)
    expect(store.rootStatus()[0]).toMatchObject({ trust: 'full', wholeUntilMs: 5_000 })
    await store.close()
  }
})

it('is distrusted where the log shows that a batch never came', async () => {
  const scene = await Scene.open(ROOT_REF)
  const batch = (sequence: number) => ({
    root: 'root',
    source: 'w/1',
    sequence,
    bootId: 'boot-1',
    changes: changeColumns([present(`f${sequence}`, 2_000 + sequence)]),
  })
  await scene.store.noteFollowing('root', { followed: FOLLOWED, trust: 'full', isWhole: true })
  for (const sequence of [1, 2]) await (await scene.store.applyChanges(batch(sequence))).durable
  const whole = await reopen(scene.fs.crash(), Date.now)
  expect(whole.rootStatus()[0]).toMatchObject({ followed: FOLLOWED, trust: 'full' })
  await whole.close()
  const { gap, durable } = await scene.store.applyChanges(batch(4))
  expect(gap).toBe(true)
  await durable
  const store = await reopen(scene.fs.crash(), Date.now)
  expect(store.rootStatus()[0]).toMatchObject({ followed: null, trust: 'none' })
  await store.close()
  await scene.close()
})

it('knows a change journal up to where the scan began, then up to where changes are, and nothing after a loss', async () => {
  const scene = await Scene.open(ROOT_REF)
  const { store } = scene
  const journal = () => store.rootStatus()[0]?.journal
  expect(journal()).toBe(null)
  await store.noteJournal('root', 0, { id: 'j', next: 50 })
  expect(journal()).toBe(null)
  const scan = async (position?: { id: string; next: number }) => {
    const epoch = await store.beginScan('root', { bootId: 'boot-1', startedAt: 3_000, journal: position })
    const row: EntryRow = { kind: Kind.directory, size: Number.NaN, ref: ROOT_REF }
    store.addEntries(epoch, 1, entryColumns([{ parent: 0, directory: 1, kind: Kind.directory, name: 'r', row }]), {
      directory: Uint32Array.of(1),
      observed: Float64Array.of(3_001),
    })
    await store.endScan(epoch, { lastSequence: 1 })
  }
  await scan({ id: 'j', next: 100 })
  expect(journal()).toEqual({ id: 'j', next: 100 })
  // Neither another journal, nor what leaves a part out, nor what is known.
  for (const [from, id, next] of [
    [0, 'k', 200],
    [101, 'j', 200],
    [0, 'j', 90],
  ] as const)
    await store.noteJournal('root', from, { id, next })
  expect(journal()).toEqual({ id: 'j', next: 100 })
  await store.noteJournal('root', 90, { id: 'j', next: 200 })
  const again = await reopen(scene.fs.crash(), () => 9_000)
  expect(again.rootStatus()[0]?.journal).toEqual({ id: 'j', next: 200 })
  await again.forgetJournal('root')
  expect(again.rootStatus()[0]?.journal).toBe(null)
  await again.close()
  await scan()
  expect(journal()).toBe(null)
  await scene.close()
})
