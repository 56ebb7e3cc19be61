import { afterEach, describe, expect, it } from 'vitest'
import type { MechanismChoice } from './change-watcher.js'
import { plainWalk } from './testing/model-store.js'
import { fanotifyProblem } from './testing/privilege.js'
import { doSomething, randomOf } from './testing/random-operations.js'
import { WatchedStore, type WatchedStoreOptions } from './testing/watched-store.js'

const problem = fanotifyProblem()
if (problem !== '') console.log(`fanotify is not tested here: ${problem}`)
const mechanisms: MechanismChoice[] = problem === '' ? ['inotify', 'fanotify'] : ['inotify']
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
  walked.delete('')
  const sorted = (map: ReadonlyMap<string, unknown>) =>
    Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
  expect(sorted(at.store.entries()), history.slice(-12).join(', ')).toEqual(sorted(walked))
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
})
