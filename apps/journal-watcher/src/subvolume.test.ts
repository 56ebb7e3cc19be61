import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestMounts } from '@hotpath/testing'
import { afterAll, afterEach, expect, it } from 'vitest'
import { plainWalk } from './testing/model-store.js'
import { fanotifyProblem } from './testing/privilege.js'
import { doSomething, randomOf } from './testing/random-operations.js'
import { WatchedStore } from './testing/watched-store.js'

const mounts = TestMounts.open()

/** A btrfs with a subvolume in it; or why there is none. */
function prepare(): { directory: string } | { problem: string } {
  const problem = typeof mounts === 'string' ? mounts : fanotifyProblem()
  if (problem !== '') return { problem }
  const mounted = (mounts as TestMounts).mount('btrfs')
  if ('problem' in mounted) return mounted
  const made = spawnSync('btrfs', ['subvolume', 'create', join(mounted.directory, 'nested')], { encoding: 'utf8' })
  return made.status === 0 ? mounted : { problem: made.error?.message ?? made.stderr }
}

const btrfs = prepare()
if ('problem' in btrfs) console.log(`subvolumes are not tested here: ${btrfs.problem}`)

let open: WatchedStore | undefined
afterEach(() => {
  open?.watcher.stop()
  open = undefined
})
afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
})

it.runIf('directory' in btrfs)('a subvolume inside of a marked btrfs is followed by the mark', async () => {
  const { directory } = btrfs as { directory: string }
  mkdirSync(join(directory, 'nested/before/deep'), { recursive: true })
  open = new WatchedStore({ mechanism: 'fanotify' })
  const at = open
  at.watchAs(directory, { crossFileSystems: true })
  await at.until(() => at.states.at(-1)?.state === 'armed')
  at.scan(directory)
  const nested = join(directory, 'nested')
  const outside = join(directory, '..')
  mkdirSync(join(nested, 'new/deep'), { recursive: true })
  writeFileSync(join(nested, 'before/deep/file'), 'x')
  expect(await at.settle()).toEqual([])
  expect(at.store.entries()).toEqual(plainWalk(directory))
  renameSync(join(nested, 'new'), join(nested, 'before/new'))
  writeFileSync(join(nested, 'before/new/deep/file'), 'x')
  const random = randomOf(5)
  for (let step = 0; step < 30; step++) {
    for (let i = 0; i < 5; i++) doSomething(join(nested, 'before'), outside, random)
    expect(await at.settle()).toEqual([])
    expect(at.store.entries()).toEqual(plainWalk(directory))
  }
  expect(at.states.map(({ state, mechanism }) => `${state} ${mechanism}`)).toEqual(['armed fanotify'])
})
