import { appendFileSync, chmodSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FILE_SYSTEMS, type FileSystemName, TestMounts } from '@hotpath/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { plainWalk } from './testing/model-store.js'
import { doSomething, randomOf } from './testing/random-operations.js'
import { WatchedStore } from './testing/watched-store.js'

const SEED = 7
const soak = process.env.SOAK === undefined ? 1 : 20

/** Base directories of tests with a root that has something in it, each on a file system of its own. */
const mounts = TestMounts.open()
const available: [FileSystemName, string][] = []
if (typeof mounts === 'string') console.log(`other file systems are not tested here: ${mounts}`)
else
  for (const name of FILE_SYSTEMS) {
    const mounted = mounts.mount(name, { prepare })
    if ('problem' in mounted) console.log(`not tested here: ${mounted.problem}`)
    else available.push([name, mounted.directory])
  }

function prepare(directory: string): void {
  const base = join(directory, 'base')
  for (const path of ['root/kept/inner/last', 'outside']) mkdirSync(join(base, path), { recursive: true })
  for (const path of ['kept/file', 'kept/inner/file', 'kept/inner/last/file'])
    writeFileSync(join(base, 'root', path), path)
  linkSync(join(base, 'root/kept/file'), join(base, 'root/kept/inner/link'))
  const random = randomOf(SEED)
  for (let i = 0; i < 60; i++) doSomething(join(base, 'root'), join(base, 'outside'), random)
}

let open: WatchedStore | undefined
afterEach(() => {
  open?.watcher.stop()
  open = undefined
})
afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
})

function expectEqual(at: WatchedStore, history: readonly string[]): void {
  expect(at.store.entries(), history.slice(-12).join(', ')).toEqual(plainWalk(at.root))
}

describe.runIf(typeof mounts !== 'string')('where changes come without events', () => {
  function fuse(): string {
    const mounted = (mounts as TestMounts).mount('fuse')
    if ('problem' in mounted) throw new Error(mounted.problem)
    return mounted.directory
  }

  it('a root is polled, says why, and is named by barriers', async () => {
    const root = fuse()
    open = new WatchedStore({ mechanism: 'auto' })
    open.watchAs(root)
    await open.until(() => open!.states.length > 0)
    expect(open.states.map(({ state, mechanism }) => [state, mechanism])).toEqual([['armed', 'polling']])
    expect(open.states[0]!.reason).toContain('lies on fuse.hotpath')
    expect(await open.barrier()).toEqual(['root'])
  })

  it('so is that part of a root which is mounted in it, and nothing else', async () => {
    const root = join(fuse(), '..')
    const never = 3_600_000
    open = new WatchedStore({ mechanism: 'auto', crossFileSystems: true, pace: { shortest: never, longest: never } })
    open.watchAs(root)
    await open.until(() => open!.states.length > 0)
    expect(open.states.at(-1)).toMatchObject({ state: 'armed', mechanism: 'polling' })
    expect(open.states.at(-1)!.reason).toContain('lies on fuse.hotpath')
    open.scan(root)
    writeFileSync(join(root, 'file'), 'x')
    expect(await open.settle()).toEqual(['root'])
    expect(open.store.entries()).toEqual(plainWalk(root))
  })

  it.each(['inotify', 'fanotify'] as const)('a root is not said to be followed by %s', mechanism => {
    open = new WatchedStore({ mechanism })
    open.watchAs(fuse())
    expect(open.states.at(-1)).toMatchObject({ state: 'unwatched', mechanism: 'none' })
    expect(open.states.at(-1)!.reason).toContain('lies on fuse.hotpath')
  })
})

describe.each(available)('on %s', (_name, directory) => {
  async function watched(): Promise<WatchedStore> {
    open = new WatchedStore({ mechanism: 'auto', base: join(directory, 'base') })
    await open.start()
    return open
  }

  it('what was there before is followed when it is changed for the first time', async () => {
    const at = await watched()
    const steps: [string, () => void][] = [
      ['chmod of a directory', () => chmodSync(join(at.root, 'kept/inner'), 0o700)],
      ['write in it', () => writeFileSync(join(at.root, 'kept/inner/new'), 'new')],
      ['append', () => appendFileSync(join(at.root, 'kept/inner/file'), 'more')],
      ['mkdir', () => mkdirSync(join(at.root, 'kept/inner/last/g'))],
      ['write below', () => writeFileSync(join(at.root, 'kept/inner/last/g/new'), 'new')],
      ['rename', () => renameSync(join(at.root, 'kept/inner/last/file'), join(at.root, 'kept/moved'))],
      ['write by one of two names', () => appendFileSync(join(at.root, 'kept/inner/link'), 'more')],
      ['remove', () => rmSync(join(at.root, 'kept/file'))],
      ['append again', () => appendFileSync(join(at.root, 'kept/inner/link'), 'more')],
      ['remove all', () => rmSync(join(at.root, 'kept/inner'), { recursive: true })],
      ['mkdir again', () => mkdirSync(join(at.root, 'kept/inner'))],
      ['write again', () => writeFileSync(join(at.root, 'kept/inner/file'), 'again')],
    ]
    const history: string[] = []
    for (const [what, step] of steps) {
      step()
      history.push(what)
      expect(await at.settle()).toEqual([])
      expectEqual(at, history)
    }
    expect(at.states.map(({ state }) => state)).toEqual(['armed'])
  })

  it.each(Array.from({ length: 2 * soak }, (_, i) => i + 1))('agrees with a walk, seed %i', async seed => {
    const at = await watched()
    const random = randomOf(seed)
    const history: string[] = []
    for (let step = 0; step < 60; step++) {
      for (let i = 1 + random(20); i > 0; i--) history.push(doSomething(at.root, at.outside, random))
      expect(await at.settle()).toEqual([])
      expectEqual(at, history)
    }
    expect(at.states.map(({ state }) => state)).toEqual(['armed'])
  })
})
