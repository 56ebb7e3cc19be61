import { closeSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inotifyInit, monotonicMicros } from '@hotpath/platform'
import { type FileSystemName, TestMounts } from '@hotpath/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { POLLING_PACE, type PollingPace } from './polling/polling-pace.js'
import { plainWalk } from './testing/model-store.js'
import { fanotifyProblem } from './testing/privilege.js'
import { doSomething, randomOf } from './testing/random-operations.js'
import { WatchedStore, type WatchedStoreOptions } from './testing/watched-store.js'

const soak = process.env.SOAK === undefined ? 1 : 20
/** Every directory with its files, all the time. */
const EAGER: PollingPace = { shortest: 1, longest: 20, filesEvery: 1, share: 1 }
/** Nothing is visited while a test runs. */
const ASLEEP: PollingPace = { ...POLLING_PACE, shortest: 3_600_000, longest: 3_600_000 }

const mounts = TestMounts.open()
const problem = typeof mounts === 'string' ? mounts : fanotifyProblem()
if (problem !== '') console.log(`roots of several file systems are not tested here: ${problem}`)

interface Tree {
  /** Holds root and outside, on one file system. */
  readonly base: string
  readonly root: string
}

/** What is mounted where in a root; `shared` is one that others may change without an event. */
type Layout = Readonly<Record<string, FileSystemName | 'shared'>>

let open: WatchedStore | undefined
let descriptor: number | undefined
afterEach(() => {
  open?.watcher.stop()
  open = undefined
  if (descriptor !== undefined) closeSync(descriptor)
  descriptor = undefined
})
afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
})

const shared = new Set<string>()

/** A descriptor that can be read like a fanotify group, but refuses every mark. */
function noGroup(): number {
  descriptor = inotifyInit()
  return descriptor
}

/** @param top of what is there before, in the file system */
function mountAt(what: FileSystemName | 'shared', top: string, at?: string): string {
  const name = what === 'shared' ? 'tmpfs' : what
  const mounted = (mounts as TestMounts).mount(name, {
    ...(at === undefined ? {} : { at }),
    prepare: directory => {
      mkdirSync(join(directory, top, 'before/deep'), { recursive: true })
      writeFileSync(join(directory, top, 'before/deep/file'), 'before')
    },
  })
  if ('problem' in mounted) throw new Error(mounted.problem)
  if (what === 'shared') shared.add(mounted.directory)
  return mounted.directory
}

/** `''` of a layout holds the root; mount points of the others are made. */
function made({ '': own, ...others }: Layout): Tree {
  const base = mountAt(own!, 'root')
  const root = join(base, 'root')
  mkdirSync(join(base, 'outside'))
  if (own === 'shared') shared.add(root)
  for (const [path, what] of Object.entries(others)) {
    const at = join(root, path)
    mkdirSync(at, { recursive: true })
    mountAt(what, '', at)
  }
  return { base, root }
}

async function watched({ base }: Tree, options: Partial<WatchedStoreOptions> = {}): Promise<WatchedStore> {
  open = new WatchedStore({
    mechanism: 'auto',
    base,
    crossFileSystems: true,
    sharedFileSystem: path => (shared.has(Buffer.from(path).toString()) ? 'a test' : undefined),
    pace: EAGER,
    ...options,
  })
  await open.start()
  return open
}

function states(at: WatchedStore): string[] {
  return at.states.map(({ state, mechanism }) => `${state} ${mechanism}`)
}

function expectEqual(at: WatchedStore, history: readonly string[] = [], enters?: (path: string) => boolean): void {
  expect(at.store.entries(), history.slice(-12).join(', ')).toEqual(plainWalk(at.root, enters))
}

/** What is below `asleep` is polled, and was not visited since it was scanned. */
function expectEqualBut(at: WatchedStore, asleep: string): void {
  const others = (entries: ReturnType<typeof plainWalk>) =>
    [...entries].filter(([path]) => !path.startsWith(`${asleep}/`)).sort()
  expect(others(at.store.entries())).toEqual(others(plainWalk(at.root)))
  expect([...at.store.entries()].sort()).not.toEqual([...plainWalk(at.root)].sort())
}

/** Waits for visits of what is polled. */
async function untilEqual(at: WatchedStore, history?: readonly string[], enters?: (path: string) => boolean) {
  const endsAt = performance.now() + 20_000
  const text = (of: ReturnType<typeof plainWalk>) => JSON.stringify([...of].sort())
  for (;;) {
    await at.settle()
    if (text(at.store.entries()) === text(plainWalk(at.root, enters)) || performance.now() > endsAt) break
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  expectEqual(at, history, enters)
}

async function untilArmedAgain(at: WatchedStore, times: number, enters?: (path: string) => boolean): Promise<void> {
  await at.until(() => at.states.filter(({ state }) => state === 'armed').length === times)
  at.store.scan(at.root, monotonicMicros(), enters)
}

/** Paths of the rows that a request for a listing brings; what it waits for is done when the barrier is. */
async function listed(at: WatchedStore, path: string, deep: boolean, withPath = true): Promise<string[]> {
  const ref = plainWalk(at.root).get(path)!.ref
  const names = new Map([...plainWalk(at.root)].map(([name, entry]) => [entry.ref, name]))
  const [inode, birth] = ref.split(':')
  const refOf = { low: Number(BigInt(inode!) & 0xffffffffn), high: Number(BigInt(inode!) >> 32n), birth: Number(birth) }
  at.batches.length = 0
  const bytes = withPath ? new Uint8Array(Buffer.from(join(at.root, path))) : new Uint8Array(0)
  at.watcher.list('root', bytes, refOf, monotonicMicros(), deep)
  await at.barrier()
  return at.batches
    .flatMap(({ op, entries }) =>
      Array.from(op, (_, row) => {
        const { low, high, birth } = entries.ref!
        return names.get(`${(BigInt(high[row]!) << 32n) | BigInt(low[row]!)}:${birth[row]}`)
      }),
    )
    .filter(name => name !== undefined)
    .sort()
}

describe.runIf(problem === '')('a root of several file systems', () => {
  const ALL: Layout = { '': 'ext4', o: 'overlay', t: 'tmpfs', s: 'shared' }

  describe.each([
    ['ext4', ALL, 'polling'],
    ['overlay', { '': 'overlay', e: 'ext4', 'e/o': 'overlay' }, 'inotify'],
    ['a shared one', { '': 'shared', e: 'ext4', o: 'overlay', 'o/s': 'shared' }, 'polling'],
  ] as const)('on %s', (_name, layout, mechanism) => {
    it.each(Array.from({ length: soak }, (_, i) => i + 1))(
      'agrees with a walk after random operations, seed %i',
      async seed => {
        const at = await watched(made(layout))
        const random = randomOf(seed)
        const history: string[] = []
        const places = Object.keys(layout).map(path => join(at.root, path))
        for (let step = 0; step < 30; step++) {
          for (let i = 1 + random(20); i > 0; i--)
            history.push(doSomething(places[random(places.length)]!, at.outside, random, false))
          if (mechanism === 'polling') await untilEqual(at, history)
          else {
            expect(await at.settle()).toEqual([])
            expectEqual(at, history)
          }
        }
        expect(states(at)).toEqual([`armed ${mechanism}`])
      },
    )
  })

  it('tells nothing before all of it is followed, which its scan is to see', async () => {
    const tree = made({ '': 'ext4', o: 'overlay' })
    for (let i = 0; i < 2_000; i++) mkdirSync(join(tree.root, 'o/before', String(i)))
    open = new WatchedStore({ mechanism: 'auto', base: tree.base, crossFileSystems: true })
    const at = open
    at.watchAs(at.root)
    let changes = 0
    while (at.states.length === 0) {
      writeFileSync(join(at.root, 'before/deep/file'), String(changes++))
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(changes).toBeGreaterThan(1)
    expect(at.batches).toEqual([])
    at.scan()
    writeFileSync(join(at.root, 'before/deep/new'), 'new')
    expect(await at.settle()).toEqual([])
    expectEqual(at)
  })

  it('has marks where they can be made, watches elsewhere, and visits where neither tells all', async () => {
    const at = await watched(made(ALL), { pace: ASLEEP })
    expect(states(at)).toEqual(['armed polling'])
    expect(at.states[0]!.reason).toContain('lies on a test')
    expect(at.states[0]!.reason).toContain(join(at.root, 's'))
    // Those of the overlay: its top and what is in it.
    expect(at.watcher.stats().watches).toBe(3)
    for (const path of ['', 'o', 't', 's']) writeFileSync(join(at.root, path, 'before/deep/new'), 'new')
    expect(await at.settle()).toEqual(['root'])
    expectEqualBut(at, 's')
  })

  it('keeps marks where its other file systems can only be watched, and says which', async () => {
    const at = await watched(made({ '': 'ext4', o: 'overlay' }))
    expect(states(at)).toEqual(['armed inotify'])
    expect(at.states[0]!.reason).toContain(`(${join(at.root, 'o')} by inotify)`)
    expect(at.watcher.stats().watches).toBe(3)
    expect(await at.barrier()).toEqual([])
  })

  it('says nothing of other mechanisms where one does for all', async () => {
    const at = await watched(made({ '': 'ext4', t: 'tmpfs' }))
    expect(at.states).toMatchObject([{ state: 'armed', mechanism: 'fanotify', reason: '' }])
  })

  it('is followed by the one that was asked for or not at all', async () => {
    const tree = made({ '': 'ext4', o: 'overlay', s: 'shared' })
    for (const mechanism of ['fanotify', 'inotify'] as const) {
      open = new WatchedStore({
        mechanism,
        base: tree.base,
        crossFileSystems: true,
        sharedFileSystem: path => (path.at(-1) === 0x73 ? 'a test' : undefined),
      })
      open.watchAs(tree.root)
      expect(states(open)).toEqual(['unwatched none'])
      open.watcher.stop()
    }
    const at = await watched(tree, { mechanism: 'polling' })
    expect(states(at)).toEqual(['armed polling'])
    expect(at.watcher.stats().watches).toBe(0)
  })

  it('tells the metadata of mounted directories', async () => {
    const at = await watched(made(ALL))
    const steps = [
      (path: string) => utimesSync(path, 1_000, 2_000),
      (path: string) => writeFileSync(join(path, 'new'), 'new'),
      (path: string) => rmSync(join(path, 'new')),
      (path: string) => utimesSync(path, 3_000, 4_000),
    ]
    for (const step of steps) {
      for (const path of ['', 'o', 't', 's']) step(join(at.root, path))
      await untilEqual(at)
    }
    expect(states(at)).toEqual(['armed polling'])
  })

  it('is lost when a part is unmounted or mounted, and followed as it is then', async () => {
    const at = await watched(made({ '': 'overlay', t: 'tmpfs', s: 'shared' }))
    for (const [i, name] of ['t', 's'].entries()) {
      const directory = join(at.root, name)
      writeFileSync(join(directory, 'before/file'), 'x')
      await untilEqual(at)
      expect((mounts as TestMounts).unmount(directory)).toBeUndefined()
      await untilArmedAgain(at, 2 + 2 * i)
      // The path stands for a directory of the overlay now.
      shared.delete(directory)
      writeFileSync(join(directory, 'below'), 'x')
      await untilEqual(at)
      expect((mounts as TestMounts).mountAgain(directory)).toBeUndefined()
      await untilArmedAgain(at, 3 + 2 * i)
      mkdirSync(join(directory, 'new/deep'), { recursive: true })
      await untilEqual(at)
    }
    expect(states(at).filter(state => state.startsWith('armed'))).toEqual([
      'armed polling',
      'armed polling',
      'armed polling',
      'armed inotify',
      'armed inotify',
    ])
  })

  it.each([
    ['marks alone', { '': 'ext4', 'd/inner/m': 'tmpfs' }],
    ['marks and watches', { '': 'ext4', 'd/inner/m': 'overlay' }],
  ] as const)('is lost when a directory above a mount is renamed, by %s', async (_name, layout) => {
    const at = await watched(made(layout))
    const { mechanism } = at.states[0]!
    renameSync(join(at.root, 'd'), join(at.root, 'e'))
    await untilArmedAgain(at, 2)
    expect(states(at)).toEqual([`armed ${mechanism}`, `lost ${mechanism}`, `armed ${mechanism}`])
    expect(at.states[1]!.reason).toContain('moved')
    writeFileSync(join(at.root, 'e/inner/m/before/deep/new'), 'new')
    expect(await at.settle()).toEqual([])
    expectEqual(at)
  })

  it('lists a directory of each part when it is asked to, with what is mounted below it only if all is wanted', async () => {
    const at = await watched(made({ '': 'ext4', o: 'overlay', 'o/t': 'tmpfs', s: 'shared', 's/e': 'ext4' }), {
      pace: ASLEEP,
    })
    for (const path of ['', 'o', 'o/t', 's', 's/e']) {
      const inside = (name: string) => (path === '' ? name : `${path}/${name}`)
      const below = [...plainWalk(at.root).keys()].filter(name => name.startsWith(inside('')) && name !== path)
      const direct = below.filter(name => !name.slice(inside('').length).includes('/'))
      // Besides its own row the `listed` one has no entry.
      expect(await listed(at, path, false), path).toEqual([path, ...direct].sort())
      expect(await listed(at, path, true), path).toEqual(below.sort())
      expect(await listed(at, inside('before'), true), path).toEqual([
        inside('before/deep'),
        inside('before/deep/file'),
      ])
    }
    for (const path of ['', 'o', 'o/t', 's', 's/e'])
      expect(await listed(at, path, false, false), path).toContain(path === '' ? 'before' : `${path}/before`)
  })

  it('follows rules of one part in the others', async () => {
    const at = await watched(made(ALL))
    for (const path of ['', 'o', 't', 's']) writeFileSync(join(at.root, path, 'before/left'), 'x')
    await untilEqual(at)
    writeFileSync(join(at.root, '.hotpathignore'), 'left\n')
    await untilEqual(at, [], path => !path.endsWith('left'))
    rmSync(join(at.root, '.hotpathignore'))
    await untilEqual(at)
    writeFileSync(join(at.root, '.hotpathignore'), '/o\n')
    const isFollowed = (path: string) => path !== 'o' && !path.startsWith('o/')
    await untilArmedAgain(at, 2, isFollowed)
    writeFileSync(join(at.root, 't/new'), 'new')
    await untilEqual(at, [], isFollowed)
    rmSync(join(at.root, '.hotpathignore'))
    await untilArmedAgain(at, 3)
    writeFileSync(join(at.root, 'o/before/new'), 'new')
    await untilEqual(at)
    expect(at.watcher.stats().watches).toBe(3)
  })

  it('has one part polled that has too many directories to be watched; marks stay', async () => {
    const at = await watched(made({ '': 'ext4', o: 'overlay' }), { bounds: { watches: 4 }, pace: ASLEEP })
    expect(states(at)).toEqual(['armed inotify'])
    mkdirSync(join(at.root, 'o/more/and/more'), { recursive: true })
    await untilArmedAgain(at, 2)
    expect(states(at)).toEqual(['armed inotify', 'lost inotify', 'armed polling'])
    expect(at.states[2]!.reason).toContain('fs.inotify.max_user_watches')
    expect(at.watcher.stats().watches).toBe(0)
    writeFileSync(join(at.root, 'before/deep/new'), 'new')
    writeFileSync(join(at.root, 'o/before/deep/new'), 'new')
    expect(await at.settle()).toEqual(['root'])
    expectEqualBut(at, 'o')
  })

  it.each([
    ['ext4', 'auto', true],
    ['ext4', 'auto', false],
    ['overlay', 'auto', true],
    ['tmpfs', 'auto', false],
    ['ext4', 'inotify', true],
    ['overlay', 'inotify', true],
    ['tmpfs', 'inotify', true],
  ] as const)(
    'leaves a directory alone that is bound into it a second time, from %s, followed by %s, with a group: %s',
    async (from, mechanism, hasGroup) => {
      const tree = made({ '': mechanism === 'auto' ? 'shared' : 'ext4', e: from })
      const bound = join(tree.root, 'bound')
      mkdirSync(bound)
      expect((mounts as TestMounts).bind(join(tree.root, 'e/before'), bound)).toBeUndefined()
      const at = await watched(tree, {
        mechanism,
        ...(!hasGroup && { fanotifyFd: noGroup() }),
        enters: path => path !== 'bound',
        pace: ASLEEP,
      })
      writeFileSync(join(at.root, 'e/before/deep/new'), 'new')
      await at.settle()
      expect(at.store.entries().has('e/before/deep/new')).toBe(true)
      // The ref of its row is its own, so that nothing has that name.
      expect(await listed(at, '', false)).toEqual(['', 'before', 'e'])
      expect([...at.store.entries().keys()].filter(path => path.startsWith('bound'))).toEqual(['bound'])
      expect(states(at)).toEqual([mechanism === 'auto' ? 'armed polling' : 'armed inotify'])
    },
  )
})
