import { CancelledError, UnavailableError } from '@hotpath/model'
import type { Bodies, BodyType, CheckBatch, CheckEnd } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { describe, expect, it } from 'vitest'
import { CheckedDirectoriesBuilder } from '../check/checked-directories.js'
import { CheckRun, type CheckSource, FIRST_CREDIT } from './check-run.js'

const counters = { directories: 9, entries: 99, skipped: 1 }

/** A source of so many batches of one directory each. */
function sourceOf(batches: number, failure?: Error): CheckSource {
  return {
    counters,
    pause() {},
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < batches; i++) {
        const builder = new CheckedDirectoriesBuilder(false)
        const times = { modifiedSeconds: 1, modifiedTicks: 2, changedSeconds: 3, changedTicks: 4 }
        const path = new Uint8Array(Buffer.from(`/d${i}`))
        builder.add({ path, observed: i, low: i, high: 0, birth: 0, ...times, digest: { count: 0, low: 0, high: 0 } })
        yield builder.take()
      }
      if (failure !== undefined) throw failure
    },
  }
}

function begin(source: CheckSource) {
  const batches: CheckBatch[] = []
  const ends: CheckEnd[] = []
  const stopping = new AbortController()
  const peer = {
    failure: undefined as Error | undefined,
    async request(): Promise<never> {
      throw new Error('a check asks for nothing')
    },
    async send<Type extends BodyType>(type: Type, value: Bodies[Type]) {
      if (this.failure !== undefined) throw this.failure
      if (type === 'checkBatch') batches.push(value as CheckBatch)
      if (type === 'checkEnd') ends.push(value as CheckEnd)
    },
  }
  const run = new CheckRun({
    command: {
      root: { id: 'r', kind: 'tree', path: '/' },
      check: 5,
      mode: 'directories',
      options: { excludes: [], crossFileSystems: false, threads: 0, namesOnly: false },
      background: false,
      entriesPerSecond: 0,
      after: new Uint8Array(0),
    },
    peer,
    source,
    signal: stopping.signal,
    log: silentLogger,
  })
  return { run, done: run.run(), batches, ends, stopping, peer }
}

const settle = () => new Promise(resolve => setTimeout(resolve, 20))

describe('a run of a check', () => {
  it('sends no more than the credit, and an end after the last batch', async () => {
    const { run, done, batches, ends } = begin(sourceOf(FIRST_CREDIT + 3))
    await settle()
    expect(batches.length).toBe(FIRST_CREDIT)
    const ack = { epoch: 5, source: '', durableSequence: 0, active: false, root: '' }
    run.acknowledge({ ...ack, receivedSequence: 3, credit: 2 })
    await settle()
    expect(batches.length).toBe(5)
    run.acknowledge({ ...ack, receivedSequence: 5, credit: 16 })
    expect(await done).toBe('complete')
    expect(batches.map(({ sequence }) => sequence)).toEqual(Array.from({ length: FIRST_CREDIT + 3 }, (_, i) => i + 1))
    const lastSequence = FIRST_CREDIT + 3
    expect(ends).toEqual([{ root: 'r', check: 5, state: 'complete', ...counters, lastSequence }])
  })

  it('says that not all was read, and nothing when it is cancelled or the store is gone', async () => {
    const failed = begin(sourceOf(1, new Error('EIO')))
    expect(await failed.done).toBe('aborted')
    expect(failed.ends).toMatchObject([{ state: 'aborted', lastSequence: 1 }])
    const cancelled = begin(sourceOf(FIRST_CREDIT + 1))
    await settle()
    cancelled.stopping.abort()
    await expect(cancelled.done).rejects.toThrow(CancelledError)
    const lost = begin(sourceOf(FIRST_CREDIT))
    lost.peer.failure = new UnavailableError('gone')
    await expect(lost.done).rejects.toThrow(UnavailableError)
    expect([...cancelled.ends, ...lost.ends]).toEqual([])
  })
})
