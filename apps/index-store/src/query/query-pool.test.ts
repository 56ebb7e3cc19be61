import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kind, type NodeRef, Op } from '@hotpath/model'
import { silentLogger } from '@hotpath/service'
import { openStore, type ReaderHandle, type Store } from '@hotpath/store'
import { changeColumns, entryColumns } from '@hotpath/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ChangeRate } from '../change-rate.js'
import { IndexClock } from '../index-clock.js'
import { IndexStatistics } from '../index-statistics.js'
import { QueryPool } from './query-pool.js'
import type { SearcherQuery } from './searcher-messages.js'

const ROOT_REF: NodeRef = { low: 1, high: 0, birth: 7 }
/** Workers are compiled code; this test runs from the sources. */
const SCRIPT = new URL('../../dist/query/query-worker.js', import.meta.url)
const QUERY: SearcherQuery = {
  text: 'file',
  limit: 10,
  offset: 0,
  sort: { column: 'name', descending: false },
  match: 'auto',
  caseMode: 'smart',
  under: undefined,
  nowMs: 0,
  countOnly: false,
  fuzzy: false,
  noCache: false,
  explain: false,
  deadlineMs: Number.POSITIVE_INFINITY,
}

let directory: string
let store: Store
let pool: QueryPool
let readers: ReaderHandle[]
let ended: number[]
let failures: unknown[]
let settled: number
let sequence: number

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-pool-'))
  store = await openStore({ directory })
  sequence = 0
  await scan(['file 1', 'file 2', 'other'])
})

afterEach(async () => {
  await pool.stop()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
  expect(failures).toEqual([])
})

async function scan(names: readonly string[]): Promise<void> {
  await store.addRoot(
    { id: 'root', kind: 'tree', path: '/r' },
    { volume: 'v', prefix: new Uint8Array(0), virtualRoot: false },
  )
  const epoch = await store.beginScan('root', { bootId: 'b', startedAt: 1 })
  const root = { parent: 0, directory: 1, kind: Kind.directory, name: 'r', row: { ref: ROOT_REF } }
  const rows = names.map(name => ({ parent: 1, directory: 0, kind: Kind.file, name, row: { size: 1 } }))
  const listed = { directory: Uint32Array.of(1), observed: Float64Array.of(2) }
  const { durable } = store.addEntries(epoch, 1, entryColumns([root, ...rows]), listed)
  await store.endScan(epoch, { lastSequence: 1 })
  await durable
}

async function change(name: string): Promise<void> {
  sequence++
  const row = { kind: Kind.file, size: 1, ref: { low: 1000 + sequence, high: 0, birth: 7 } }
  const changes = changeColumns([{ op: Op.present, parentRef: ROOT_REF, name, row, observed: 100 + sequence }])
  await (await store.applyChanges({ root: 'root', source: 'w', sequence, bootId: 'b', changes })).durable
}

/** As the index store does it. */
async function startPool(threads: number, answersAtOnce: boolean): Promise<void> {
  ended = []
  failures = []
  settled = 0
  pool = new QueryPool({
    threads,
    answersAtOnce,
    script: SCRIPT,
    scoring: { formula: 'decay', halfLifeDays: 30 },
    log: silentLogger,
    onDropped: (searcher, segment) => readers[searcher].confirmDropped(segment),
    onEnded: searcher => {
      ended.push(searcher)
      readers[searcher].close()
    },
    onSettled: () => settled++,
    onDamaged: (_view, _segment, error) => failures.push(error),
    onFailure: error => failures.push(error),
  })
  readers = Array.from({ length: pool.searcherCount }, () => store.registerReader())
  await pool.start()
  pool.apply(store.snapshotOps())
  store.onOps(ops => pool.apply(ops))
}

async function total(text: string, signal?: AbortSignal): Promise<number> {
  const answer = await pool.search({ ...QUERY, text }, signal)
  if (answer.kind !== 'page') throw new Error(JSON.stringify(answer))
  return answer.total
}

async function untilTakenOver(): Promise<void> {
  await expect.poll(() => ended.length).toBeGreaterThan(0)
}

it('answers in its own thread first, then in query workers, without missing a change', async () => {
  await startPool(2, true)
  expect(await total('file')).toBe(2)
  // Until the workers have taken over (the time of the test is the limit), and after it.
  let names = 2
  while (ended.length === 0) {
    await change(`file ${++names}`)
    expect(await total('file')).toBe(names)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  expect(ended).toEqual([2])
  await change(`file ${++names}`)
  expect(await Promise.all(Array.from({ length: 6 }, () => total('file')))).toEqual(Array(6).fill(names))
})

it('starts query workers without a search', async () => {
  await startPool(1, true)
  await untilTakenOver()
  expect(ended).toEqual([1])
  expect(await total('file')).toBe(2)
})

it('lets go of what its own thread had mapped', async () => {
  await startPool(1, true)
  expect(await total('file')).toBe(2)
  await untilTakenOver()
  await change('file 3')
  await store.compact()
  expect(await total('file')).toBe(3)
  await expect.poll(segmentFiles).toBe(1)
})

it('answers in query workers alone where that was asked for', async () => {
  await startPool(1, false)
  expect(await total('file')).toBe(2)
  expect([pool.searcherCount, ended]).toEqual([1, []])
})

it('says when opens are found in all segments, for each worker', async () => {
  await startPool(2, false)
  // The segments of the beginning.
  await expect.poll(() => settled).toBe(2)
  await change('file 3')
  expect(await total('file')).toBe(3)
  expect(settled).toBe(2)
})

it.each([true, false])('stops while searches run and query workers start (own thread: %s)', async answersAtOnce => {
  await startPool(1, answersAtOnce)
  const running = total('file')
  const waiting = total('other').catch((error: Error) => error.message)
  await pool.stop()
  expect(await running).toBe(2)
  expect(await waiting).toBe('the index store stops')
  await expect(total('file')).rejects.toThrow('too many searches wait')
  expect(ended).toEqual(answersAtOnce ? [1] : [])
})

it('gives up a search that waits', async () => {
  await startPool(1, true)
  const running = total('file')
  const controller = new AbortController()
  const waiting = total('other', controller.signal)
  controller.abort()
  await expect(waiting).rejects.toThrow()
  expect(await running).toBe(2)
})

function segmentFiles(): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.seg')).length
}

it('sums up what the caches of all searchers did, and holds nothing of one that ended', async () => {
  await startPool(1, true)
  expect(await total('file')).toBe(2)
  const first = pool.caches.of('results')
  expect(first).toMatchObject({ hits: 0, entries: 1 })
  expect(first.misses).toBeGreaterThan(0)
  await untilTakenOver()
  expect(pool.caches.of('results')).toMatchObject({ misses: first.misses, entries: 0, bytes: 0 })
  await change('file 3')
  // From what is kept of the segment, and the delta.
  for (const expected of [3, 3]) expect(await total('file')).toBe(expected)
  const totals = new Set<number>()
  const hits = async () => {
    totals.add(await total('file'))
    return pool.caches.of('results').hits
  }
  await expect.poll(hits).toBeGreaterThan(0)
  expect([...totals]).toEqual([3])
})

it('measures the index in the first query worker, as of now', async () => {
  await startPool(2, true)
  const statistics = new IndexStatistics(store, pool, new IndexClock(store), new ChangeRate())
  const counts = async () => {
    const { types } = await statistics.statistics()
    return Object.fromEntries(types.filter(({ count }) => count > 0).map(({ type, count }) => [type, count]))
  }
  expect(await counts()).toEqual({ folder: 1, other: 3 })
  await change('song.mp3')
  expect(await counts()).toEqual({ audio: 1, folder: 1, other: 3 })
  const names = async (path: string, limit = 0) => {
    const { children, ...rest } = await statistics.sizes({ path: Buffer.from(path), limit })
    const shown = children.map(child => Buffer.from(child.path.subarray(child.nameStart)).toString())
    return { ...rest, path: Buffer.from(rest.path).toString(), children: shown.sort() }
  }
  const clock = new IndexClock(store).now()
  const none = { restCount: 0, restSize: 0 }
  expect(await names('')).toEqual({ clock, found: true, path: '', count: 5, size: 4, children: ['r'], ...none })
  const all = ['file 1', 'file 2', 'other', 'song.mp3']
  expect(await names('r')).toEqual({ clock, found: true, path: 'r', count: 4, size: 4, children: all, ...none })
  expect(await names('r', 3)).toMatchObject({ count: 4, restCount: 1, restSize: 1 })
  expect(await names('/r')).toMatchObject({ found: false, children: [] })
  // Nothing changed: the answer that is there is given.
  expect(await statistics.sizes({ path: Buffer.from('r'), limit: 0 })).toMatchObject({ clock, count: 4 })
  const asked = statistics.statistics()
  await pool.stop()
  await expect(Promise.all([asked, pool.measure({ kind: 'types' })])).rejects.toThrow('the index store stops')
})

it('searches for nobody only while nobody else searches, in every searcher, and counts it nowhere', async () => {
  await startPool(2, true)
  // Not before the query workers are there.
  expect(pool.searchWhileIdle(QUERY)).toBeUndefined()
  await untilTakenOver()
  const asked = pool.search(QUERY)
  expect(pool.searchWhileIdle(QUERY)).toBeUndefined()
  await asked
  const answers = await pool.searchWhileIdle(QUERY)
  expect(answers?.map(answer => answer.kind === 'page' && answer.total)).toEqual([2, 2])
  expect(pool.searches).toBe(1)
})
