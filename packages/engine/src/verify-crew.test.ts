import { MessageChannel, Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import type { MemberStart } from './testing/crew-member.js'
import { verdictOf } from './testing/verdict-of.js'
import { type CrewPort, type CrewTask, joinTask, VerifyCrew } from './verify-crew.js'

const SUBJECT = { file: 'f', table: 'f', expression: { kind: 'length', min: 0, max: 1 } } as const

describe('a crew', () => {
  const workers: Worker[] = []

  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.terminate()
  })

  async function member(behaviour: MemberStart['behaviour']): Promise<CrewPort> {
    const { port1, port2 } = new MessageChannel()
    const script = new URL('../dist/testing/crew-member.js', import.meta.url)
    const worker = new Worker(script, { workerData: { port: port2, behaviour }, transferList: [port2] })
    workers.push(worker)
    await new Promise(resolve => worker.once('online', resolve))
    return port1
  }

  /** Decides so many blocks with the crew and compares all verdicts. @returns blocks that this thread decided itself */
  function decide(peers: readonly CrewPort[], count: number, step: number, crew = new VerifyCrew(peers)): number {
    let own = 0
    const decider = crew.assist(
      {
        decide: verdictOf,
        decideAll: (blocks, words) => {
          own += blocks.length
          for (const block of blocks) words[block] = verdictOf(block)
          // The others come in while this thread is busy.
          for (const end = performance.now() + blocks.length / 1000; performance.now() < end; );
        },
      },
      SUBJECT,
    )
    const blocks = Uint32Array.from({ length: count }, (_, i) => i * step)
    const words = new Uint32Array(count * step + 1)
    decider.decideAll(blocks, words)
    for (const block of blocks) if (words[block] !== verdictOf(block)) expect(words[block]).toBe(verdictOf(block))
    expect(words.reduce((sum, word) => sum + Number(word !== 0), 0)).toBe(count)
    return own
  }

  it.each(['decides', 'has no such segment', 'fails'] as const)(
    'gives every verdict, whatever the sizes, when the other thread %s',
    async behaviour => {
      const peers = [await member(behaviour)]
      const crew = new VerifyCrew(peers)
      for (const count of [0, 1, 1_023, 1_024, 1_279, 1_281, 4_096, 16_384, 16_385, 40_000]) {
        for (const step of [1, 7]) decide(peers, count, step, crew)
      }
    },
  )

  it('shares the work', async () => {
    const peers = [await member('decides'), await member('decides')]
    const crew = new VerifyCrew(peers)
    let own = 0
    let rounds = 0
    // The others may still be loading: a second on a busy machine, of 16 ms each.
    for (; rounds < 20 || (own === rounds * 16_384 && rounds < 1_000); rounds++) own += decide(peers, 16_384, 1, crew)
    expect(own).toBeLessThan(rounds * 16_384)
  })

  it('does all itself when nobody comes, and nothing when there is nobody', () => {
    const silent: CrewPort = { postMessage: () => {} }
    expect(decide([silent], 5_000, 3)).toBe(5_000)
    expect(decide([], 5_000, 3)).toBe(5_000)
  })

  it('leaves nothing to those who come late', () => {
    const late: CrewTask[] = []
    const crew = new VerifyCrew([{ postMessage: task => late.push(task) }])
    decide([], 2_000, 1, crew)
    decide([], 3_000, 1, crew)
    for (const task of late) joinTask(task, () => expect.unreachable('there is nothing left to decide'))
  })
})
