import { type EngineOp, Kind, type NodeRef, Op } from '@hotpath/model'
import { entryColumns, FaultFileSystem, type PlainChange } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { LocalSegmentBackend } from './local-backend.js'
import { filesOf, Scene } from './testing/scene.js'

const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }
const ROW = { kind: Kind.file, size: 2, ref: { low: 2, high: 0, birth: 7 } }
const A: PlainChange = { op: Op.present, parentRef: ROOT_REF, name: 'a', row: ROW, observed: 1001 }

describe('readers', () => {
  it('keep the files of segments until they let go', async () => {
    const scene = await Scene.open(ROOT_REF)
    const slow = scene.store.registerReader()
    const gone = scene.store.registerReader()
    const dropped: number[] = []
    scene.store.onOps(ops => {
      for (const op of ops) if (op.op === 'dropSegment') dropped.push(op.segment)
    })
    await scene.send([A])
    await scene.store.compact()
    await new Promise(setImmediate)
    expect(dropped.length).toBeGreaterThan(1)
    expect(filesOf(scene.fs, '.seg')).toHaveLength(dropped.length + 1)
    for (const segment of dropped) slow.confirmDropped(segment)
    await new Promise(setImmediate)
    expect(filesOf(scene.fs, '.seg')).toHaveLength(dropped.length + 1)
    gone.close()
    await new Promise(setImmediate)
    expect(filesOf(scene.fs, '.seg')).toHaveLength(1)
    await scene.close()
  })

  it('need not wait for a merge of a segment that is set aside before it is read', async () => {
    const fs = new FaultFileSystem()
    const backend = new GatedBackend(fs)
    const scene = await Scene.open(ROOT_REF, {}, fs, backend)
    await scene.send([A])
    const compacted = scene.store.compact()
    await backend.asked
    const [segment] = filesOf(fs, '.seg')
    fs.damage(segment, bytes => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte)))
    await scene.store.verify()
    backend.go()
    await compacted
    expect(scene.store.failure).toBeUndefined()
    expect(scene.store.rootStatus()[0]).toMatchObject({ scanReason: 'damaged segment', partial: true })
    await scene.close()
  })

  it('may let go as soon as they are told to', async () => {
    const scene = await Scene.open(ROOT_REF)
    const reader = scene.store.registerReader()
    const segments = new Map<number, Set<number>>()
    const dropView = (view: number) => {
      for (const segment of segments.get(view) ?? []) reader.confirmDropped(segment)
      segments.delete(view)
    }
    let active = 0
    const told = (op: EngineOp) => {
      if (op.op === 'createView') segments.set(op.view, new Set())
      else if (op.op === 'addSegment') segments.get(op.view)?.add(op.segment)
      else if (op.op === 'dropView') dropView(op.view)
      else if (op.op === 'activateView') {
        if (active !== op.view) dropView(active)
        active = op.view
      } else if (op.op === 'dropSegment') {
        segments.get(op.view)?.delete(op.segment)
        reader.confirmDropped(op.segment)
      }
    }
    for (const op of scene.store.snapshotOps()) told(op)
    scene.store.onOps(ops => ops.forEach(told))
    const settled = () => new Promise(setImmediate)
    await scene.send([A])
    await scene.store.compact()
    await settled()
    expect(filesOf(scene.fs, '.seg')).toHaveLength(1)
    await scanAgain(scene)
    await settled()
    expect(filesOf(scene.fs, '.seg')).toHaveLength(1)
    await scanAgain(scene, { isAborted: true })
    await settled()
    expect(filesOf(scene.fs, '.seg')).toHaveLength(1)
    await scene.store.removeRoot('root')
    await settled()
    expect(filesOf(scene.fs, '.seg')).toEqual([])
    await scene.close()
  })
})

/** Merges read their inputs when the test says so. */
class GatedBackend extends LocalSegmentBackend {
  private ask = (): void => {}
  /** Somebody wants to merge. */
  readonly asked = new Promise<void>(resolve => {
    this.ask = resolve
  })
  go = (): void => {}
  private readonly gate = new Promise<void>(resolve => {
    this.go = resolve
  })

  override async merge(...args: Parameters<LocalSegmentBackend['merge']>) {
    this.ask()
    await this.gate
    return await super.merge(...args)
  }
}

/** A new generation of the root alone. */
async function scanAgain(scene: Scene, { isAborted = false } = {}): Promise<void> {
  const epoch = await scene.store.beginScan('root', { bootId: 'boot-1', startedAt: 20 })
  const row = { ref: ROOT_REF }
  const { durable } = scene.store.addEntries(
    epoch,
    1,
    entryColumns([{ parent: 0, directory: 1, kind: Kind.directory, name: 'r', row }]),
    { directory: Uint32Array.of(1), observed: Float64Array.of(21) },
  )
  if (isAborted) {
    durable.catch(() => {})
    await scene.store.abortScan(epoch)
  } else {
    await scene.store.endScan(epoch, { lastSequence: 1 })
    await durable
  }
}
