import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ChangeColumns, Op } from '@hotpath/model'
import { afterEach, describe, expect, it } from 'vitest'
import type { MechanismChoice } from './follow-root.js'
import { plainWalk } from './testing/model-store.js'
import { fanotifyProblem } from './testing/privilege.js'
import { doSomething, randomOf } from './testing/random-operations.js'
import { WatchedStore, type WatchedStoreOptions } from './testing/watched-store.js'

const mechanisms: MechanismChoice[] = fanotifyProblem() === '' ? ['inotify', 'fanotify'] : ['inotify']
const seeds = Array.from({ length: process.env.SOAK === undefined ? 6 : 200 }, (_, i) => i + 1)

let open: WatchedStore | undefined
afterEach(() => {
  open?.close()
  open = undefined
})

function watched(options: WatchedStoreOptions): WatchedStore {
  open = new WatchedStore({ ...options, inMemory: true })
  return open
}

function expectEqual(at: WatchedStore, history: readonly string[] = []): void {
  const walked = plainWalk(at.root)
  const held = at.store.entries()
  const differing = [...new Set([...walked.keys(), ...held.keys()])].filter(
    path => JSON.stringify(walked.get(path)) !== JSON.stringify(held.get(path)),
  )
  const part = (of: typeof walked) => Object.fromEntries(differing.slice(0, 20).map(path => [path, of.get(path)]))
  expect(part(held), history.slice(-12).join(', ')).toEqual(part(walked))
}

function isPart(changes: ChangeColumns): boolean {
  return changes.op.includes(Op.listedFrom)
}

function fill(directory: string, from: number, to: number): void {
  for (let i = from; i < to; i++) writeFileSync(join(directory, `${i % 2 === 0 ? 'Even' : 'odd'} ${i}`), '')
}

describe.each(mechanisms)('a directory that is too large for one batch, %s', mechanism => {
  it('is rid of what vanished, in batches that are small', async () => {
    const at = watched({ mechanism, bounds: { dirtyNames: 20, partNames: 16 } })
    const directory = join(at.root, 'many')
    mkdirSync(directory)
    fill(directory, 0, 300)
    await at.start()
    // More names than are kept: the directory is listed instead.
    for (const name of readdirSync(directory).slice(0, 200)) rmSync(join(directory, name))
    fill(directory, 300, 350)
    expect(await at.settle()).toEqual([])
    expectEqual(at)
    const parts = at.batches.filter(isPart)
    expect(parts.length).toBeGreaterThanOrEqual(9)
    // And the two bounds.
    for (const part of parts) expect(part.entries.count).toBeLessThanOrEqual(16 + 2)
    expect(at.store.requests).toBe(0)
    expect(at.states.map(({ state }) => state)).toEqual(['armed'])
  })

  it('that comes as a whole is told as a whole, and not asked for again', async () => {
    const at = watched({ mechanism, bounds: { partNames: 16 } })
    const directory = join(at.outside, 'many')
    mkdirSync(join(directory, 'sub/deep'), { recursive: true })
    fill(directory, 0, 100)
    fill(join(directory, 'sub'), 0, 40)
    await at.start()
    renameSync(directory, join(at.root, 'many'))
    expect(await at.barrier()).toEqual([])
    expectEqual(at)
    expect(at.store.unlisted.size).toBe(0)
    expect(at.store.ignored).toBe(0)
    expect(at.batches.filter(isPart).length).toBe(7 + 3)
  })

  it('waits for room between its parts', async () => {
    const at = watched({ mechanism, bounds: { dirtyNames: 20, partNames: 16 } })
    fill(at.root, 0, 100)
    await at.start()
    at.onBatch = changes => {
      at.takes = !isPart(changes)
    }
    for (let i = 0; i < 100; i += 2) rmSync(join(at.root, `Even ${i}`))
    const barrier = at.barrier()
    let pauses = 0
    for (let isDone = false; !isDone; ) {
      isDone = await Promise.race([barrier.then(() => true), new Promise<false>(no => setTimeout(no, 5, false))])
      if (at.takes) continue
      pauses++
      // Both are told by themselves or by a part that is still to come.
      writeFileSync(join(at.root, `between ${pauses}`), '')
      rmSync(join(at.root, `odd ${2 * pauses + 1}`))
      at.takes = true
      at.watcher.roomAvailable()
    }
    expect(pauses).toBeGreaterThanOrEqual(3)
    at.onBatch = () => {}
    expect(await at.settle()).toEqual([])
    expectEqual(at)
  })

  it('with more names than can be kept is scanned again', async () => {
    const at = watched({ mechanism, bounds: { dirtyNames: 20, partNames: 16, listedNames: 50 } })
    fill(at.root, 0, 60)
    await at.start()
    fill(at.root, 60, 100)
    await at.until(() => at.states.filter(({ state }) => state === 'armed').length === 2)
    expect(at.states.map(({ state }) => state)).toEqual(['armed', 'lost', 'armed'])
    expect(at.states[1]!.reason).toMatch(/more names than can be kept/)
    at.scan()
    expect(await at.settle()).toEqual([])
    expectEqual(at)
  })

  it.each(seeds)('agrees with a walk after random operations between its parts, seed %i', async seed => {
    const random = randomOf(seed)
    const at = watched({ mechanism, bounds: { dirtyNames: 4, partNames: 1 + random(4) } })
    for (let i = 0; i < 60; i++) doSomething(at.root, at.outside, random)
    await at.start()
    const history: string[] = []
    let left = 0
    at.onBatch = changes => {
      // What is flushed has no times: from then on the order of arrival decides.
      if (random(4) === 0) at.store.forgetTimes()
      if (!isPart(changes) || left-- <= 0 || random(2) > 0) return
      history.push(`between parts: ${doSomething(at.root, at.outside, random, false)}`)
    }
    for (let step = 0; step < 60; step++) {
      left = 40
      for (let i = 1 + random(12); i > 0; i--) history.push(doSomething(at.root, at.outside, random, false))
      await at.barrier()
      left = 0
      expect(await at.settle()).toEqual([])
      expectEqual(at, history)
    }
    // Fewer where the events of a step come in several portions.
    expect(at.batches.filter(isPart).length).toBeGreaterThan(5)
    expect(at.states.map(({ state }) => state)).toEqual(['armed'])
  })
})
