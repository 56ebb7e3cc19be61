import { type EntryRow, Kind, type NodeRef, Op } from '@hotpath/model'
import { CRASH_DAMAGES, FaultFileSystem, type PlainChange, Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { LocalSegmentBackend } from './local-backend.js'
import { Store } from './store.js'
import { partsOf } from './testing/listing-parts.js'
import { Scene } from './testing/scene.js'
import { compareEntries, DATA, newReplica, ROOT, StoreDriver, stateOf, turns } from './testing/store-driver.js'

const FIRST_SEED = Number(process.env.SEED ?? 1)
const seeds = Array.from({ length: process.env.SEED ? 1 : process.env.SOAK ? 2_000 : 24 }, (_, i) => FIRST_SEED + i)

describe('listings in parts', () => {
  it.each(seeds)('come to what is there, whatever happens between them, seed %i', async seed => {
    const random = new Random(seed)
    const driver = new StoreDriver(random, undefined, {
      flushRows: 8 + random.below(40),
      sliceRows: 10,
      maxWalBytes: 20_000,
    })
    await driver.open()
    for (let left = 20 + random.below(60); left > 0; left--) driver.tree.step()
    await driver.beginScan()
    await driver.endScan()
    for (let round = 0; round < 4; round++) {
      // Nobody is told of these.
      for (let left = 1 + random.below(20); left > 0; left--) driver.tree.step()
      for (const directory of driver.tree.directories()) {
        for (const part of partsOf(driver.tree, directory, 1 + random.below(4))) {
          await driver.deliver(part)
          const roll = random.below(100)
          if (roll < 30) await driver.deliver(driver.tree.step())
          else if (roll < 40) await turns(random.below(6))
          else if (roll < 48) await driver.store.flush()
          else if (roll < 51) await driver.store.compact()
          else if (roll < 55) await driver.killAndReopen(random.pick(CRASH_DAMAGES))
          else if (roll < 57) await driver.closeAndReopen()
        }
      }
      driver.compare()
      driver.checkStale()
    }
    await driver.store.close()
    expect(driver.fs.openFiles).toBe(0)
  })

  it.each(CRASH_DAMAGES)('survive power loss between any two parts (%s)', { timeout: 120_000 }, async damage => {
    const fs = new FaultFileSystem()
    const driver = new StoreDriver(new Random(5), fs, { flushRows: 1_000_000, sliceRows: 20 })
    await driver.open()
    while (driver.tree.entries().size < 60) driver.tree.step()
    await driver.beginScan()
    await driver.endScan()
    await driver.store.flush()
    const shown = () =>
      new Map<string, EntryRow>([...driver.replica.entries(ROOT.id)].map(([path, { row }]) => [path, row]))
    const states = [{ text: stateOf(shown()), acknowledgedAt: fs.operationCount }]
    const batches: ReturnType<StoreDriver['batch']>[] = []
    const send = async (changes: readonly PlainChange[]): Promise<void> => {
      const batch = driver.batch(changes, batches.length + 1)
      batches.push(batch)
      const { durable } = await driver.store.applyChanges(batch)
      const state = { text: stateOf(shown()), acknowledgedAt: Number.POSITIVE_INFINITY }
      states.push(state)
      await durable
      state.acknowledgedAt = fs.operationCount
    }
    for (let i = 0; i < 12; i++) driver.tree.step()
    let upkeep = Promise.resolve()
    for (const directory of driver.tree.directories()) {
      for (const part of partsOf(driver.tree, directory, 2)) {
        if (batches.length % 7 === 3) upkeep = batches.length % 2 === 0 ? driver.store.compact() : driver.store.flush()
        await send(part)
      }
    }
    await upkeep
    compareEntries(driver.replica, driver.tree.entries())
    const last = states.at(-1)!.text
    const total = fs.operationCount
    expect(batches.length).toBeGreaterThan(20)
    for (let at = states[0].acknowledgedAt; at <= total; at++) {
      const after = fs.crash(at, damage)
      const store = await Store.open({
        directory: DATA,
        fs: after,
        backend: new LocalSegmentBackend(after),
        flushRows: 1_000_000,
      })
      const replica = newReplica(after, () => {})
      replica.apply(store.snapshotOps())
      store.onOps(ops => replica.apply(ops))
      const text = () => stateOf(new Map([...replica.entries(ROOT.id)].map(([path, { row }]) => [path, row])))
      const acknowledged = states.findLastIndex(state => state.acknowledgedAt <= at)
      expect(
        states.slice(acknowledged).map(state => state.text),
        `after operation ${at}`,
      ).toContain(text())
      // The watcher sends again what was not acknowledged, and goes on.
      for (const batch of batches.slice(acknowledged)) await store.applyChanges(batch)
      expect(text()).toBe(last)
      await store.close()
      expect(after.openFiles).toBe(0)
    }
    await driver.store.close()
  })
})

const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }
const file = (low: number): EntryRow => ({ kind: Kind.file, size: 1, ref: { low, high: 0, birth: 7 } })

describe.each(['delta', 'segment'] as const)('a part of a listing, over rows of the %s', place => {
  async function sceneOf(names: readonly string[]): Promise<Scene> {
    const scene = await Scene.open(ROOT_REF)
    await scene.send(
      names.map((name, i) => ({ op: Op.present, parentRef: ROOT_REF, name, row: file(10 + i), observed: 100 })),
    )
    if (place === 'segment') await scene.store.flush()
    return scene
  }

  function part(from: string, before: string, present: readonly string[], observed = 200): PlainChange[] {
    return [
      ...present.map((name, i) => ({ op: Op.present, parentRef: ROOT_REF, name, row: file(50 + i), observed })),
      { op: Op.listedFrom, parentRef: ROOT_REF, name: from, observed },
      { op: Op.listedBefore, parentRef: ROOT_REF, name: before, observed },
    ]
  }

  it('removes what is in its range and not in it, by key and not by byte', async () => {
    const scene = await sceneOf(['a', 'B', 'c', 'É', 'e', 'Z'])
    await scene.send(part('b', 'f', ['c']))
    // B is before b although their keys are equal; É is an e here.
    expect(scene.paths()).toEqual(['r', 'r/B', 'r/Z', 'r/a', 'r/c'])
    await scene.send(part('', 'B', []))
    expect(scene.paths()).toEqual(['r', 'r/B', 'r/Z', 'r/c'])
    await scene.send(part('d', '', ['new']))
    expect(scene.paths()).toEqual(['r', 'r/B', 'r/c', 'r/new'])
    await scene.close()
  })

  it('removes nothing where its names are not in its range, and has the directory asked for', async () => {
    for (const wrong of [part('b', 'f', ['z']), part('f', 'b', []), part('b', 'b', [])]) {
      const scene = await sceneOf(['a', 'c'])
      const { listRequests } = await scene.send(wrong)
      expect(listRequests.map(({ ref }) => ref)).toEqual([ROOT_REF])
      expect(scene.paths()).toEqual(expect.arrayContaining(['r/a', 'r/c']))
      await scene.close()
    }
  })

  it('says that the directory is known only if it is the last one', async () => {
    const scene = await sceneOf([])
    const parentRef = { low: 2, high: 0, birth: 7 }
    await scene.send([
      { op: Op.present, parentRef: ROOT_REF, name: 'd', row: { ...file(2), kind: Kind.directory }, observed: 150 },
    ])
    const of = (changes: PlainChange[]) => changes.map(change => ({ ...change, parentRef }))
    expect((await scene.send(of(part('', 'm', ['a'])))).listRequests).toEqual([])
    expect(scene.store.listRequests('root').map(({ ref }) => ref)).toEqual([parentRef])
    await scene.send(of(part('m', '', ['n'])))
    expect(scene.store.listRequests('root')).toEqual([])
    await scene.close()
  })

  it('is refused without its second bound', async () => {
    const scene = await sceneOf(['a'])
    await expect(scene.send(part('', '', []).slice(0, 1))).rejects.toThrow(/part of a listing/)
    await expect(scene.send(part('', '', []).slice(1))).rejects.toThrow(/part of a listing/)
    expect(scene.paths()).toEqual(['r', 'r/a'])
    await scene.close()
  })
})

describe('a part of a listing, over rows of the delta', () => {
  it('keeps what was seen later', async () => {
    const scene = await Scene.open(ROOT_REF)
    await scene.send([{ op: Op.present, parentRef: ROOT_REF, name: 'new', row: file(9), observed: 300 }])
    await scene.send([
      { op: Op.listedFrom, parentRef: ROOT_REF, name: '', observed: 200 },
      { op: Op.listedBefore, parentRef: ROOT_REF, name: '', observed: 200 },
    ])
    expect(scene.paths()).toEqual(['r', 'r/new'])
    await scene.close()
  })
})
