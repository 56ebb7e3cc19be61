import type { Peer } from '@hotpath/protocol'
import { expect, it } from 'vitest'
import { Barriers } from './barriers.js'

function peer(instance: string): Peer {
  return { identity: { stage: 'watcher', instance, pid: 1, version: '' } } as unknown as Peer
}

const [one, two] = [peer('one'), peer('two')]
const LONG_MS = 60_000

function answer(barriers: Barriers, from: Peer, id: number, unwatchedRoots: string[] = []): void {
  barriers.done(from, { id, source: '', sequence: 0, unwatchedRoots })
}

it('passes at once where nobody watches', async () => {
  expect(await new Barriers(LONG_MS).pass([], () => {})).toEqual({ unwatched: new Set(), silent: [] })
})

it('passes when all watchers have answered, and gathers the roots that they name', async () => {
  const barriers = new Barriers(LONG_MS)
  const asked: number[] = []
  const passed = barriers.pass([one, two], (_, id) => asked.push(id))
  answer(barriers, one, asked[0], ['a'])
  answer(barriers, one, asked[0], ['never'])
  answer(barriers, two, asked[1], ['b'])
  expect(await passed).toEqual({ unwatched: new Set(['a', 'b']), silent: [] })
})

it('names watchers that are silent or went away', async () => {
  const barriers = new Barriers(20)
  const asked: number[] = []
  const passed = barriers.pass([one, two], (_, id) => asked.push(id))
  barriers.watcherLost(two)
  barriers.watcherLost(peer('three'))
  const { silent } = await passed
  expect(silent).toEqual([two, one])
  // Too late: nobody waits for it any more.
  answer(barriers, one, asked[0], ['a'])
})

it('fails all that wait when nothing can be taken any more', async () => {
  const barriers = new Barriers(LONG_MS)
  const asked: number[] = []
  const passed = [barriers.pass([one], (_, id) => asked.push(id)), barriers.pass([two], () => {})]
  barriers.fail(new Error('no room'))
  for (const barrier of passed) await expect(barrier).rejects.toThrow('no room')
  answer(barriers, one, asked[0], ['a'])
})

it('keeps barriers apart', async () => {
  const barriers = new Barriers(LONG_MS)
  const asked: number[] = []
  const first = barriers.pass([one], (_, id) => asked.push(id))
  const second = barriers.pass([one], (_, id) => asked.push(id))
  answer(barriers, one, asked[1], ['second'])
  answer(barriers, one, asked[0], ['first'])
  expect((await first).unwatched).toEqual(new Set(['first']))
  expect((await second).unwatched).toEqual(new Set(['second']))
})
