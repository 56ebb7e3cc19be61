import { type ChangeBatch, Kind, type NodeRef, Op } from '@hotpath/model'
import { changeColumns, type PlainChange } from '@hotpath/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { View } from './view.js'
import { WaitingChanges } from './waiting-changes.js'

const BOOT = 'boot-1'

function ref(low: number): NodeRef {
  return { low, high: 0, birth: 7 }
}

let sequence = 0
function batch(...changes: PlainChange[]): ChangeBatch {
  return { root: 'r', source: 'w', sequence: ++sequence, bootId: BOOT, changes: changeColumns(changes) }
}

function file(name: string, low: number): PlainChange {
  return { op: Op.present, parentRef: ref(1), name, row: { kind: Kind.file, size: 1, ref: ref(low) }, observed: 100 }
}

describe('changes that wait for a scan', () => {
  let view: View
  const names = (): string[] => view.childrenOf(1).map(live => Buffer.from(view.nameOf(live)).toString())

  beforeEach(() => {
    view = new View({ id: 1, root: 'r', volume: 'v', prefix: new Uint8Array(0), virtualRoot: false })
    const observed = { boot: view.bootIndex(BOOT), time: 1 }
    view.put(0, 1, Buffer.from('r'), { kind: Kind.directory, size: Number.NaN, ref: ref(1) }, observed)
    view.nextDirectoryId = 2
  })

  it('are applied in order, a batch a turn, with those that come meanwhile', async () => {
    const changes = new WaitingChanges(100, 128)
    changes.keep(batch(file('a', 2)))
    changes.keep(batch(file('b', 3)))
    const seen: string[] = []
    const done = changes.applyTo(
      view,
      () => {
        seen.push(names().join())
        if (seen.length === 2) changes.keep(batch(file('c', 4)))
        expect(changes.areApplied).toBe(false)
      },
      () => {},
    )
    expect(seen).toEqual(['a'])
    await done
    expect(seen).toEqual(['a', 'a,b', 'a,b,c'])
    expect(changes.areApplied).toBe(true)
  })

  it('leave no moment in which a batch is neither kept nor for the view', async () => {
    const changes = new WaitingChanges(100, 128)
    changes.keep(batch(file('a', 2)))
    let batches = 1
    let applied = 0
    const send = (): void => {
      if (!changes.areApplied) changes.keep(batch(file(`f${++batches}`, 2 + batches)))
    }
    await changes.applyTo(
      view,
      () => {
        applied++
        if (batches < 5) send()
      },
      // The first moment in which somebody else can run after the last batch.
      () => {
        if (applied === batches) void Promise.resolve().then(send)
      },
    )
    await new Promise(setImmediate)
    expect(names()).toHaveLength(batches)
  })

  it('know a directory that is found elsewhere behind its absence as moved, with what is in it', async () => {
    const directory = { kind: Kind.directory, size: Number.NaN, ref: ref(2) }
    const changes = new WaitingChanges(100, 128)
    changes.keep(batch({ op: Op.present, parentRef: ref(1), name: 'old', row: directory, observed: 10 }))
    changes.keep(batch({ ...file('inside', 3), parentRef: ref(2) }))
    changes.keep(
      batch(
        { op: Op.absent, parentRef: ref(1), name: 'old', observed: 200 },
        { op: Op.present, parentRef: ref(1), name: 'new', row: directory, observed: 201 },
      ),
    )
    await changes.applyTo(
      view,
      () => {},
      () => {},
    )
    expect(view.entriesOf(ref(3))).toHaveLength(1)
    expect(names()).toEqual(['new'])
  })

  it('stop when they are told to, and are not applied then', async () => {
    const changes = new WaitingChanges(100, 128)
    for (let i = 0; i < 3; i++) changes.keep(batch(file(`f${i}`, 2 + i)))
    const stopped = changes.applyTo(
      view,
      () => {},
      () => {
        throw new Error('aborted')
      },
    )
    await expect(stopped).rejects.toThrow('aborted')
    expect(names()).toEqual(['f0'])
    expect(changes.areApplied).toBe(false)
  })

  it('are kept up to so many rows', () => {
    const changes = new WaitingChanges(3, 128)
    expect(changes.keep(batch(file('a', 2), file('b', 3)))).toBe(true)
    expect(changes.keep(batch(file('c', 4)))).toBe(true)
    expect(changes.keep(batch(file('d', 5)))).toBe(false)
  })
})
