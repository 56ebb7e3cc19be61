import {
  CancelledError,
  type EntryRow,
  InvalidInputError,
  Kind,
  type NodeRef,
  Op,
  UnavailableError,
} from '@hotpath/model'
import { changeColumns, entryColumns, FaultFileSystem, type PlainChange } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { LocalSegmentBackend } from './local-backend.js'
import { Store } from './store.js'
import { filesOf, Scene } from './testing/scene.js'
import { DATA, newReplica } from './testing/store-driver.js'

const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }
const NOTHING = { directory: new Uint32Array(0), observed: new Float64Array(0) }

let time = 1000
function present(name: string, low: number, kind: Kind = Kind.file): PlainChange {
  const row: EntryRow = { kind, size: low, ref: { low, high: 0, birth: 7 } }
  return { op: Op.present, parentRef: ROOT_REF, name, row, observed: ++time }
}

async function reopen(fs: FaultFileSystem): Promise<{ store: Store; paths: string[] }> {
  const store = await Store.open({ directory: DATA, fs, backend: new LocalSegmentBackend(fs) })
  const replica = newReplica(fs, () => {})
  replica.apply(store.snapshotOps())
  return { store, paths: [...replica.entries('root').keys()].sort() }
}

describe('files of the log', () => {
  it('go when a flush made them useless, and are replayed until then', async () => {
    const scene = await Scene.open(ROOT_REF)
    await scene.send([present('a', 2)])
    await scene.store.flush()
    expect(filesOf(scene.fs, '.log')).toHaveLength(1)
    await scene.send([present('b', 3)])
    await scene.close()
    const { store, paths } = await reopen(scene.fs)
    expect(paths).toEqual(['r', 'r/a', 'r/b'])
    expect(store.report.replayedRows).toBe(1)
    await store.close()
  })

  it('hold many batches under one sync', async () => {
    const scene = await Scene.open(ROOT_REF)
    const before = scene.store.walStats()
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => (await scene.send([present(`f${i}`, i + 2)])).durable),
    )
    const after = scene.store.walStats()
    expect(after.records - before.records).toBe(100)
    expect(after.syncs - before.syncs).toBeLessThan(5)
    await scene.close()
  })

  it('damaged in the middle keep what is before, are set aside, and cost a scan', async () => {
    const scene = await Scene.open(ROOT_REF)
    for (let i = 0; i < 6; i++) await (await scene.send([present(`f${i}`, i + 2)])).durable
    await scene.close()
    const [log] = filesOf(scene.fs, '.log').slice(-1)
    scene.fs.damage(log!, bytes => {
      bytes[Math.floor(bytes.length / 2)]! ^= 1
      return bytes
    })
    const { store, paths } = await reopen(scene.fs)
    expect(paths.length).toBeGreaterThan(1)
    expect(paths.length).toBeLessThan(7)
    expect(store.rootStatus()[0]?.scanReason).toBe('damaged log')
    expect(store.report.damaged).toHaveLength(1)
    expect(filesOf(scene.fs, '.log.damaged')).toEqual([`${log}.damaged`])
    await store.close()
    const again = await reopen(scene.fs)
    expect(again.paths).toEqual(paths)
    expect(again.store.report.damaged).toEqual([])
    expect(again.store.rootStatus()[0]?.scanReason).toBe('damaged log')
    await again.store.close()
  })

  it('that are missing between others are damage', async () => {
    const scene = await Scene.open(ROOT_REF)
    await (await scene.send([present('a', 2)])).durable
    await scene.close()
    const first = await reopen(scene.fs)
    await first.store.close()
    const [log] = filesOf(scene.fs, '.log')
    await scene.fs.remove(log!)
    const { store, paths } = await reopen(scene.fs)
    expect(paths).toEqual(['r'])
    expect(store.rootStatus()[0]?.scanReason).toBe('damaged log')
    await store.close()
  })
})

describe('a damaged file', () => {
  it('flipped anywhere in log or manifest gives a prefix or says so, never something else', async () => {
    const scene = await Scene.open(ROOT_REF)
    for (let i = 0; i < 4; i++) await (await scene.send([present(`f${i}`, i + 2)])).durable
    await scene.close()
    const prefixes = new Set(
      Array.from({ length: 5 }, (_, n) => ['r', ...Array.from({ length: n }, (_, i) => `r/f${i}`)].join()),
    )
    for (const file of [...filesOf(scene.fs, '.log'), `${DATA}/MANIFEST`]) {
      const size = scene.fs.peek(file).length
      for (let at = 0; at < size; at += 7) {
        const fs = scene.fs.crash()
        fs.damage(file, bytes => {
          bytes[at]! ^= 1 << (at % 8)
          return bytes
        })
        const { store, paths } = await reopen(fs)
        if (paths.length === 0) expect(store.report.damaged.map(({ name }) => name)).toEqual(['MANIFEST'])
        else expect(prefixes).toContain(paths.join())
        await store.close()
      }
    }
  })

  it.each(['.seg', '.dead'])('(%s) costs what it holds, and a scan', async ending => {
    const scene = await Scene.open(ROOT_REF, {
      compaction: { segmentsPerTier: 99, maxSegments: 99, maxStale: 99, maxDeadShare: 1 },
    })
    await scene.send([present('a', 2), present('b', 3)])
    await scene.store.flush()
    await scene.send([present('c', 4), { ...present('a', 2), op: Op.absent }])
    await scene.store.flush()
    await scene.close()
    const [victim] = filesOf(scene.fs, ending).slice(ending === '.seg' ? 1 : 0)
    scene.fs.damage(victim!, bytes => bytes.subarray(0, bytes.length - 5))
    const { store, paths } = await reopen(scene.fs)
    expect(paths).toEqual(['r', 'r/c'])
    expect(store.rootStatus()[0]).toMatchObject({ partial: true, scanReason: 'damaged segment' })
    // It goes on: changes are taken, and the next scan heals.
    await store.applyChanges({
      root: 'root',
      source: 'w2',
      sequence: 1,
      bootId: 'boot-1',
      changes: changeColumns([present('d', 5)]),
    })
    await store.compact()
    await store.close()
    const again = await reopen(scene.fs)
    expect(again.paths).toEqual(['r', 'r/c', 'r/d'])
    expect(again.store.rootStatus()[0]?.partial).toBe(true)
    await again.store.close()
  })

  it('found by verify is set aside while queries go on', async () => {
    const scene = await Scene.open(ROOT_REF, {
      compaction: { segmentsPerTier: 99, maxSegments: 99, maxStale: 99, maxDeadShare: 1 },
    })
    await scene.send([present('a', 2)])
    await scene.store.flush()
    expect(await scene.store.verify()).toEqual([])
    const [, second] = filesOf(scene.fs, '.seg')
    scene.fs.damage(second!, bytes => {
      bytes[bytes.length - 100]! ^= 1
      return bytes
    })
    const needed: string[] = []
    scene.store.onScanNeeded((root, reason) => needed.push(`${root}: ${reason}`))
    expect(await scene.store.verify()).toHaveLength(1)
    expect(scene.paths()).toEqual(['r'])
    expect(scene.replica.isPartial('root')).toBe(true)
    expect(needed).toEqual(['root: damaged segment'])
    await scene.close()
  })
})

describe('a segment that cannot be read now', () => {
  it.each(['EMFILE', 'ENOMEM', 'EIO'])('stays where it is (%s), and the others are checked', async code => {
    const scene = await Scene.open(ROOT_REF, {
      compaction: { segmentsPerTier: 99, maxSegments: 99, maxStale: 99, maxDeadShare: 1 },
    })
    await scene.send([present('a', 2)])
    await scene.store.flush()
    await scene.send([present('b', 3)])
    await scene.store.flush()
    const [first, second, third] = filesOf(scene.fs, '.seg')
    scene.fs.damage(third!, bytes => bytes.subarray(0, bytes.length - 5))
    const { read } = FaultFileSystem.prototype
    scene.fs.read = async (path, maxBytes) => {
      if (path === second) throw Object.assign(new Error(`${code}: read`), { code })
      return read.call(scene.fs, path, maxBytes)
    }
    await expect(scene.store.verify()).rejects.toMatchObject({ code })
    expect(filesOf(scene.fs, '.seg')).toEqual([first, second])
    expect(filesOf(scene.fs, '.damaged')).toEqual([`${third}.damaged`])
    expect(scene.paths()).toEqual(['r', 'r/a'])
    expect(scene.store.failure).toBeUndefined()
    await scene.close()
  })

  it('is verified alone when it is named', async () => {
    const scene = await Scene.open(ROOT_REF)
    await scene.send([present('a', 2)])
    await scene.store.flush()
    const [first] = filesOf(scene.fs, '.seg')
    const id = Number(/seg-([0-9]+)/.exec(first!)?.[1])
    scene.fs.damage(first!, bytes => bytes.subarray(0, bytes.length - 5))
    expect(await scene.store.verify(id + 1000)).toEqual([])
    expect(await scene.store.verify(id)).toHaveLength(1)
    await scene.close()
  })
})

describe('a merge of some segments', () => {
  it('puts directories that moved where they are now, under ancestors that other segments hold', async () => {
    const scene = await Scene.open(ROOT_REF, {
      compaction: { segmentsPerTier: 99, maxSegments: 99, maxStale: 0, maxDeadShare: 1 },
    })
    const ref = (low: number): NodeRef => ({ low, high: 0, birth: 7 })
    const inside = (parent: number, change: PlainChange): PlainChange => ({ ...change, parentRef: ref(parent) })
    await scene.send([
      present('a', 2, Kind.directory),
      inside(2, present('x', 3, Kind.directory)),
      inside(3, present('f', 4)),
    ])
    await scene.store.flush()
    await scene.send([present('b', 5, Kind.directory)])
    await scene.store.flush()
    await scene.send([inside(5, present('y', 3, Kind.directory)), { ...inside(2, present('x', 3)), op: Op.absent }])
    const dropped: number[] = []
    scene.store.onOps(ops => {
      for (const op of ops) if (op.op === 'dropSegment') dropped.push(op.segment)
    })
    await scene.store.flush()
    // Only the segment that had x under a was merged: neither the one with b nor the one with x's own row.
    expect(dropped).toHaveLength(1)
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/b', 'r/b/y', 'r/b/y/f'])
    await scene.send([{ ...present('a', 2), op: Op.absent }])
    expect(scene.paths()).toEqual(['r', 'r/b', 'r/b/y', 'r/b/y/f'])
    await scene.send([{ ...present('b', 5), op: Op.absent }])
    expect(scene.paths()).toEqual(['r'])
    await scene.close()
  })
})

describe('orphans', () => {
  it('are removed at opening, other files are not', async () => {
    const scene = await Scene.open(ROOT_REF)
    await scene.close()
    for (const name of ['seg-000000000099.seg', 'seg-000000000099.seg.tmp', 'seg-000000000001-7.dead', 'notes.txt']) {
      await (await scene.fs.create(`${DATA}/${name}`)).close()
    }
    const { store } = await reopen(scene.fs)
    expect([...store.report.removedOrphans].sort()).toEqual([
      'seg-000000000001-7.dead',
      'seg-000000000099.seg',
      'seg-000000000099.seg.tmp',
    ])
    expect(scene.fs.paths()).toContain(`${DATA}/notes.txt`)
    await store.close()
  })
})

describe('the clock', () => {
  it('rises, waits, and rises over restarts', async () => {
    const scene = await Scene.open(ROOT_REF)
    const { clock, durable } = await scene.send([present('a', 2)])
    expect(scene.store.clock().applied).toBe(clock)
    expect(scene.store.clock().durable).toBeLessThan(clock)
    await scene.store.waitForClock(clock)
    await durable
    expect(scene.store.clock().durable).toBe(clock)
    const next = scene.store.waitForClock(clock + 1)
    await scene.send([present('b', 3)])
    await next
    const abort = new AbortController()
    const never = scene.store.waitForClock(clock + 100, abort.signal)
    abort.abort()
    await expect(never).rejects.toThrow(CancelledError)
    await scene.close()
    const { store } = await reopen(scene.fs)
    expect(store.clock().applied).toBeGreaterThan(clock + 1)
    await store.waitForClock(clock + 1)
    await store.close()
  })
})

describe('batches', () => {
  it('count once, and a missing one is noticed', async () => {
    const scene = await Scene.open(ROOT_REF)
    const batch = {
      root: 'root',
      source: 'x',
      sequence: 1,
      bootId: 'boot-1',
      changes: changeColumns([present('a', 2)]),
    }
    expect(await scene.store.applyChanges(batch)).toMatchObject({ duplicate: false, gap: false })
    expect(await scene.store.applyChanges(batch)).toMatchObject({ duplicate: true })
    expect(await scene.store.applyChanges({ ...batch, sequence: 3 })).toMatchObject({ duplicate: false, gap: true })
    await expect(scene.store.applyChanges({ ...batch, root: 'other', sequence: 4 })).rejects.toThrow(InvalidInputError)
    await scene.close()
    const { store } = await reopen(scene.fs)
    expect(await store.applyChanges({ ...batch, sequence: 3 })).toMatchObject({ duplicate: true })
    await store.close()
    await expect(store.applyChanges({ ...batch, sequence: 4 })).rejects.toThrow(UnavailableError)
  })
})

describe('roots', () => {
  it('are known again, keep their index, and go with it', async () => {
    const scene = await Scene.open(ROOT_REF)
    const place = { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false }
    await scene.store.addRoot({ id: 'root', kind: 'tree', path: '/r' }, place)
    await expect(scene.store.addRoot({ id: 'root', kind: 'tree', path: '/other' }, place)).rejects.toThrow(
      InvalidInputError,
    )
    await scene.store.addRoot({ id: 'second', kind: 'list', path: '/x.efu' }, place)
    expect(scene.store.rootStatus().map(status => [status.spec.id, status.scanReason])).toEqual([
      ['root', ''],
      ['second', 'new'],
    ])
    await scene.store.removeRoot('root')
    await new Promise(setImmediate)
    expect(filesOf(scene.fs, '.seg')).toEqual([])
    expect(scene.replica.roots()).toEqual([])
    await scene.close()
    const { store } = await reopen(scene.fs)
    expect(store.rootStatus().map(status => status.spec.id)).toEqual(['second'])
    await store.close()
  })

  it('say how large their segments are', async () => {
    const scene = await Scene.open(ROOT_REF)
    await scene.send([present('a', 2)])
    await scene.store.compact()
    const [sizes] = scene.store.sizes()
    expect(sizes).toMatchObject({ root: 'root', origin: 'merge', directories: 1, files: 1, stubs: 0, dead: 0 })
    expect(sizes!.sections.reduce((sum, section) => sum + section.sizeBytes, 0)).toBeLessThan(sizes!.sizeBytes)
    await scene.close()
  })
})

describe('scans', () => {
  const root = { parent: 0, directory: 1, kind: Kind.directory, name: 'r', row: { ref: ROOT_REF } }

  it('that break their contract are dropped, and the root goes on with what it had', async () => {
    const scene = await Scene.open(ROOT_REF)
    await scene.send([present('a', 2)])
    const bad = [
      [{ ...root, kind: Kind.file }],
      [root, { parent: 9, directory: 0, kind: Kind.file, name: 'x' }],
      [root, { parent: 1, directory: 0, kind: Kind.file, name: '' }],
      [root, { ...root, directory: 2, name: 'q' }],
      [root, { parent: 1, directory: 2 ** 30, kind: Kind.directory, name: 'far' }],
      [
        root,
        { parent: 1, directory: 2, kind: Kind.directory, name: 'a' },
        { parent: 1, directory: 2, kind: Kind.directory, name: 'b' },
      ],
    ]
    for (const rows of bad) {
      const epoch = await scene.store.beginScan('root', { bootId: 'boot-1', startedAt: ++time })
      expect(() => scene.store.addEntries(epoch, 1, entryColumns(rows), NOTHING)).toThrow(InvalidInputError)
      await expect(scene.store.endScan(epoch, { lastSequence: 1 })).rejects.toThrow(UnavailableError)
    }
    const empty = await scene.store.beginScan('root', { bootId: 'boot-1', startedAt: ++time })
    await expect(scene.store.endScan(empty, { lastSequence: 0 })).rejects.toThrow(/a row of the root/)
    const short = await scene.store.beginScan('root', { bootId: 'boot-1', startedAt: ++time })
    scene.store.addEntries(short, 1, entryColumns([root]), NOTHING)
    expect(() => scene.store.addEntries(short, 3, entryColumns([root]), NOTHING)).toThrow(/sequence 2/)
    expect(scene.paths()).toEqual(['r', 'r/a'])
    expect(scene.store.rootStatus()[0]?.scanReason).not.toBe('')
    await new Promise(setImmediate)
    await scene.close()
    expect(filesOf(scene.fs, '.seg')).toHaveLength(1)
  })

  it('count a directory once that moved while it was scanned: where it was listed later', async () => {
    for (const sliceRows of [1000, 2]) {
      const scene = await Scene.open(ROOT_REF, { sliceRows })
      const moved = { ref: { low: 5, high: 0, birth: 7 } }
      const dirs = (name: string, directory: number, low: number) => ({
        parent: 1,
        directory,
        kind: Kind.directory,
        name,
        row: { ref: { low, high: 0, birth: 7 } },
      })
      const epoch = await scene.store.beginScan('root', { bootId: 'boot-1', startedAt: ++time })
      const listing = (...pairs: [number, number][]) => ({
        directory: Uint32Array.from(pairs, pair => pair[0]),
        observed: Float64Array.from(pairs, pair => pair[1]),
      })
      scene.store.addEntries(epoch, 1, entryColumns([root, dirs('a', 2, 3), dirs('b', 3, 4)]), listing([1, 2000]))
      scene.store.addEntries(
        epoch,
        2,
        entryColumns([
          { parent: 2, directory: 4, kind: Kind.directory, name: 'm', row: moved },
          { parent: 4, directory: 0, kind: Kind.file, name: 'old', row: { size: 1 } },
        ]),
        listing([2, 2001], [4, 2002]),
      )
      scene.store.addEntries(
        epoch,
        3,
        entryColumns([
          { parent: 3, directory: 5, kind: Kind.directory, name: 'm', row: moved },
          { parent: 5, directory: 0, kind: Kind.file, name: 'new', row: { size: 1 } },
        ]),
        listing([3, 2003], [5, 2004]),
      )
      await scene.store.endScan(epoch, { lastSequence: 3 })
      expect(scene.paths()).toEqual(['r', 'r/a', 'r/b', 'r/b/m', 'r/b/m/new'])
      expect(scene.store.rootStatus()[0]?.entries).toBe(5)
      await scene.close()
    }
  })

  it('are given up when more changes come than can be kept', async () => {
    const scene = await Scene.open(ROOT_REF, { maxScanChanges: 3 })
    const epoch = await scene.store.beginScan('root', { bootId: 'boot-1', startedAt: ++time })
    scene.store.addEntries(epoch, 1, entryColumns([root]), NOTHING)
    await scene.send([present('a', 2), present('b', 3), present('c', 4)])
    expect(scene.store.rootStatus()[0]?.scanEpoch).toBe(epoch)
    await scene.send([present('d', 5)])
    expect(scene.store.rootStatus()[0]).toMatchObject({ scanEpoch: 0, scanReason: 'unfinished scan' })
    await expect(scene.store.endScan(epoch, { lastSequence: 1 })).rejects.toThrow(UnavailableError)
    expect(scene.paths()).toEqual(['r', 'r/a', 'r/b', 'r/c', 'r/d'])
    expect(scene.store.failure).toBeUndefined()
    await scene.close()
  })

  it('keep changes from before they began out, and take later ones', async () => {
    const scene = await Scene.open(ROOT_REF)
    const epoch = await scene.store.beginScan('root', { bootId: 'boot-1', startedAt: 50_000 })
    const listing = { directory: Uint32Array.of(1), observed: Float64Array.of(50_010) }
    const row: EntryRow = { kind: Kind.file, size: 1, ref: { low: 9, high: 0, birth: 7 } }
    scene.store.addEntries(
      epoch,
      1,
      entryColumns([root, { parent: 1, directory: 0, kind: Kind.file, name: 'seen', row }]),
      listing,
    )
    const at = (change: PlainChange, observed: number): PlainChange => ({ ...change, observed })
    await scene.send([
      at(present('before', 2), 49_000),
      at(present('listed-since', 3), 50_005),
      at(present('after', 4), 50_020),
      at({ ...present('seen', 9), op: Op.absent }, 50_009),
    ])
    await scene.store.endScan(epoch, { lastSequence: 1 })
    expect(scene.paths()).toEqual(['r', 'r/after', 'r/seen'])
    // What arrives late is as old as it is.
    await scene.send([at({ ...present('seen', 9), op: Op.absent }, 49_999)])
    await scene.send([at({ ...present('after', 4), op: Op.absent }, 50_030)])
    expect(scene.paths()).toEqual(['r', 'r/seen'])
    await scene.close()
  })

  it('answer partially while the first one runs', async () => {
    const fs = new FaultFileSystem()
    const store = await Store.open({ directory: DATA, fs, backend: new LocalSegmentBackend(fs), sliceRows: 80 })
    const replica = newReplica(fs, () => {})
    store.onOps(ops => replica.apply(ops))
    await store.addRoot(
      { id: 'root', kind: 'tree', path: '/r' },
      { volume: 'v', prefix: Buffer.from('/'), virtualRoot: false },
    )
    const epoch = await store.beginScan('root', { bootId: 'boot-1', startedAt: 1, partial: true })
    const rows = Array.from({ length: 30 }, (_, i) => ({ parent: 1, directory: 0, kind: Kind.file, name: `f${i}` }))
    const { durable } = store.addEntries(epoch, 1, entryColumns([root, ...rows.slice(0, 9)]), NOTHING)
    await durable
    expect(replica.isPartial('root')).toBe(true)
    expect(replica.entries('root').size).toBe(10)
    expect(replica.entries('root').has('/r/f8')).toBe(true)
    store.addEntries(epoch, 2, entryColumns(rows.slice(9)), NOTHING)
    const { entries } = await store.endScan(epoch, { lastSequence: 2 })
    expect(entries).toBe(31)
    expect(replica.isPartial('root')).toBe(false)
    expect(replica.entries('root').size).toBe(31)
    await store.close()
  })
})
