import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootId, monotonicMicros } from '@hotpath/platform'
import {
  type BarrierDone,
  type Body,
  type ChangeBatch,
  type Peer,
  RouterServer,
  type WatchState,
} from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ModelStore, plainWalk } from '../testing/model-store.js'
import { WatcherSession } from './watcher-session.js'

/** The ingest side of a store, as far as a watcher sees it. */
class FakeStore {
  readonly model = new ModelStore()
  readonly states: WatchState[] = []
  readonly batches: ChangeBatch[] = []
  readonly barriers: BarrierDone[] = []
  /** False: batches pile up. */
  acknowledges = true
  readonly #applied = new Map<string, number>()
  readonly #waiters = new Set<() => void>()
  #server: RouterServer | undefined
  #starts = 0

  constructor(private readonly endpoint: string) {}

  async start(): Promise<void> {
    this.#server = new RouterServer({
      endpoint: this.endpoint,
      identity: { stage: 'store', instance: `store-${++this.#starts}`, pid: process.pid },
      accepts: ['watcher'],
      onMessage: ({ body, peer }) => this.#receive(body, peer),
      onPeer: () => this.#changed(),
    })
    await this.#server.start()
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#server = undefined
  }

  async send(body: Body): Promise<void> {
    const peer = await this.until(() => this.#server?.peers()[0])
    this.#server!.send(peer, body)
  }

  acknowledge(peer: Peer, source: string): void {
    const sequence = this.#applied.get(source) ?? 0
    const value = { epoch: 0, source, receivedSequence: sequence, durableSequence: sequence, credit: 4, active: false }
    this.#server?.send(peer, { type: 'ack', value: { ...value, root: 'root' } })
  }

  until<T>(find: () => T | undefined): Promise<T> {
    return new Promise(resolve => {
      const check = () => {
        const found = find()
        if (found === undefined) return
        this.#waiters.delete(check)
        resolve(found)
      }
      this.#waiters.add(check)
      check()
    })
  }

  #receive(body: Body, peer: Peer): undefined {
    if (body.type === 'watchState') this.states.push(body.value)
    else if (body.type === 'barrierDone') this.barriers.push(body.value)
    else if (body.type === 'changeBatch') {
      const { source, sequence } = body.value
      this.batches.push(body.value)
      if (sequence === (this.#applied.get(source) ?? 0) + 1) {
        this.#applied.set(source, sequence)
        this.model.apply(body.value.changes)
      }
      if (this.acknowledges) this.acknowledge(peer, source)
    } else throw new Error(`unexpected ${body.type}`)
    queueMicrotask(() => this.#changed())
    return undefined
  }

  #changed(): void {
    for (const check of [...this.#waiters]) check()
  }
}

describe('WatcherSession', () => {
  let base: string
  let root: string
  let store: FakeStore
  let session: WatcherSession
  let barrier = 0

  beforeEach(async () => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'watcher-session-')))
    root = join(base, 'root')
    mkdirSync(join(root, 'a'), { recursive: true })
    const endpoint = `ipc://${join(base, 'i.sock')}`
    store = new FakeStore(endpoint)
    session = new WatcherSession({
      endpoint,
      identity: { stage: 'watcher', instance: 'watcher-1', pid: process.pid },
      dataDir: join(base, 'data'),
      excludes: [],
      crossDevices: false,
      log: silentLogger,
    })
    session.start()
    await store.start()
  })

  afterEach(async () => {
    await session.stop()
    await store.stop()
    rmSync(base, { recursive: true })
  })

  const watch = async () => {
    const options = { excludes: [], crossFileSystems: false, threads: 0, namesOnly: false }
    await store.send({ type: 'watchCommand', value: { root: { id: 'root', kind: 'tree', path: root }, options } })
    return store.until(() => store.states.at(-1))
  }

  const settle = async () => {
    const id = ++barrier
    await store.send({ type: 'barrier', value: { id } })
    return store.until(() => store.barriers.find(done => done.id === id))
  }

  it('watches what the store commands, and answers barriers behind its batches', async () => {
    const { state, source } = await watch()
    expect([state, source]).toEqual(['armed', 'watcher-1/1'])
    store.model.scan(root, monotonicMicros())
    writeFileSync(join(root, 'a/file'), 'content')
    mkdirSync(join(root, 'b/c'), { recursive: true })
    const done = await settle()
    expect(done).toMatchObject({ source, unwatchedRoots: [], sequence: store.batches.at(-1)!.sequence })
    expect(store.batches[0]).toMatchObject({ root: 'root', source, sequence: 1, bootId: bootId() })
    expect(store.model.entries()).toEqual(plainWalk(root))
    expect(session.health().every(({ ok }) => ok)).toBe(true)
    const rows = session.stats().find(({ name }) => name === 'hotpath_watch_present_total')
    expect(rows!.value).toBeGreaterThan(3)
  })

  it('sends what was not acknowledged to a store that comes back, and what happened meanwhile', async () => {
    await watch()
    store.model.scan(root, monotonicMicros())
    store.acknowledges = false
    writeFileSync(join(root, 'a/one'), '1')
    await settle()
    const before = store.batches.length
    await store.stop()
    store.acknowledges = true
    writeFileSync(join(root, 'a/two'), '22')
    renameSync(join(root, 'a'), join(root, 'moved'))
    await store.start()
    // State first, then the batches from the first that is not durable.
    await store.until(() => (store.batches.length > before ? true : undefined))
    expect(store.batches[before]!.sequence).toBe(1)
    // The same source in the same term: nothing was lost.
    expect(store.states).toEqual([store.states[0], store.states[0]])
    expect(store.states[0]).toMatchObject({ source: 'watcher-1/1', term: 1 })
    await settle()
    expect(store.model.entries()).toEqual(plainWalk(root))
  })

  it('lists what the store asks for, and stops when it is told to', async () => {
    await watch()
    writeFileSync(join(root, 'a/file'), '1')
    await settle()
    const walked = plainWalk(root)
    const [inode, birth] = walked.get('a')!.ref.split(':')
    const path = new Uint8Array(Buffer.from(join(root, 'a')))
    const rows = () => store.batches.flatMap(({ changes }) => [...changes.op]).filter(op => op === 2).length
    const before = rows()
    const refs = {
      low: Uint32Array.of(Number(BigInt(inode!) & 0xffffffffn)),
      high: Uint32Array.of(Number(BigInt(inode!) >> 32n)),
      birth: Uint32Array.of(Number(birth)),
    }
    const pathOffsets = Uint32Array.of(0, path.length)
    await store.send({ type: 'listCommand', value: { root: 'root', pathOffsets, paths: path, refs } })
    await settle()
    expect(rows()).toBe(before + 1)
    await store.send({ type: 'unwatchCommand', value: { root: 'root' } })
    const count = store.batches.length
    writeFileSync(join(root, 'a/file'), '22')
    await settle()
    expect(store.batches.length).toBe(count)
  })

  it('says that a root cannot be watched, and why', async () => {
    const options = { excludes: [], crossFileSystems: false, threads: 0, namesOnly: false }
    const spec = { id: 'root', kind: 'tree' as const, path: join(base, 'missing') }
    await store.send({ type: 'watchCommand', value: { root: spec, options } })
    const state = await store.until(() => store.states.at(-1))
    expect(state).toMatchObject({ state: 'unwatched', mechanism: 'none' })
    expect(state.reason).toContain('ENOENT')
    expect((await settle()).unwatchedRoots).toEqual(['root'])
    expect(session.health().filter(({ ok }) => !ok)).toHaveLength(1)
  })
})
