import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChangeBatch } from '@hotpath/model'
import { type Ack, type Body, type CheckBatch, DealerPeer } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { openStore, type Store } from '@hotpath/store'
import { changeColumns } from '@hotpath/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Barriers } from './barriers.js'
import { ChangeRate } from './change-rate.js'
import { IngestServer } from './ingest-server.js'
import type { RootKeeper } from './roots/root-keeper.js'

let directory: string
let store: Store
let server: IngestServer
let source: DealerPeer
let acks: Ack[]
let heard: string[]
let noted: () => void

const identity = (stage: 'store' | 'watcher') => ({ stage, instance: stage, pid: process.pid, version: '' })

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-ingest-'))
  const endpoint = `ipc://${directory}/ingest.sock`
  store = await openStore({ directory: join(directory, 'index') })
  acks = []
  heard = []
  const isNoted = new Promise<void>(resolve => {
    noted = resolve
  })
  const keeper: Partial<RootKeeper> = {
    watcherCame: () => {},
    watcherLost: () => {},
    isReplaced: (_root, name) => name === 'replaced',
    watchReport: report => heard.push(`${report.waiting} wait`),
    checkBatch: async batch => batch.check === 7,
    checkEnd: end => heard.push(`check ${end.check} ${end.state}`),
    eventsLost: root => {
      heard.push(`lost in ${root}`)
      return isNoted
    },
  }
  server = new IngestServer({
    endpoint,
    identity: identity('store'),
    store,
    barriers: new Barriers(),
    changes: new ChangeRate(),
    log: silentLogger,
    fail: error => {
      throw error
    },
  })
  await server.start(keeper as RootKeeper)
  source = new DealerPeer({
    endpoint,
    identity: identity('watcher'),
    expects: 'store',
    onMessage: (body: Body) => {
      if (body.type === 'ack') acks.push(body.value)
    },
  })
  source.start()
  // The server knows its peer one message before the peer knows that it may send.
  await source.ready()
  expect(server.watchers()).toHaveLength(1)
})

afterEach(async () => {
  await source.stop('the test ends')
  await server.stop()
  await store.close()
  rmSync(directory, { recursive: true })
})

function batch(name: string): ChangeBatch {
  return { root: 'r', source: name, sequence: 5, bootId: 'b', changes: changeColumns([]) }
}

function checkBatch(check: number): CheckBatch {
  const none = new Uint32Array(0)
  const times = { seconds: new Float64Array(0), ticks: none }
  return {
    check,
    sequence: 3,
    refs: { low: none, high: none, birth: none },
    modified: times,
    changed: times,
    observed: new Float64Array(0),
    pathOffsets: new Uint32Array(1),
    paths: new Uint8Array(0),
  }
}

it('acknowledges what a replaced source says, so that it goes away, and does nothing else with it', async () => {
  await source.send('changeBatch', batch('replaced'))
  await expect.poll(() => acks).toMatchObject([{ source: 'replaced', receivedSequence: 5, durableSequence: 5 }])
  expect(heard).toEqual([])
})

it('acknowledges what it refuses once it is on disk that something is missing', async () => {
  await source.send('changeBatch', batch('one'))
  await expect.poll(() => heard).toEqual(['lost in r'])
  await source.send('watchReport', { root: 'r', oldest: Number.NaN, waiting: 3, directories: [] })
  await expect.poll(() => heard).toEqual(['lost in r', '3 wait'])
  expect(acks).toEqual([])
  noted()
  await expect.poll(() => acks).toMatchObject([{ source: 'one', receivedSequence: 5, durableSequence: 5 }])
})

it('acknowledges batches of a check that runs, by its number', async () => {
  await source.send('checkBatch', checkBatch(6))
  await source.send('checkBatch', checkBatch(7))
  const end = { root: 'r', state: 'complete' as const, directories: 0, entries: 0, skipped: 0, lastSequence: 3 }
  await source.send('checkEnd', { ...end, check: 7 })
  await expect.poll(() => heard).toEqual(['check 7 complete'])
  await expect.poll(() => acks).toMatchObject([{ epoch: 7, source: '', receivedSequence: 3 }])
})
