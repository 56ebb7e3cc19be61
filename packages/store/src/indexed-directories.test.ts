import { DirectoryDigest, type EntryRow, Kind, type NodeRef, Op } from '@hotpath/model'
import { type PlainChange, Random, type TreeNode } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import type { DigestSum, IndexedDirectories } from './indexed-directories.js'
import { Scene } from './testing/scene.js'
import { ROOT, StoreDriver } from './testing/store-driver.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const TREES = process.env.SOAK ? Number(process.env.SOAK) : 15
const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }

/** What a generator returns, and in how many steps. */
function finish<T>(steps: Generator<void, T>): { value: T; steps: number } {
  for (let count = 1; ; count++) {
    const next = steps.next()
    if (next.done) return { value: next.value, steps: count }
  }
}

function digestOf(driver: StoreDriver, directory: TreeNode): DigestSum {
  const digest = new DirectoryDigest()
  for (const [name, child] of directory.children ?? []) digest.add(Buffer.from(name), driver.tree.rowOf(child))
  return { count: digest.count, low: digest.low, high: digest.high }
}

function directoriesOf({ store }: Pick<StoreDriver, 'store'>, root: string): IndexedDirectories {
  const directories = store.directories(root)
  if (!directories) throw new Error('the root has no index')
  return directories
}

describe('directories as checks see them', () => {
  it(`are those of a walk of the tree, with the same digests and times (seed ${SEED})`, async () => {
    for (let tree = 0; tree < TREES; tree++) {
      const random = new Random(SEED + tree)
      const driver = new StoreDriver(random)
      await driver.open()
      expect(driver.store.directories(ROOT.id)).toBeUndefined()
      await driver.beginScan()
      await driver.endScan()
      for (let step = 0; step < 60; step++) {
        await driver.deliver(driver.tree.step())
        if (random.chance(0.05)) await driver.store.flush()
        if (random.chance(0.02)) await driver.store.compact()
      }
      const directories = directoriesOf(driver, ROOT.id)
      const ids = new Map<number, TreeNode>()
      for (const node of driver.tree.directories()) {
        const id = directories.find(driver.tree.refOf(node))
        expect(id, `seed ${SEED + tree}`).toBeGreaterThan(0)
        expect(id).toBeLessThan(directories.nextId)
        ids.set(id, node)
        const { modified } = driver.tree.rowOf(node)
        expect(directories.hasTimes(id, modified, undefined)).toBe(true)
        expect(directories.hasTimes(id, { seconds: (modified?.seconds ?? 0) + 1, ticks: 0 }, undefined)).toBe(false)
        expect(directories.hasTimes(id, modified, modified)).toBe(false)
        expect(finish(directories.digest(id)).value, `seed ${SEED + tree}`).toEqual(digestOf(driver, node))
        expect(directories.parentOf(id)).toBe(node.parent ? directories.find(driver.tree.refOf(node.parent)) : 0)
        const request = directories.requestOf(id)
        expect(request?.ref).toEqual(driver.tree.refOf(node))
        expect(directories.findAt(request?.path ?? new Uint8Array(0))).toBe(id)
      }
      expect([...directories.all()].sort()).toEqual([...ids.keys()].sort())
      expect(directories.find({ low: 999_999, high: 0, birth: 7 })).toBe(0)
      await driver.store.close()
    }
  })

  it('are summed up in steps, which notice what changes between them', async () => {
    const scene = await Scene.open(ROOT_REF)
    let time = 1_000
    const present = (name: string, low: number): PlainChange => {
      const row: EntryRow = { kind: Kind.file, size: low, ref: { low, high: 0, birth: 7 } }
      return { op: Op.present, parentRef: ROOT_REF, name, row, observed: ++time }
    }
    await scene.send(Array.from({ length: 3_000 }, (_, i) => present(`f${i}`, i + 10)))
    await scene.store.flush()
    await scene.send(Array.from({ length: 3_000 }, (_, i) => present(`g${i}`, i + 10_000)))
    const directories = directoriesOf(scene, 'root')
    const root = directories.find(ROOT_REF)
    const { value, steps } = finish(directories.digest(root))
    expect(steps).toBe(6)
    expect(value?.count).toBe(6_000)
    for (const change of [
      () => scene.send([present('f5', 5_000_000)]),
      () => scene.send([{ op: Op.absent, parentRef: ROOT_REF, name: 'g7', observed: ++time }]),
      () => scene.store.flush(),
      () => scene.store.compact(),
    ]) {
      const sum = directories.digest(root)
      sum.next()
      await change()
      expect(finish(sum).value).toBeUndefined()
    }
    const again = directories.digest(root)
    again.next()
    // Another directory is none of its business.
    await scene.send([{ ...present('h', 77), parentRef: { low: 4_711, high: 0, birth: 7 } }])
    expect(finish(again).value?.count).toBe(5_999)
    await scene.close()
  })

  it('tell entries apart as their digests do', async () => {
    const scene = await Scene.open(ROOT_REF)
    const present = (name: string, size: number, observed: number): PlainChange => ({
      op: Op.present,
      parentRef: ROOT_REF,
      name,
      row: { kind: Kind.file, size, ref: { low: 5 + name.length, high: 0, birth: 7 } },
      observed,
    })
    await scene.send([present('a', 1, 2_000), present('bb', 2, 2_001)])
    const directories = directoriesOf(scene, 'root')
    const root = directories.find(ROOT_REF)
    const before = finish(directories.entries(root)).value
    await scene.send([present('a', 3, 2_002)])
    const after = finish(directories.entries(root)).value
    expect([...(before?.keys() ?? [])].sort()).toEqual(['a', 'bb'])
    expect(after?.get('a')).not.toBe(before?.get('a'))
    expect(after?.get('bb')).toBe(before?.get('bb'))
    await scene.close()
  })
})
