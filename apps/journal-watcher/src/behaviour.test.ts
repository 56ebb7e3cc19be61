import { spawnSync } from 'node:child_process'
import { appendFileSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Op } from '@hotpath/model'
import { monotonicMicros } from '@hotpath/platform'
import { walkTree } from '@hotpath/scanner'
import { afterEach, describe, expect, it } from 'vitest'
import type { MechanismChoice } from './follow-root.js'
import { queuesAreRead } from './testing/kernel-queues.js'
import { plainWalk } from './testing/model-store.js'
import { fanotifyProblem } from './testing/privilege.js'
import { WatchedStore, type WatchedStoreOptions } from './testing/watched-store.js'

const problem = fanotifyProblem()
const mechanisms: MechanismChoice[] = problem === '' ? ['inotify', 'fanotify'] : ['inotify']

let open: WatchedStore | undefined
afterEach(() => {
  open?.close()
  open = undefined
})

async function watched(options: WatchedStoreOptions, prepare = (_at: WatchedStore) => {}): Promise<WatchedStore> {
  open = new WatchedStore(options)
  prepare(open)
  await open.start()
  return open
}

function expectEqual(at: WatchedStore, enters?: (path: string) => boolean): void {
  const walked = plainWalk(at.root, enters)
  const held = at.store.entries()
  // Only what differs: a comparison of 20,000 objects takes seconds.
  const differing = [...new Set([...walked.keys(), ...held.keys()])].filter(
    path => JSON.stringify(walked.get(path)) !== JSON.stringify(held.get(path)),
  )
  const part = (of: typeof walked) => Object.fromEntries(differing.slice(0, 20).map(path => [path, of.get(path)]))
  expect(part(held)).toEqual(part(walked))
}

const opName = new Map(Object.entries(Op).map(([name, value]) => [value, name]))

function paths(at: WatchedStore): string[] {
  return [...at.store.entries().keys()].filter(path => path !== '').sort()
}

/** Rows as `op name`. */
function rowsOf(at: WatchedStore): string[] {
  return at.batches.flatMap(({ op, entries }) =>
    Array.from(op, (value, row) => {
      const name = Buffer.from(entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!))
      return `${opName.get(value as Op)} ${name}`.trim()
    }),
  )
}

describe.each(mechanisms)('%s', mechanism => {
  it('tells of a renamed directory alone, the new place first', async () => {
    const at = await watched({ mechanism }, ({ root }) => {
      mkdirSync(join(root, 'from/deep/deeper'), { recursive: true })
      mkdirSync(join(root, 'to'))
      for (let i = 0; i < 100; i++) writeFileSync(join(root, 'from/deep', `file ${i}`), '')
    })
    renameSync(join(at.root, 'from/deep'), join(at.root, 'to/moved'))
    await at.barrier()
    const rows = rowsOf(at)
    // Besides: the directories whose times changed by it.
    expect(rows.filter(row => !['present', 'present from', 'present to'].includes(row))).toEqual([
      'present moved',
      'absent deep',
    ])
    expectEqual(at)
    writeFileSync(join(at.root, 'to/moved/deeper/new'), 'new')
    expect(await at.settle()).toEqual([])
    expectEqual(at)
    expect(at.store.requests).toBe(0)
  })

  it('lists a directory that is asked for alone, and tells its own row', async () => {
    const at = await watched({ mechanism }, ({ root }) => {
      mkdirSync(join(root, 'one/two'), { recursive: true })
      writeFileSync(join(root, 'one/file'), '')
    })
    for (const [path, rows] of [
      ['one', ['present file', 'present two', 'listed', 'present one']],
      ['', ['present one', 'listed', 'present']],
    ] as const) {
      at.batches.length = 0
      const [inode, birth] = plainWalk(at.root).get(path)!.ref.split(':').map(Number)
      const place = new Uint8Array(Buffer.from(join(at.root, path)))
      at.watcher.list('root', place, { low: inode!, high: 0, birth: birth! }, monotonicMicros(), false)
      await at.barrier()
      expect(rowsOf(at).sort()).toEqual([...rows].sort())
    }
    expectEqual(at)
  })

  it('lists what came as a whole, directories before what is in them', async () => {
    const at = await watched({ mechanism }, ({ outside }) => {
      mkdirSync(join(outside, 'tree/one/two'), { recursive: true })
      writeFileSync(join(outside, 'tree/one/two/file'), 'x')
    })
    renameSync(join(at.outside, 'tree'), join(at.root, 'tree'))
    await at.barrier()
    expect(
      rowsOf(at)
        .filter(row => row !== 'present tree' && row !== 'present')
        .sort(),
    ).toEqual(['listed', 'listed', 'listed', 'present file', 'present one', 'present two'].sort())
    expect(at.store.ignored).toBe(0)
    expect(at.store.unlisted.size).toBe(0)
    expectEqual(at)
  })

  it('tells of a directory that moves out as one absence, and of nothing that happens there', async () => {
    const at = await watched({ mechanism }, ({ root }) => mkdirSync(join(root, 'tree/one'), { recursive: true }))
    renameSync(join(at.root, 'tree'), join(at.outside, 'tree'))
    await at.barrier()
    writeFileSync(join(at.outside, 'tree/one/file'), 'x')
    await at.barrier()
    // And of the root, whose times changed by it.
    expect(rowsOf(at)).toEqual(['present', 'absent tree'])
  })

  it('leaves out what a scan leaves out', async () => {
    const enters = (path: string) => !/(^|\/)node_modules(\/|$)|\.tmp$|^cache\/deep|^data/.test(path)
    const at = await watched({
      mechanism,
      excludes: ['node_modules/', '*.tmp', 'cache/deep'],
      dataDir: 'root/data',
      enters,
    })
    const write = (path: string) => {
      mkdirSync(join(at.root, path, '..'), { recursive: true })
      writeFileSync(join(at.root, path), path)
    }
    for (const path of ['a/node_modules/b/c', 'a/x.tmp', 'a/kept', 'cache/deep/file', 'cache/kept', 'node_modules'])
      write(path)
    await at.settle()
    expect(paths(at)).toEqual(['a', 'a/kept', 'cache', 'cache/kept', 'node_modules'])
    // Excluded as a directory only, so the file of this name goes when a directory comes.
    rmSync(join(at.root, 'node_modules'))
    write('node_modules/file')
    renameSync(join(at.root, 'cache'), join(at.root, 'store'))
    await at.settle()
    expect(paths(at)).toEqual(['a', 'a/kept', 'store', 'store/deep', 'store/deep/file', 'store/kept'])
  })

  it('says nothing of the data directory, also where the path of the root is a symlink', async () => {
    const at = await watched({ mechanism, dataDir: 'root/data' }, ({ base, root }) => {
      mkdirSync(join(root, 'data/wal'), { recursive: true })
      symlinkSync(root, join(base, 'link'))
    })
    at.watchAs(join(at.base, 'link'))
    await at.until(() => at.states.at(-1)?.state === 'armed')
    writeFileSync(join(at.root, 'data/wal/1'), 'x')
    rmSync(join(at.root, 'data/wal/1'))
    mkdirSync(join(at.root, 'data/more/and/more'), { recursive: true })
    await at.barrier()
    expect(rowsOf(at)).toEqual([])
  })

  it('obeys ignore files that come, change and go', async () => {
    const at = await watched({ mechanism }, ({ root }) => {
      mkdirSync(join(root, 'a/b'), { recursive: true })
      for (const path of ['a/one', 'a/two', 'a/b/one', 'a/b/two']) writeFileSync(join(root, path), path)
    })
    const files = () => paths(at).filter(path => path !== 'a' && path !== 'a/b')
    writeFileSync(join(at.root, 'a/.hotpathignore'), 'one\n')
    await at.settle()
    expect(files()).toEqual(['a/.hotpathignore', 'a/b/two', 'a/two'])
    writeFileSync(join(at.root, 'a/.hotpathignore'), 'two\n')
    await at.settle()
    expect(files()).toEqual(['a/.hotpathignore', 'a/b/one', 'a/one'])
    writeFileSync(join(at.root, 'a/b/two'), 'again')
    renameSync(join(at.root, 'a/b'), join(at.root, 'b'))
    await at.settle()
    expect(files()).toEqual(['a/.hotpathignore', 'a/one', 'b', 'b/one', 'b/two'])
    rmSync(join(at.root, 'a/.hotpathignore'))
    await at.settle()
    expectEqual(at)
  })

  it('keeps up with 20,000 files', async () => {
    const at = await watched({ mechanism, inMemory: true })
    for (let i = 0; i < 20_000; i++) {
      if (i % 1_000 === 0) {
        await at.barrier()
        mkdirSync(join(at.root, `d${i / 1_000}`))
      }
      writeFileSync(join(at.root, `d${Math.floor(i / 1_000)}`, `${i}`), '')
    }
    expect(await at.settle()).toEqual([])
    expectEqual(at)
    expect(at.states.map(({ state }) => state)).toEqual(['armed'])
    expect(at.store.largestBatch).toBeLessThan(4_096 + 1_000)
  })

  it('keeps names while nothing is taken, and lists directories where they are too many', async () => {
    const at = await watched({ mechanism, inMemory: true }, ({ root }) => {
      mkdirSync(join(root, 'many'))
      writeFileSync(join(root, 'many/old'), '')
    })
    at.takes = false
    mkdirSync(join(at.outside, 'tree'))
    writeFileSync(join(at.outside, 'tree/file'), '')
    renameSync(join(at.outside, 'tree'), join(at.root, 'many/tree'))
    rmSync(join(at.root, 'many/old'))
    // More than are kept by name, in steps that the queue of inotify holds.
    for (let i = 0; i < 70_000; i++) {
      symlinkSync('x', join(at.root, 'many', `${i}`))
      if (i % 5_000 === 0) await queuesAreRead()
    }
    expect(at.store.rows).toBe(0)
    at.takes = true
    at.watcher.roomAvailable()
    expect(await at.settle()).toEqual([])
    expectEqual(at)
    expect(at.states.map(({ state }) => state)).toEqual(['armed'])
  })

  it('sends a file that is written all the time a bounded number of times', async () => {
    const at = await watched({ mechanism }, ({ root }) => writeFileSync(join(root, 'log'), ''))
    const startedAt = performance.now()
    for (let i = 0; i < 2_000; i++) {
      appendFileSync(join(at.root, 'log'), 'line\n')
      await new Promise(resolve => setImmediate(resolve))
    }
    await at.barrier()
    // One at once, one for each 50 ms, one for the barrier.
    expect(at.store.rows).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 50)
    expectEqual(at)
  })

  it('finds directories whose path is longer than the kernel takes', async () => {
    const name = 'n'.repeat(250)
    const at = await watched({ mechanism }, ({ root, outside }) => {
      mkdirSync(join(root, ...Array(9).fill(name)), { recursive: true })
      mkdirSync(join(outside, ...Array(9).fill(name)), { recursive: true })
      writeFileSync(join(outside, ...Array(9).fill(name), 'before'), 'x')
    })
    const top = join(at.root, ...Array(9).fill(name))
    renameSync(join(at.outside, name), join(top, 'moved'))
    await at.settle()
    const last = [...Array(9).fill(name), 'moved', ...Array(8).fill(name)].join('/')
    expect(at.store.entries().has(`${last}/before`)).toBe(true)
    // Made shorter for the moment, so that something can be written there.
    renameSync(join(top, 'moved'), join(at.outside, 'short'))
    writeFileSync(join(at.outside, 'short', ...Array(8).fill(name), 'after'), 'x')
    renameSync(join(at.outside, 'short'), join(top, 'moved'))
    await at.settle()
    expect(at.store.entries().has(`${last}/after`)).toBe(true)
    renameSync(join(top, 'moved'), join(at.outside, name))
    await at.settle()
    expectEqual(at)
  })

  it('sees at once that something is mounted', async () => {
    const at = await watched({ mechanism }, ({ root }) => mkdirSync(join(root, 'mounted')))
    await at.pumping()
    const point = join(at.root, 'mounted')
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', 'hotpath-test', point])
    if (status !== 0) return console.log(`mounts are not tested here: ${stderr}`)
    try {
      await at.until(() => at.states.length === 3)
    } finally {
      spawnSync('umount', [point])
    }
    await at.until(() => at.states.length === 5)
    expect(at.states.map(({ state, term }) => `${state} ${term}`)).toEqual([
      'armed 1',
      'lost 2',
      'armed 2',
      'lost 3',
      'armed 3',
    ])
    expect(at.states.map(({ wholeUntil }) => wholeUntil)).toEqual(Array(5).fill(Number.NaN))
  })

  it('says when the root goes, and follows the one that comes in its place', async () => {
    const at = await watched({ mechanism })
    renameSync(at.root, join(at.base, 'elsewhere'))
    expect(await at.barrier()).toEqual(['root'])
    expect(at.states.map(({ state }) => state)).toEqual(['armed', 'lost', 'unwatched'])
    mkdirSync(at.root)
    await at.until(() => at.states.at(-1)?.state === 'armed')
    at.scan()
    writeFileSync(join(at.root, 'file'), 'x')
    expect(await at.settle()).toEqual([])
    expectEqual(at)
  })

  it('gives every entry the ref and the times that a scan gives it', async () => {
    const at = await watched({ mechanism })
    mkdirSync(join(at.root, 'a/b'), { recursive: true })
    writeFileSync(join(at.root, 'a/b/c'), 'content')
    symlinkSync('c', join(at.root, 'a/b/d'))
    await at.settle()
    const scanned: string[] = []
    for await (const { entries } of walkTree({ root: at.root, threads: 1 })) scanned.push(...describeRows(entries, 1))
    const observed = new Set(at.batches.flatMap(({ entries, op }) => describeRows(entries, 0, op)))
    expect([...observed]).toEqual(expect.arrayContaining(scanned))
  })
})

/** The columns of the rows from `first` on. */
function describeRows(entries: WatchedStore['batches'][number]['entries'], first: number, op?: Uint8Array): string[] {
  const rows: string[] = []
  for (let row = first; row < entries.count; row++) {
    if (op !== undefined && op[row] !== Op.present) continue
    const name = Buffer.from(entries.names.subarray(entries.nameOffsets[row]!, entries.nameOffsets[row + 1]!))
    const { ref } = entries
    const times = (['modified', 'changed', 'created'] as const).map(
      column => `${entries[column]!.seconds[row]}.${entries[column]!.ticks[row]}`,
    )
    rows.push(
      `${name} ${entries.kind[row]} ${entries.size[row]} ${ref!.low[row]} ${ref!.high[row]} ${ref!.birth[row]} ${times}`,
    )
  }
  return rows
}

describe.runIf(problem === '')('a write through a hard link', () => {
  const mechanism = 'fanotify'

  /** Nothing is looked at between these calls: they hold up the event loop. */
  async function expectSeen(act: (root: string) => void): Promise<void> {
    const at = await watched({ mechanism }, ({ root }) => {
      mkdirSync(join(root, 'other'))
      writeFileSync(join(root, 'kept'), 'first')
      linkSync(join(root, 'kept'), join(root, 'other/link'))
      writeFileSync(join(root, 'other/third'), 'third')
    })
    act(at.root)
    expect(await at.settle()).toEqual([])
    expectEqual(at)
  }

  it('shows under its other names where its own goes at once', () =>
    expectSeen(root => {
      appendFileSync(join(root, 'other/link'), ' and more')
      rmSync(join(root, 'other/link'))
    }))

  it('shows where the directory of its own name goes, too', () =>
    expectSeen(root => {
      appendFileSync(join(root, 'other/link'), ' and more')
      rmSync(join(root, 'other'), { recursive: true })
    }))

  it('shows where another file takes over the name', () =>
    expectSeen(root => {
      appendFileSync(join(root, 'other/link'), ' and more')
      renameSync(join(root, 'other/third'), join(root, 'other/link'))
    }))

  it('shows where the name is made anew and written, too', () =>
    expectSeen(root => {
      appendFileSync(join(root, 'other/link'), ' and more')
      rmSync(join(root, 'other/link'))
      writeFileSync(join(root, 'other/link'), 'another one')
      appendFileSync(join(root, 'other/link'), ' and its rest')
    }))
})

describe('events', () => {
  it.each(mechanisms)('of %s are none too many for a thread that is busy', async mechanism => {
    const at = await watched({ mechanism, inMemory: true }, ({ root }) =>
      mkdirSync(join(root, 'a/b'), { recursive: true }),
    )
    await at.pumping()
    // The queue of inotify holds 16,384.
    for (let i = 0; i < 40_000; i++) symlinkSync('x', join(at.root, i % 3 === 0 ? 'a' : 'a/b', `${i}`))
    expect(await at.settle()).toEqual([])
    expectEqual(at)
    expect(at.states.map(({ state }) => state)).toEqual(['armed'])
  })
})
