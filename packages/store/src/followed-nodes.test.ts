import { type EntryRow, Kind, type NodeRef, Op } from '@hotpath/model'
import { entryColumns, type PlainChange } from '@hotpath/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FollowedNodes, TAKEOVER_US } from './followed-nodes.js'
import { LocalSegmentBackend } from './local-backend.js'
import { Store } from './store.js'
import { Scene } from './testing/scene.js'
import { DATA } from './testing/store-driver.js'

const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }
const ref = (low: number): NodeRef => ({ low, high: 0, birth: 7 })
const file = (low: number, size = 1): EntryRow => ({ kind: Kind.file, size, ref: ref(low) })
const dir = (low: number): EntryRow => ({ kind: Kind.directory, size: Number.NaN, ref: ref(low) })

let time = 1000
const present = (parentRef: NodeRef, name: string, row: EntryRow, observed = ++time): PlainChange => ({
  op: Op.present,
  parentRef,
  name,
  row,
  observed,
})
const absent = (parentRef: NodeRef, name: string, observed = ++time): PlainChange => ({
  op: Op.absent,
  parentRef,
  name,
  observed,
})

/** Something kept about some nodes, by the lower part of their refs. */
class Book implements FollowedNodes {
  readonly moves: [number, number][] = []
  constructor(readonly kept: Set<number>) {}

  get any(): boolean {
    return this.kept.size > 0
  }

  has({ low }: NodeRef): boolean {
    return this.kept.has(low)
  }

  moved(from: NodeRef, to: NodeRef): void {
    if (!this.kept.delete(from.low)) return
    this.kept.add(to.low)
    this.moves.push([from.low, to.low])
  }

  refs(): NodeRef[] {
    return [...this.kept].map(ref)
  }
}

describe.each(['delta', 'segment'] as const)('a followed node of the %s whose name another node takes', place => {
  let scene: Scene
  let book: Book

  beforeEach(async () => {
    book = new Book(new Set([2]))
    scene = await Scene.open(ROOT_REF, { followed: () => book })
    await scene.send([present(ROOT_REF, 'a', file(2)), present(ROOT_REF, 'd', dir(9))])
    if (place === 'segment') await scene.store.flush()
  })

  afterEach(() => scene.close())

  it('by renaming over it', async () => {
    await scene.send([present(ROOT_REF, '.a.tmp', file(3))])
    await scene.send([present(ROOT_REF, 'a', file(3)), absent(ROOT_REF, '.a.tmp')])
    expect(book.moves).toEqual([[2, 3]])
  })

  it('by creating it anew, in one batch or in two', async () => {
    await scene.send([absent(ROOT_REF, 'a'), present(ROOT_REF, 'a', file(3))])
    await scene.send([absent(ROOT_REF, 'a')])
    await scene.send([present(ROOT_REF, 'a', file(4))])
    expect(book.moves).toEqual([
      [2, 3],
      [3, 4],
    ])
  })

  it('after it was renamed to a backup that goes away later', async () => {
    await scene.send([present(ROOT_REF, 'a~', file(2)), absent(ROOT_REF, 'a')])
    await scene.send([present(ROOT_REF, 'a', file(3))])
    await scene.send([absent(ROOT_REF, 'a~')])
    expect(book.moves).toEqual([[2, 3]])
  })

  it('within fifteen seconds, and not later', async () => {
    time += 100
    await scene.send([absent(ROOT_REF, 'a', time), present(ROOT_REF, 'a', file(3), time + TAKEOVER_US)])
    expect(book.moves).toEqual([[2, 3]])
    time += TAKEOVER_US + 100
    await scene.send([absent(ROOT_REF, 'a', time), present(ROOT_REF, 'a', file(4), time + TAKEOVER_US + 1)])
    time += TAKEOVER_US + 100
    expect(book.moves).toEqual([[2, 3]])
  })

  it('is not looked for among directories, other names, or by a change of its own', async () => {
    await scene.send([absent(ROOT_REF, 'a'), present(ROOT_REF, 'a', dir(3))])
    await scene.send([present(ROOT_REF, 'b', file(4)), present(ref(9), 'a', file(5))])
    await scene.send([present(ROOT_REF, 'c', file(2)), present(ROOT_REF, 'c', file(2, 99))])
    expect(book.moves).toEqual([])
  })

  it('stays with it when it is moved, and when another one is saved', async () => {
    await scene.send([present(ref(9), 'a', file(2)), absent(ROOT_REF, 'a')])
    await scene.send([present(ROOT_REF, 'x', file(6)), absent(ROOT_REF, 'x'), present(ROOT_REF, 'x', file(7))])
    expect(book.moves).toEqual([])
  })

  it('is told again when the log is replayed', async () => {
    await scene.send([absent(ROOT_REF, 'a'), present(ROOT_REF, 'a', file(3))])
    await scene.store.close()
    const again = new Book(new Set([2]))
    const { fs } = scene
    const store = await Store.open({ directory: DATA, fs, backend: new LocalSegmentBackend(fs), followed: () => again })
    expect(again.moves).toEqual([[2, 3]])
    await store.close()
  })

  it('is found by a scan, if nobody was watching', async () => {
    const { store } = scene
    await scene.send([present(ref(9), 'deep', file(20)), present(ref(9), 'gone', file(21))])
    book.kept.add(20).add(21).add(9)
    const epoch = await store.beginScan('root', { bootId: 'boot-1', startedAt: time + 1 })
    const rows = [
      { parent: 0, directory: 1, kind: Kind.directory, name: 'r', row: dir(1) },
      { parent: 1, directory: 2, kind: Kind.directory, name: 'd', row: dir(9) },
      { parent: 1, directory: 0, kind: Kind.file, name: 'a', row: file(3) },
      { parent: 2, directory: 0, kind: Kind.file, name: 'deep', row: file(30) },
    ]
    store.addEntries(epoch, 1, entryColumns(rows), {
      directory: Uint32Array.of(1, 2),
      observed: Float64Array.of(time + 2, time + 3),
    })
    await store.endScan(epoch, { lastSequence: 1 })
    expect(book.moves.sort((a, b) => a[0] - b[0])).toEqual([
      [2, 3],
      [20, 30],
    ])
    expect([...book.kept].sort((a, b) => a - b)).toEqual([3, 9, 21, 30])
  })
})

describe('entries by path and by node', () => {
  it('are those that answer', async () => {
    const scene = await Scene.open(ROOT_REF)
    const { store } = scene
    await scene.send([present(ROOT_REF, 'd', dir(9)), present(ref(9), 'f', file(2)), present(ref(9), 'gone', file(3))])
    await store.flush()
    await scene.send([absent(ref(9), 'gone')])
    const at = (path: string) => store.entriesAt(Buffer.from(path)).map(entry => [entry.volume, entry.ref?.low])
    expect(at('r')).toEqual([['v', 1]])
    expect(at('r/d')).toEqual([['v', 9]])
    expect(at('r/d/f')).toEqual([['v', 2]])
    for (const path of ['', '/', 'r/d/gone', 'r/d/f/x', 'r/x/f', 'x', '/r/d', 'r/d/']) expect(at(path)).toEqual([])
    expect([store.hasNode('v', ref(2)), store.hasNode('v', ref(3)), store.hasNode('w', ref(2))]).toEqual([
      true,
      false,
      false,
    ])
    await scene.close()
  })

  it('of lists have no refs, and directories that are only implied', async () => {
    const scene = await Scene.open(ROOT_REF)
    const { store } = scene
    await store.addRoot(
      { id: 'list', kind: 'list', path: '/l.txt' },
      { volume: 'l', prefix: new Uint8Array(0), virtualRoot: true },
    )
    const epoch = await store.beginScan('list', { bootId: 'boot-1', startedAt: 10 })
    const implied = Kind.directory | 0x80
    const directory: EntryRow = { kind: Kind.directory, size: Number.NaN }
    const plain: EntryRow = { kind: Kind.file, size: 1 }
    const rows = [
      { parent: 0, directory: 1, kind: implied, name: '', row: directory },
      { parent: 1, directory: 2, kind: implied, name: '', row: directory },
      { parent: 2, directory: 3, kind: implied, name: 'usr', row: directory },
      { parent: 3, directory: 0, kind: Kind.file, name: 'x', row: plain },
      { parent: 1, directory: 4, kind: implied, name: 'C:', row: directory },
      { parent: 4, directory: 0, kind: Kind.file, name: 'y', row: plain },
      { parent: 1, directory: 5, kind: implied, name: '\\\\srv', row: directory },
      { parent: 5, directory: 0, kind: Kind.file, name: 'z', row: plain },
      { parent: 1, directory: 0, kind: Kind.file, name: 'alone', row: plain },
    ]
    store.addEntries(epoch, 1, entryColumns(rows), { directory: new Uint32Array(0), observed: new Float64Array(0) })
    await store.endScan(epoch, { lastSequence: 1 })
    const at = (path: string) =>
      store.entriesAt(Buffer.from(path)).map(({ volume, name, ref }) => [volume, `${Buffer.from(name)}`, ref])
    expect(at('/usr/x')).toEqual([['l', 'x', undefined]])
    expect(at('C:\\y')).toEqual([['l', 'y', undefined]])
    expect(at('\\\\srv\\z')).toEqual([['l', 'z', undefined]])
    expect(at('alone')).toEqual([['l', 'alone', undefined]])
    for (const path of ['/usr', '/', 'usr/x', '/usr/y', 'C:', '']) expect(at(path)).toEqual([])
    await scene.close()
  })
})
