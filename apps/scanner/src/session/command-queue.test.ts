import { expect, it } from 'vitest'
import { CommandQueue } from './command-queue.js'

interface Command {
  readonly root: { readonly id: string; readonly kind: 'volume'; readonly path: string }
  readonly lane?: string
}

function command(id: string, lane?: string): Command {
  return { root: { id, kind: 'volume', path: `/${id}` }, ...(lane === undefined ? {} : { lane }) }
}

/** A queue whose commands end when they are told to. */
function queueOf(maxRunning: number) {
  const ends = new Map<string, () => void>()
  const queue = new CommandQueue<Command>({
    maxRunning,
    laneOf: ({ lane }) => lane,
    numberOf: () => 1,
    run: ({ root }) => new Promise(resolve => ends.set(root.id, resolve)),
    onFailure: (_, error) => {
      throw error
    },
  })
  const running = () => queue.running.map(({ root }) => root.id).sort()
  const end = async (id: string) => {
    ends.get(id)!()
    await new Promise(resolve => setImmediate(resolve))
  }
  return { queue, running, end }
}

it('runs commands of one lane one after the other, and others beside them', async () => {
  const { queue, running, end } = queueOf(3)
  for (const [id, lane] of [['a', 'disk'], ['b', 'disk'], ['c'], ['d', 'other'], ['e']] as const)
    queue.add(command(id, lane))
  expect(running()).toEqual(['a', 'c', 'd'])
  await end('c')
  expect(running()).toEqual(['a', 'd', 'e'])
  await end('d')
  expect(running()).toEqual(['a', 'e'])
  expect(queue.waitingCount).toBe(1)
  await end('a')
  expect(running()).toEqual(['b', 'e'])
})

it('runs no more than it may', async () => {
  const { queue, running, end } = queueOf(2)
  for (const id of ['a', 'b', 'c']) queue.add(command(id))
  expect(running()).toEqual(['a', 'b'])
  await end('a')
  expect(running()).toEqual(['b', 'c'])
})
