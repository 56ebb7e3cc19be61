import { closeSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEventJournal, fanotifyInit } from '@hotpath/platform'
import { afterEach, describe, expect, it } from 'vitest'
import { FollowedStore, type FollowedStoreOptions } from './testing/followed-store.js'
import { plainWalk } from './testing/model-store.js'
import { fanotifyProblem } from './testing/privilege.js'
import { doSomething, randomOf } from './testing/random-operations.js'

const problem = fanotifyProblem()
if (problem !== '') console.log(`watchers that go on where others ended are not tested here: ${problem}`)
const soak = process.env.SOAK !== undefined
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function storeOf(options: FollowedStoreOptions): FollowedStore {
  const store = new FollowedStore(options)
  closing.push(() => store.close())
  return store
}

/** A store whose watchers have a group and a journal that outlive them. */
function succeeded(unlimited = true, options: Partial<FollowedStoreOptions> = {}): FollowedStore {
  const fanotifyFd = fanotifyInit({ unlimited })
  const journalFd = createEventJournal()
  closing.push(
    () => closeSync(fanotifyFd),
    () => closeSync(journalFd),
  )
  return storeOf({ mechanism: 'fanotify', fanotifyFd, journalFd, ...options })
}

async function started(store: FollowedStore): Promise<FollowedStore> {
  store.start()
  const told = store.states.length
  await store.until(() => store.states.length > told && store.states.at(-1)?.state === 'armed')
  return store
}

function expectEqual(store: FollowedStore, history: readonly string[] = []): void {
  const walked = plainWalk(store.root)
  const held = store.model.entries()
  const differing = [...new Set([...walked.keys(), ...held.keys()])].filter(
    path => JSON.stringify(walked.get(path)) !== JSON.stringify(held.get(path)),
  )
  const part = (of: typeof walked) => Object.fromEntries(differing.slice(0, 20).map(path => [path, of.get(path)]))
  expect(part(held), `seed ${seed}, not listed ${[...store.model.unlisted]}: ${history.slice(-12).join(', ')}`).toEqual(
    part(walked),
  )
}

/** Does nothing for so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

/** So many that no queue with a limit holds them while nobody reads: 16,384 is the default. */
function overflow(store: FollowedStore): void {
  for (let i = 0; i < 20_000; i++) symlinkSync('x', join(store.root, `${i}`))
}

async function whileStopped(store: FollowedStore, work: () => void): Promise<void> {
  process.kill(store.pid, 'SIGSTOP')
  // The signal reaches its threads one by one.
  await turns(2)
  await new Promise(resolve => setTimeout(resolve, 100))
  work()
  process.kill(store.pid, 'SIGCONT')
}

describe.runIf(problem === '')('a watcher that takes the place of a killed one', () => {
  it('sees what happened meanwhile, and nothing is scanned', async () => {
    const store = await started(succeeded())
    expect(store.states[0]).toMatchObject({ source: 'watcher-1/1', term: 1, continuesSource: '', continuesTerm: 0 })
    mkdirSync(join(store.outside, 'tree/below'), { recursive: true })
    writeFileSync(join(store.outside, 'tree/below/file'), 'x')
    await store.kill()
    renameSync(join(store.outside, 'tree'), join(store.root, 'tree'))
    writeFileSync(join(store.root, 'file'), 'content')
    await started(store)
    expect(store.states.at(-1)).toMatchObject({
      source: 'watcher-2/1',
      term: 1,
      continuesSource: 'watcher-1/1',
      continuesTerm: 1,
    })
    expect(await store.settle()).toEqual([])
    expectEqual(store)
    expect(store.scans).toBe(1)
  })

  it('tells again what was told and not acknowledged', async () => {
    const store = await started(succeeded())
    store.acknowledges = false
    writeFileSync(join(store.root, 'told'), 'content')
    await store.barrier()
    const told = store.batches
    expect(told).toBeGreaterThan(0)
    await store.kill()
    await started(store)
    await store.barrier()
    expect(store.batches).toBeGreaterThan(told)
    store.acknowledges = true
    await store.kill()
    await started(store)
    // And nothing of what was: at the latest after a few that had the time to hear of it.
    let settled = -1
    for (let kill = 0; kill < 5 && settled !== store.batches; kill++) {
      await store.barrier()
      await store.barrier()
      await store.kill()
      settled = store.batches
      await started(store)
      await store.barrier()
    }
    expect(store.batches).toBe(settled)
    expectEqual(store)
    expect(store.scans).toBe(1)
  })

  it('says first what the one before would have said, where the store may not have heard of it', async () => {
    const store = await started(succeeded())
    await store.kill()
    await started(store)
    // As a rule nothing happens: no acknowledgement tells the second one that it was heard.
    await store.kill()
    await started(store)
    await store.kill()
    store.start()
    await store.until(() => store.states.at(-1)?.source === 'watcher-4/1')
    const said = store.states.map(({ source, continuesSource }) => `${source} after ${continuesSource}`)
    // Twice, unless something was acknowledged between the two.
    expect(said.length).toBeLessThanOrEqual(6)
    expect([...new Set(said)]).toEqual([
      'watcher-1/1 after ',
      'watcher-2/1 after watcher-1/1',
      'watcher-3/1 after watcher-2/1',
      'watcher-4/1 after watcher-3/1',
    ])
    expect(store.scans).toBe(1)
  })

  it('sees what happened after one that was stopped in order', async () => {
    const store = await started(succeeded())
    await store.end()
    writeFileSync(join(store.root, 'file'), 'content')
    await started(store)
    expect(store.states.at(-1)).toMatchObject({ continuesSource: 'watcher-1/1', continuesTerm: 1 })
    await store.settle()
    expectEqual(store)
    expect(store.scans).toBe(1)
  })

  it('does not go on if the root is another directory', async () => {
    const store = await started(succeeded())
    await store.kill()
    renameSync(store.root, join(store.base, 'elsewhere'))
    mkdirSync(store.root)
    await started(store)
    expect(store.states.at(-1)).toMatchObject({ continuesSource: '', continuesTerm: 0 })
    expect(store.scans).toBe(2)
    await store.settle()
    expectEqual(store)
  })

  it('does not go on if events were lost while nobody read, and says so when it did', async () => {
    const store = await started(succeeded(false, { inMemory: true }))
    await store.kill()
    overflow(store)
    store.start()
    await store.until(() => store.states.length === 4)
    expect(store.states.slice(1).map(({ state, term, continuesSource }) => [state, term, continuesSource])).toEqual([
      ['armed', 1, ''],
      ['lost', 2, ''],
      ['armed', 2, ''],
    ])
    await store.settle()
    expectEqual(store)
    await store.kill()
    await started(store)
    expect(store.states.at(-1)).toMatchObject({ continuesSource: 'watcher-2/1', continuesTerm: 2 })
    expect(store.scans).toBe(3)
  })

  it.each(Array.from({ length: soak ? 10 : 1 }, (_, i) => i))(
    'agrees with a walk after many kills, run %i',
    async run => {
      const store = await started(succeeded())
      const random = randomOf(seed + run)
      const history: string[] = []
      const work = (count: number) => {
        for (let i = 0; i < count; i++) history.push(doSomething(store.root, store.outside, random))
      }
      for (let kill = 0; kill < (soak ? 10 : 6); kill++) {
        store.acknowledges = random(4) > 0
        for (let burst = random(6); burst > 0; burst--) {
          work(1 + random(30))
          await turns(random(200))
        }
        await store.kill(() => work(random(40)))
        work(random(40))
        // Some are killed before they have said anything.
        if (random(3) > 0) await started(store)
        else store.start()
        work(random(20))
        if (random(3) === 0) await new Promise(resolve => setTimeout(resolve, random(400)))
      }
      await store.until(() => store.states.at(-1)?.state === 'armed')
      expect(await store.settle()).toEqual([])
      expectEqual(store, history)
      expect(store.scans, `seed ${seed + run}`).toBe(1)
      expect(store.states.every(({ state }) => state === 'armed')).toBe(true)
    },
  )
})

describe('lost events', () => {
  it('of inotify are told, and everything is followed again', async () => {
    const store = storeOf({ mechanism: 'inotify', inMemory: true })
    mkdirSync(join(store.root, 'a/b'), { recursive: true })
    const startedAt = Date.now() / 1000
    await started(store)
    await whileStopped(store, () => {
      overflow(store)
      mkdirSync(join(store.root, 'unseen'))
    })
    await store.until(() => store.states.length === 3)
    expect(store.states.map(({ state, term }) => [state, term])).toEqual([
      ['armed', 1],
      ['lost', 2],
      ['armed', 2],
    ])
    const [, { reason, wholeUntil }] = store.states as [unknown, { reason: string; wholeUntil: number }, unknown]
    expect(reason).toContain('max_queued_events')
    expect(wholeUntil).toBeGreaterThanOrEqual(startedAt)
    expect(wholeUntil).toBeLessThanOrEqual(Date.now() / 1000)
    writeFileSync(join(store.root, 'unseen/file'), 'x')
    writeFileSync(join(store.root, 'a/b/file'), 'x')
    expect(await store.settle()).toEqual([])
    expectEqual(store)
    expect(store.scans).toBe(2)
  })

  it.runIf(problem === '')('of fanotify are told, and what was continued is not any more', async () => {
    const store = await started(succeeded(false, { inMemory: true }))
    await store.kill()
    const startedAt = Date.now() / 1000
    await started(store)
    expect(store.states.at(-1)).toMatchObject({ term: 1, continuesSource: 'watcher-1/1' })
    await whileStopped(store, () => overflow(store))
    await store.until(() => store.states.length === 4)
    expect(store.states.slice(1).map(({ state, term, continuesSource }) => [state, term, continuesSource])).toEqual([
      ['armed', 1, 'watcher-1/1'],
      ['lost', 2, ''],
      ['armed', 2, ''],
    ])
    expect(store.states[2]!.wholeUntil).toBeGreaterThanOrEqual(startedAt - 1)
    expect(store.states[2]!.wholeUntil).toBeLessThanOrEqual(Date.now() / 1000)
    writeFileSync(join(store.root, 'file'), 'x')
    expect(await store.settle()).toEqual([])
    expectEqual(store)
    expect(store.scans).toBe(2)
  })
})
