import { type EntryRow, Kind, MISSING, type NodeRef, Op, ORPHANED_REF } from '@hotpath/model'
import type { PlainChange } from '@hotpath/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Scene } from './testing/scene.js'

const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }

function ref(low: number): NodeRef {
  return { low, high: 0, birth: 7 }
}

function file(low: number, size = 1): EntryRow {
  return { kind: Kind.file, size, ref: ref(low) }
}

function dir(low: number): EntryRow {
  return { kind: Kind.directory, size: Number.NaN, ref: ref(low) }
}

let time = 1000
function present(parentRef: NodeRef, name: string, row: EntryRow, observed = ++time): PlainChange {
  return { op: Op.present, parentRef, name, row, observed }
}

function absent(parentRef: NodeRef, name: string, observed = ++time): PlainChange {
  return { op: Op.absent, parentRef, name, observed }
}

function listed(parentRef: NodeRef, observed = ++time): PlainChange {
  return { op: Op.listed, parentRef, name: '', observed }
}

const NOWHERE: NodeRef = { low: 0, high: 0, birth: 0 }

function named(node: NodeRef, observed = ++time): PlainChange {
  return { op: Op.named, parentRef: NOWHERE, name: '', row: { kind: Kind.file, size: Number.NaN, ref: node }, observed }
}

/** Every rule is checked on rows of the delta, and on rows of segments. */
describe.each(['delta', 'segment'] as const)('observations about rows of the %s', place => {
  let scene: Scene

  beforeEach(async () => {
    scene = await Scene.open(ROOT_REF)
  })

  afterEach(() => scene.close())

  async function given(...changes: PlainChange[]): Promise<void> {
    await scene.send(changes)
    if (place === 'segment') await scene.store.flush()
  }

  it('take all names of a node for those that are told with it', async () => {
    await given(
      present(ROOT_REF, 'a', dir(2)),
      present(ROOT_REF, 'one', file(4)),
      present(ref(2), 'two', file(4)),
      present(ref(2), 'three', file(4)),
      present(ROOT_REF, 'other', file(5)),
    )
    await scene.send([present(ref(2), 'two', file(4, 9)), present(ROOT_REF, 'new', file(4, 9)), named(ref(4))])
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/a/two', 'r/new', 'r/other'])
    await scene.send([named(ref(4))])
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/other'])
    await scene.send([named(ref(4)), named(ref(77))])
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/other'])
  })

  it('move a directory that has another name now, and remove one that has none', async () => {
    await given(present(ROOT_REF, 'a', dir(2)), present(ref(2), 'x', dir(3)), present(ref(3), 'f', file(4)))
    await scene.send([present(ROOT_REF, 'b', dir(2)), named(ref(2))])
    expect(scene.paths()).toEqual(['r', 'r/b', 'r/b/x', 'r/b/x/f'])
    await scene.send([named(ref(2))])
    expect(scene.paths()).toEqual(['r'])
    // The root has no name that could go.
    await scene.send([named(ROOT_REF)])
    expect(scene.paths()).toEqual(['r'])
  })

  it('keep a name that was seen after all names of its node were', async () => {
    await given(present(ROOT_REF, 'a', file(4)))
    const before = ++time
    await scene.send([present(ROOT_REF, 'b', file(4))])
    await scene.send([named(ref(4), before)])
    expect(scene.paths()).toEqual(['r', 'r/b'])
  })

  it('keep streams, which have the ref of their node, apart from its names and from each other', async () => {
    await given(
      present(ROOT_REF, 'f', file(4, 1)),
      present(ROOT_REF, 'f:s', file(4, 2)),
      named(ref(4)),
      present(ROOT_REF, 'd', dir(2)),
      present(ROOT_REF, 'd:s', file(2, 3)),
      named(ref(2)),
      present(ref(2), 'in', file(5)),
    )
    // A directory that is told as a place alone.
    await scene.send([present(ROOT_REF, 'd', { ...dir(2), modified: { seconds: 9, ticks: 0 } })])
    const sizes = () => scene.paths().map(path => [path, scene.row(path).size])
    expect(sizes()).toEqual([
      ['r', Number.NaN],
      ['r/d', Number.NaN],
      ['r/d/in', 1],
      ['r/d:s', 3],
      ['r/f', 1],
      ['r/f:s', 2],
    ])
    await scene.send([
      present(ROOT_REF, 'g', file(4, 1)),
      present(ROOT_REF, 'g:t', file(4, 7)),
      named(ref(4)),
      present(ROOT_REF, 'e', dir(2)),
      named(ref(2)),
    ])
    expect(sizes()).toEqual([
      ['r', Number.NaN],
      ['r/e', Number.NaN],
      ['r/e/in', 1],
      ['r/g', 1],
      ['r/g:t', 7],
    ])
  })

  it('take away what stands for missing directories with the last that is in it', async () => {
    const standIn = (low: number): EntryRow => ({ ...dir(low), ref: { low, high: MISSING, birth: 1 } })
    await given(
      present(ROOT_REF, 'lost', { ...dir(0), ref: ORPHANED_REF }),
      present(ORPHANED_REF, '8-1', standIn(8)),
      present(ORPHANED_REF, '9-1', standIn(9)),
      present(standIn(8).ref!, 'a', file(4)),
      named(ref(4)),
    )
    expect(scene.paths()).toEqual(['r', 'r/lost', 'r/lost/8-1', 'r/lost/8-1/a'])
    await scene.send([present(ROOT_REF, 'a', file(4)), named(ref(4))])
    expect(scene.paths()).toEqual(['r', 'r/a'])
  })

  it('move a directory with what is in it', async () => {
    await given(
      present(ROOT_REF, 'a', dir(2)),
      present(ref(2), 'x', dir(3)),
      present(ref(3), 'f', file(4)),
      present(ROOT_REF, 'b', dir(5)),
    )
    await scene.send([present(ref(5), 'c', dir(2)), absent(ROOT_REF, 'a')])
    expect(scene.paths()).toEqual(['r', 'r/b', 'r/b/c', 'r/b/c/x', 'r/b/c/x/f'])
    await scene.store.compact()
    expect(scene.paths()).toEqual(['r', 'r/b', 'r/b/c', 'r/b/c/x', 'r/b/c/x/f'])
  })

  it('move a directory although its old name is reported gone first, in one batch', async () => {
    await given(present(ROOT_REF, 'a', dir(2)), present(ref(2), 'f', file(4)))
    const { listRequests } = await scene.send([absent(ROOT_REF, 'a'), present(ROOT_REF, 'b', dir(2))])
    expect(scene.paths()).toEqual(['r', 'r/b', 'r/b/f'])
    expect(listRequests).toEqual([])
  })

  it('ask for a directory whose old name was reported gone in an earlier batch', async () => {
    await given(present(ROOT_REF, 'a', dir(2)), present(ref(2), 'f', file(4)))
    await scene.send([absent(ROOT_REF, 'a')])
    const { listRequests } = await scene.send([present(ROOT_REF, 'b', dir(2))])
    expect(scene.paths()).toEqual(['r', 'r/b'])
    expect(listRequests.map(request => [request.ref, Buffer.from(request.path).toString()])).toEqual([[ref(2), 'r/b']])
    await scene.send([present(ref(2), 'f', file(4)), listed(ref(2))])
    expect(scene.paths()).toEqual(['r', 'r/b', 'r/b/f'])
    expect(scene.store.listRequests('root')).toEqual([])
  })

  it('keep a directory that came to the name of what left it, told after a scan has seen it', async () => {
    await given(present(ROOT_REF, 'a', dir(2)), present(ref(2), 'f', file(4)))
    const { listRequests } = await scene.send([absent(ROOT_REF, 'a'), present(ROOT_REF, 'a', dir(2))])
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/a/f'])
    expect(listRequests).toEqual([])
  })

  it('remove a directory that left for a place that is not indexed', async () => {
    await given(present(ROOT_REF, 'a', dir(2)), present(ref(2), 'f', file(4)))
    await scene.send([absent(ROOT_REF, 'a'), present(ref(77), 'a', dir(2))])
    expect(scene.paths()).toEqual(['r'])
  })

  it('put a directory over an empty one, and over one that holds it', async () => {
    await given(
      present(ROOT_REF, 'a', dir(2)),
      present(ref(2), 'b', dir(3)),
      present(ref(3), 'f', file(4)),
      present(ref(2), 'g', file(5)),
    )
    await scene.send([present(ROOT_REF, 'a', dir(3))])
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/a/f'])
    await scene.store.compact()
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/a/f'])
  })

  it('refuse to put a directory into itself, and ask again', async () => {
    await given(present(ROOT_REF, 'a', dir(2)), present(ref(2), 'b', dir(3)))
    const { ignored, listRequests } = await scene.send([present(ref(3), 'c', dir(2))])
    expect(ignored.cycle).toBe(1)
    expect(listRequests.map(request => request.ref)).toEqual([ref(3)])
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/a/b'])
    // Mounted into itself: the answer to the question must not ask it again.
    const answer = await scene.send([present(ref(3), 'c', dir(2)), listed(ref(3))])
    expect(answer.listRequests).toEqual([])
  })

  it('replace a file, and a file by a directory, and back', async () => {
    await given(present(ROOT_REF, 'a', file(2)), present(ROOT_REF, 'b', file(3)))
    await scene.send([present(ROOT_REF, 'b', file(2, 9)), absent(ROOT_REF, 'a')])
    expect(scene.paths()).toEqual(['r', 'r/b'])
    expect(scene.row('r/b').size).toBe(9)
    await scene.send([present(ROOT_REF, 'b', dir(4)), present(ref(4), 'f', file(5))])
    expect(scene.paths()).toEqual(['r', 'r/b', 'r/b/f'])
    await scene.send([present(ROOT_REF, 'b', file(6))])
    expect(scene.paths()).toEqual(['r', 'r/b'])
  })

  it('follow a node to all its names', async () => {
    await given(present(ROOT_REF, 'a', file(2, 1)), present(ROOT_REF, 'd', dir(3)), present(ref(3), 'b', file(2, 1)))
    await scene.send([present(ref(3), 'b', file(2, 5))])
    expect(scene.row('r/a').size).toBe(5)
    await scene.send([absent(ref(3), 'b')])
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/d'])
    // A name in a directory that is not indexed.
    await scene.send([present(ref(88), 'z', file(2, 6))])
    expect(scene.row('r/a').size).toBe(6)
  })

  it('take a number that was given away from the old entries', async () => {
    await given(present(ROOT_REF, 'a', dir(2)), present(ref(2), 'f', file(3)))
    await scene.send([present(ROOT_REF, 'n', file(2))])
    expect(scene.paths()).toEqual(['r', 'r/n'])
    await scene.send([present(ROOT_REF, 'm', dir(2))])
    expect(scene.paths()).toEqual(['r', 'r/m'])
    // Inside of the very directory whose number it has.
    expect((await scene.send([present(ref(2), 'q', file(2))])).ignored.unknownDirectory).toBe(1)
    expect(scene.paths()).toEqual(['r'])
  })

  it('complete a listing', async () => {
    await given(
      present(ROOT_REF, 'a', dir(2)),
      present(ref(2), 'x', file(3)),
      present(ref(2), 'y', dir(4)),
      present(ref(4), 'f', file(5)),
    )
    await scene.send([present(ref(2), 'z', file(6)), listed(ref(2))])
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/a/z'])
    await scene.send([listed(ref(2)), present(ref(2), 'w', file(7))])
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/a/w'])
  })

  it('are left out where they are unknown or change nothing', async () => {
    await given(present(ROOT_REF, 'a', file(2)))
    const ops = scene.opCount
    expect(
      await (await scene.send([absent(ref(50), 'a'), present(ref(50), 'b', file(3)), listed(ref(50))])).ignored
        .unknownDirectory,
    ).toBe(3)
    await scene.send([present(ROOT_REF, 'a', file(2)), absent(ROOT_REF, 'nothing')])
    expect(scene.opCount).toBe(ops)
    expect(scene.paths()).toEqual(['r', 'r/a'])
  })

  it('update the root itself', async () => {
    await given(present(ROOT_REF, 'a', file(2)))
    await scene.send(
      [
        {
          op: Op.present,
          parentRef: ref(0),
          name: '',
          row: { ...dir(1), modified: { seconds: 77, ticks: 0 } },
          observed: ++time,
        },
      ].map(change => ({ ...change, parentRef: { low: 0, high: 0, birth: 0 } })),
    )
    expect(scene.row('r').modified?.seconds).toBe(77)
    expect(scene.paths()).toEqual(['r', 'r/a'])
  })

  it('change nothing when they come twice', async () => {
    const changes = [
      present(ROOT_REF, 'a', dir(2)),
      present(ref(2), 'f', file(3)),
      present(ROOT_REF, 'b', dir(2)),
      absent(ROOT_REF, 'a'),
    ]
    await given(...changes)
    const before = scene.paths()
    await scene.send(changes)
    expect(scene.paths()).toEqual(before)
  })
})

describe('the later observation', () => {
  it('wins, whichever comes first, while the row is in the delta', async () => {
    const scene = await Scene.open(ROOT_REF)
    await scene.send([present(ROOT_REF, 'a', file(2, 5), 5000)])
    expect((await scene.send([absent(ROOT_REF, 'a', 4000)])).ignored.outdated).toBe(1)
    expect((await scene.send([present(ROOT_REF, 'a', file(2, 4), 4500)])).ignored.outdated).toBe(1)
    expect(scene.row('r/a').size).toBe(5)
    expect((await scene.send([present(ROOT_REF, 'b', file(3), 1)])).ignored.outdated).toBe(1)
    await scene.close()
  })

  it('is that of the later boot', async () => {
    const scene = await Scene.open(ROOT_REF)
    await scene.send([present(ROOT_REF, 'a', file(2, 5), 5000)])
    await scene.send([present(ROOT_REF, 'a', file(2, 6), 10)], 'boot-2')
    expect(scene.row('r/a').size).toBe(6)
    expect((await scene.send([absent(ROOT_REF, 'a', 9000)], 'boot-1')).ignored.outdated).toBe(1)
    await scene.close()
  })
})
