import { type EntryRow, Kind, type NodeRef, Op } from '@hotpath/model'
import type { PlainChange } from '@hotpath/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { STEP_ROWS } from './apply.js'
import { LocalSegmentBackend } from './local-backend.js'
import { Store } from './store.js'
import { Scene } from './testing/scene.js'
import { DATA, newReplica } from './testing/store-driver.js'

const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }
const ROWS = 1_000
/** Turns of the event loop between the steps of a batch. */
const TURNS = Math.ceil(ROWS / STEP_ROWS) - 1

function file(i: number): PlainChange {
  const row: EntryRow = { kind: Kind.file, size: i, ref: { low: 10 + i, high: 0, birth: 7 } }
  return { op: Op.present, parentRef: ROOT_REF, name: `f${i}`, row, observed: 1_000 + i }
}

const files = (count: number, from = 0): PlainChange[] => Array.from({ length: count }, (_, i) => file(from + i))

/** Counts turns of the event loop until `work` is done, and calls `each` in each. */
async function turnsDuring(work: () => Promise<unknown>, each: () => void = () => {}): Promise<number> {
  let turns = 0
  let over = false
  const counting = (async () => {
    for (;;) {
      await new Promise(setImmediate)
      if (over) return
      turns++
      each()
    }
  })()
  await work()
  over = true
  await counting
  return turns
}

describe('a large batch', () => {
  let scene: Scene

  beforeEach(async () => {
    scene = await Scene.open(ROOT_REF)
  })

  afterEach(() => scene.close())

  it('leaves others their turns, and is shown at its end, all of it', async () => {
    const seen = new Set<number>()
    const turns = await turnsDuring(
      () => scene.send(files(ROWS)),
      () => seen.add(scene.paths().length),
    )
    expect(turns).toBeGreaterThanOrEqual(TURNS)
    expect([...seen].filter(count => count !== 1 && count !== ROWS + 1)).toEqual([])
    expect(scene.paths()).toHaveLength(ROWS + 1)
  })

  it('is whole in a segment that is asked for meanwhile, and with those that come after it', async () => {
    const first = scene.send(files(ROWS))
    const flushed = scene.store.flush()
    await new Promise(setImmediate)
    const second = scene.send(files(5, ROWS))
    expect(scene.store.rootStatus()[0]?.deltaRows).toBeLessThan(ROWS)
    await Promise.all([first, flushed, second])
    await (await second).durable
    const after = scene.fs.crash(scene.fs.operationCount, 'unsyncedBytes')
    const store = await Store.open({ directory: DATA, fs: after, backend: new LocalSegmentBackend(after) })
    const replica = newReplica(after, () => {})
    replica.apply(store.snapshotOps())
    expect(replica.entries('root').size).toBe(ROWS + 5 + 1)
    expect(store.report.replayedRows).toBe(5)
    await store.close()
  })

  it('is part of what `changesApplied` waits for, and of the clock then', async () => {
    const before = scene.store.clock().applied
    const applied = scene.send(files(ROWS))
    expect(scene.store.clock().applied).toBe(before)
    await scene.store.changesApplied()
    expect(scene.store.clock().applied).toBe(before + 1)
    expect((await applied).clock).toBe(before + 1)
    expect(scene.paths()).toHaveLength(ROWS + 1)
  })

  it('is forgotten with a root that is removed meanwhile', async () => {
    const applied = scene.send(files(ROWS))
    await Promise.all([scene.store.removeRoot('root'), applied])
    expect(scene.replica.roots()).toEqual([])
    await expect(scene.send([file(1)])).rejects.toThrow(/root/)
  })

  it('is applied to its end before the store is closed', async () => {
    const applied = scene.send(files(ROWS))
    await scene.store.close()
    await (await applied).durable
    expect(scene.paths()).toHaveLength(ROWS + 1)
    await expect(scene.send([file(1)])).rejects.toThrow(/closing/)
  })
})
