import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEventJournal, fanotifyFollowFileSystem, fanotifyInit } from '@hotpath/platform'
import { type FileSystemName, OTHER_UID, TestMounts } from '@hotpath/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { FollowedStore } from './testing/followed-store.js'
import { plainWalk } from './testing/model-store.js'
import { OTHER_USER_PROBLEM, OtherUser } from './testing/other-user.js'
import { fanotifyProblem } from './testing/privilege.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const soak = process.env.SOAK !== undefined

const mounts = TestMounts.open()
const problem = typeof mounts === 'string' ? mounts : fanotifyProblem() || OTHER_USER_PROBLEM
if (problem !== '') console.log(`watchers that inherit marks and have no privilege are not tested here: ${problem}`)

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
})

interface Followed {
  readonly store: FollowedStore
  /** Where its file system is mounted. */
  readonly place: string
  readonly fanotifyFd: number
}

function mounted(fileSystem: FileSystemName): string {
  const made = (mounts as TestMounts).mount(fileSystem)
  if ('problem' in made) throw new Error(made.problem)
  return made.directory
}

/** A store on a file system of its own, whose watchers have no privilege, and a group that is opened and marked by us. */
function followed(fileSystem: FileSystemName, options: { isMarked?: boolean; unlimited?: boolean } = {}): Followed {
  return followedAt(mounted(fileSystem), options)
}

/** @param within a directory of the file system, for the store */
function followedAt(
  place: string,
  { isMarked = true, unlimited = true, within = place }: { isMarked?: boolean; unlimited?: boolean; within?: string },
): Followed {
  const fanotifyFd = fanotifyInit({ unlimited })
  const journalFd = createEventJournal()
  if (isMarked) fanotifyFollowFileSystem(fanotifyFd, place)
  const store = new FollowedStore({
    mechanism: 'auto',
    fanotifyFd,
    journalFd,
    uid: OTHER_UID,
    place: within,
    crossFileSystems: true,
  })
  closing.push(
    () => closeSync(fanotifyFd),
    () => closeSync(journalFd),
    () => store.close(),
  )
  return { store, place, fanotifyFd }
}

async function armed(store: FollowedStore): Promise<void> {
  const told = store.states.length
  store.start()
  await store.until(() => store.states.length > told && store.states.at(-1)?.state === 'armed')
}

function userOf({ root, outside }: FollowedStore, seedOfUser: number): OtherUser {
  const user = new OtherUser(root, outside, seedOfUser)
  closing.push(() => user.close())
  return user
}

function expectEqual(store: FollowedStore, history: readonly string[] = []): void {
  const [walked, held] = [plainWalk(store.root), store.model.entries()]
  const differing = [...new Set([...walked.keys(), ...held.keys()])].filter(
    path => JSON.stringify(walked.get(path)) !== JSON.stringify(held.get(path)),
  )
  const part = (of: typeof walked) => Object.fromEntries(differing.slice(0, 20).map(path => [path, of.get(path)]))
  expect(part(held), `seed ${seed}: ${history.slice(-12).join(', ')}`).toEqual(part(walked))
}

const available = (['ext4', 'tmpfs', 'btrfs', 'xfs'] as const).filter(fileSystem => {
  if (problem !== '') return false
  const made = (mounts as TestMounts).mount(fileSystem)
  if ('problem' in made) console.log(`not tested here without privilege: ${made.problem}`)
  return !('problem' in made)
})
const hasSubvolumes = available.includes('btrfs') && spawnSync('btrfs', ['--version']).status === 0
if (problem === '' && !hasSubvolumes) console.log('subvolumes are not tested here without privilege: there is no btrfs')

describe.runIf(problem === '')('a watcher without privilege', () => {
  it.each(available)('follows a marked %s: the model equals a walk after random operations', async fileSystem => {
    for (let run = 0; run < (soak ? 20 : 1); run++) {
      const { store } = followed(fileSystem)
      const user = userOf(store, seed + run)
      const history = await user.does(60)
      await armed(store)
      expect(store.states.at(-1)).toMatchObject({ state: 'armed', mechanism: 'fanotify', term: 1 })
      for (let burst = 0; burst < 12; burst++) {
        history.push(...(await user.does(1 + ((seed + burst * 7) % 40))))
        if (burst % 3 !== 0) continue
        expect(await store.settle()).toEqual([])
        expectEqual(store, history)
      }
      expect(await store.settle()).toEqual([])
      expectEqual(store, history)
      expect(store.scans).toBe(1)
    }
  })

  it('uses the marks that there are for a root of several file systems, and inotify for the rest of it', async () => {
    const { store } = followed('ext4')
    const inner = join(store.root, 'inner')
    mkdirSync(inner)
    const mounted = (mounts as TestMounts).mount('tmpfs', { at: inner })
    if ('problem' in mounted) throw new Error(mounted.problem)
    closing.push(() => expect((mounts as TestMounts).unmount(inner)).toBeUndefined())
    const users = [userOf(store, seed), new OtherUser(inner, store.outside, seed + 1)]
    closing.push(() => users[1]!.close())
    const history = await users[0]!.does(20)
    await armed(store)
    expect(store.states.at(-1)).toMatchObject({ state: 'armed', mechanism: 'inotify' })
    expect(store.states.at(-1)!.reason).toBe(`fanotify_mark failed: EPERM (${inner} by inotify)`)
    for (let burst = 0; burst < 8; burst++) {
      for (const user of users) history.push(...(await user.does(20)))
      expect(await store.settle()).toEqual([])
      expectEqual(store, history)
    }
    expect(store.scans).toBe(1)
  })

  it('misses nothing of what happens while it sets up', async () => {
    const { store } = followed('tmpfs')
    for (let i = 0; i < 300; i++) mkdirSync(join(store.root, `${i}/below/deep`), { recursive: true })
    const user = userOf(store, seed)
    const history = await user.does(10)
    store.start()
    while (store.states.at(-1)?.state !== 'armed') history.push(...(await user.does(5)))
    history.push(...(await user.does(50)))
    expect(await store.settle()).toEqual([])
    expectEqual(store, history)
  })

  it('finds in a directory that came what it holds, and follows it from then on', async () => {
    const { store } = followed('ext4')
    mkdirSync(join(store.outside, 'tree/below'), { recursive: true })
    writeFileSync(join(store.outside, 'tree/below/file'), 'x')
    await armed(store)
    renameSync(join(store.outside, 'tree'), join(store.root, 'tree'))
    await store.settle()
    writeFileSync(join(store.root, 'tree/below/later'), 'later')
    renameSync(join(store.root, 'tree'), join(store.root, 'renamed'))
    writeFileSync(join(store.root, 'renamed/below/last'), 'last')
    await store.settle()
    expect(store.model.entries().has('renamed/below/last')).toBe(true)
    expectEqual(store)
    renameSync(join(store.root, 'renamed'), join(store.outside, 'gone'))
    writeFileSync(join(store.outside, 'gone/below/outside'), 'outside')
    await store.settle()
    expectEqual(store)
  })

  it('that takes the place of a killed one is another source, and what happened meanwhile is found by a scan', async () => {
    const { store } = followed('ext4')
    const user = userOf(store, seed)
    const history: string[] = []
    for (let kill = 0; kill < 3; kill++) {
      await armed(store)
      history.push(...(await user.does(30)))
      await store.kill()
      history.push(...(await user.does(30)))
    }
    await armed(store)
    history.push(...(await user.does(30)))
    expect(await store.settle()).toEqual([])
    expectEqual(store, history)
    expect(store.states.map(({ continuesSource }) => continuesSource)).toEqual(['', '', '', ''])
    expect(new Set(store.states.map(({ source }) => source)).size).toBe(4)
    expect(store.scans).toBe(4)
  })

  it('is told that events were lost, and follows everything again', async () => {
    const { store } = followed('tmpfs', { unlimited: false })
    await armed(store)
    process.kill(store.pid, 'SIGSTOP')
    await new Promise(resolve => setTimeout(resolve, 100))
    // 16,384 are kept.
    for (let i = 0; i < 20_000; i++) symlinkSync('x', join(store.root, `${i}`))
    mkdirSync(join(store.root, 'unseen'))
    process.kill(store.pid, 'SIGCONT')
    await store.until(() => store.states.length === 3)
    expect(store.states.map(({ state, term }) => [state, term])).toEqual([
      ['armed', 1],
      ['lost', 2],
      ['armed', 2],
    ])
    expect(store.states[1]!.reason).toContain('overflowed')
    expect(store.states[1]!.wholeUntil).toBeLessThanOrEqual(Date.now() / 1000)
    writeFileSync(join(store.root, 'unseen/file'), 'x')
    expect(await store.settle()).toEqual([])
    expectEqual(store)
  })

  it('uses inotify where the file system is not marked', async () => {
    const { store } = followed('tmpfs', { isMarked: false })
    await armed(store)
    expect(store.states.at(-1)).toMatchObject({ state: 'armed', mechanism: 'inotify' })
    writeFileSync(join(store.root, 'file'), 'x')
    await store.settle()
    expectEqual(store)
  })

  it.runIf(hasSubvolumes)(
    'uses inotify in a subvolume, whose directories have another id than events say',
    async () => {
      const place = mounted('btrfs')
      const nested = join(place, 'nested')
      expect(spawnSync('btrfs', ['subvolume', 'create', nested]).status).toBe(0)
      const { store } = followedAt(place, { within: nested })
      await armed(store)
      expect(store.states.at(-1)).toMatchObject({ state: 'armed', mechanism: 'inotify' })
      writeFileSync(join(store.root, 'file'), 'x')
      await store.settle()
      expectEqual(store)
    },
  )

  it('finds that its root was moved, and follows what is there afterwards', async () => {
    const { store } = followed('ext4')
    await armed(store)
    renameSync(store.root, join(store.outside, 'moved'))
    mkdirSync(store.root)
    writeFileSync(join(store.root, 'other'), 'x')
    await store.settle()
    await store.until(() => store.states.length === 3)
    expect(store.states[1]).toMatchObject({ state: 'lost', reason: 'the root was moved or removed' })
    expect(store.states[2]).toMatchObject({ state: 'armed', mechanism: 'fanotify', term: 2 })
    writeFileSync(join(store.root, 'another'), 'x')
    expect(await store.settle()).toEqual([])
    expectEqual(store)
  })
})
