import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import type { MechanismChoice } from './follow-root.js'
import { plainWalk } from './testing/model-store.js'
import type { OperationsWork } from './testing/operations-worker.js'
import { fanotifyProblem } from './testing/privilege.js'
import { doSomething, randomOf } from './testing/random-operations.js'
import { WatchedStore, type WatchedStoreOptions } from './testing/watched-store.js'

const problem = fanotifyProblem()
if (problem !== '') console.log(`fanotify is not tested here: ${problem}`)
const mechanisms: MechanismChoice[] = problem === '' ? ['inotify', 'fanotify'] : ['inotify']
/** Threads run compiled code. */
const OPERATIONS_WORKER = new URL('../dist/testing/operations-worker.js', import.meta.url)
const soak = process.env.SOAK === undefined ? 1 : 20

let open: WatchedStore | undefined
afterEach(() => {
  open?.close()
  open = undefined
})

function watched(options: WatchedStoreOptions): WatchedStore {
  open = new WatchedStore(options)
  return open
}

/** Fails unless the store holds what a walk finds; `history` says how it came to this. */
function expectEqual(at: WatchedStore, history: readonly string[], enters?: (path: string) => boolean): void {
  const walked = plainWalk(at.root, enters)
  const held = at.store.entries()
  // Only what differs: a comparison of 20,000 objects takes seconds.
  const differing = [...new Set([...walked.keys(), ...held.keys()])].filter(
    path => JSON.stringify(walked.get(path)) !== JSON.stringify(held.get(path)),
  )
  const part = (of: typeof walked) => Object.fromEntries(differing.slice(0, 20).map(path => [path, of.get(path)]))
  expect(part(held), history.slice(-12).join(', ')).toEqual(part(walked))
}

describe.each(mechanisms)('%s', mechanism => {
  it.each(Array.from({ length: 8 * soak }, (_, i) => i + 1))(
    'agrees with a walk after random operations, seed %i',
    async seed => {
      const at = watched({ mechanism })
      const random = randomOf(seed)
      for (let i = 0; i < 40; i++) doSomething(at.root, at.outside, random)
      await at.start()
      const history: string[] = []
      for (let step = 0; step < 60; step++) {
        for (let i = 1 + random(seed % 2 === 0 ? 3 : 25); i > 0; i--)
          history.push(doSomething(at.root, at.outside, random))
        expect(await at.settle()).toEqual([])
        expectEqual(at, history)
      }
      expect(at.states.map(({ state }) => state)).toEqual(['armed'])
    },
  )

  it.each(Array.from({ length: 2 * soak }, (_, i) => i + 101))(
    'agrees with a walk after operations of another thread that race with it, seed %i',
    async seed => {
      const at = watched({ mechanism })
      const random = randomOf(seed)
      // inotify tells of a write by the name that was used alone, which may be gone when it is looked at (docs/watching.md).
      const links = mechanism === 'fanotify'
      for (let i = 0; i < 40; i++) doSomething(at.root, at.outside, random, links)
      await at.start()
      for (let run = 0; run < 2; run++) {
        const workerData: OperationsWork = {
          root: at.root,
          outside: at.outside,
          seed: seed * 100 + run,
          count: 800,
          links,
        }
        const worker = new Worker(OPERATIONS_WORKER, { workerData })
        let history: string[] | undefined
        worker.on('message', (told: string[]) => {
          history = told
        })
        const ended = once(worker, 'exit')
        while (history === undefined) {
          await at.barrier()
          await new Promise(resolve => setImmediate(resolve))
        }
        await ended
        expect(await at.settle()).toEqual([])
        expectEqual(at, history)
      }
    },
  )
})
