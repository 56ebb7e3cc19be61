import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestMounts } from '@hotpath/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { MechanismChoice } from './follow-root.js'
import { plainWalk } from './testing/model-store.js'
import { fanotifyProblem } from './testing/privilege.js'
import { doSomething, randomOf } from './testing/random-operations.js'
import { WatchedStore } from './testing/watched-store.js'

const mounts = TestMounts.open()
if (typeof mounts === 'string') console.log(`what is unmounted is not tested here: ${mounts}`)
const mechanisms: MechanismChoice[] = fanotifyProblem() === '' ? ['inotify', 'fanotify'] : ['inotify']
const cases = mechanisms.flatMap(mechanism => (['ext4', 'tmpfs'] as const).map(name => [mechanism, name] as const))

let open: WatchedStore | undefined
afterEach(() => {
  open?.watcher.stop()
  open = undefined
})
afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
})

describe.runIf(typeof mounts !== 'string').each(cases)('by %s on %s', (mechanism, name) => {
  function mounted(): { all: TestMounts; directory: string } {
    const all = mounts as TestMounts
    const made = all.mount(name)
    if ('problem' in made) throw new Error(made.problem)
    return { all, directory: made.directory }
  }

  it('a followed root can be unmounted, and is followed again when it is back', async () => {
    const { all, directory } = mounted()
    mkdirSync(join(directory, 'a/b'), { recursive: true })
    open = new WatchedStore({ mechanism })
    const at = open
    const isArmed = (times: number) => at.states.filter(({ state }) => state === 'armed').length === times
    at.watchAs(directory)
    await at.until(() => isArmed(1))
    at.scan(directory)
    const random = randomOf(3)
    for (let i = 0; i < 40; i++) doSomething(join(directory, 'a'), at.outside, random)
    renameSync(join(directory, 'a'), join(directory, 'c'))
    expect(await at.settle()).toEqual([])
    expect(at.store.entries()).toEqual(plainWalk(directory))

    expect(all.unmount(directory)).toBeUndefined()
    await at.until(() => isArmed(2))
    expect(at.states.map(({ state }) => state)).toEqual(['armed', 'lost', 'armed'])
    at.scan(directory)
    writeFileSync(join(directory, 'below'), 'x')
    expect(await at.settle()).toEqual([])
    expect([...at.store.entries().keys()]).toEqual(['', 'below'])

    expect(all.mountAgain(directory)).toBeUndefined()
    await at.until(() => isArmed(3))
    expect(at.states.map(({ term }) => term)).toEqual([1, 2, 2, 3, 3])
    at.scan(directory)
    for (let i = 0; i < 40; i++) doSomething(directory, at.outside, random)
    expect(await at.settle()).toEqual([])
    expect(at.store.entries()).toEqual(plainWalk(directory))
  })

  it('so can what is mounted below a root that it belongs to', async () => {
    const { all, directory } = mounted()
    mkdirSync(join(directory, 'inner'))
    open = new WatchedStore({ mechanism })
    const at = open
    const root = join(directory, '..')
    const isArmed = (times: number) => at.states.filter(({ state }) => state === 'armed').length === times
    at.watchAs(root, { crossFileSystems: true })
    await at.until(() => isArmed(1))
    at.scan(root)
    writeFileSync(join(directory, 'inner/file'), 'x')
    writeFileSync(join(root, 'beside'), 'x')
    expect(await at.settle()).toEqual([])
    expect(at.store.entries()).toEqual(plainWalk(root))

    expect(all.unmount(directory)).toBeUndefined()
    await at.until(() => isArmed(2))
    at.scan(root)
    writeFileSync(join(directory, 'below'), 'x')
    expect(await at.settle()).toEqual([])
    expect(at.store.entries()).toEqual(plainWalk(root))

    expect(all.mountAgain(directory)).toBeUndefined()
    await at.until(() => isArmed(3))
    at.scan(root)
    mkdirSync(join(directory, 'inner/new'), { recursive: true })
    writeFileSync(join(directory, 'inner/new/file'), 'x')
    expect(await at.settle()).toEqual([])
    expect(at.store.entries()).toEqual(plainWalk(root))
  })
})
