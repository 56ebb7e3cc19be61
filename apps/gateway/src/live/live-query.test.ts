import { silentLogger } from '@hotpath/service'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { SearchRequest, SearchRow } from '../search-backend.js'
import { FakeBackend, fakeRow, unavailable } from '../testing/fake-backend.js'
import { LiveConsumer } from '../testing/live-consumer.js'
import { ManualTime } from '../testing/manual-time.js'
import { LiveHub, MAX_QUERIES } from './live-hub.js'
import { CLOCK_INTERVAL_MS, MIN_PAUSE_MS, RETRY_MS } from './live-query.js'

const LONG = process.env.SOAK === '1'
const RUNS = LONG ? 2_000 : 60
const STEPS = LONG ? 400 : 80
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))

const request: SearchRequest = {
  query: 'n',
  limit: 100,
  offset: 0,
  sort: 'name',
  descending: false,
  match: 'name',
  caseMode: 'ignore',
  under: undefined,
  minClock: undefined,
  explain: false,
  countOnly: false,
  fuzzy: false,
}
const row = (at: number): SearchRow => fakeRow('/d', Buffer.from(`n${String(at).padStart(4, '0')}`), at)
const never = new AbortController().signal

let backend: FakeBackend
let time: ManualTime
let hub: LiveHub

beforeEach(() => {
  backend = new FakeBackend(0, [])
  time = new ManualTime()
  hub = new LiveHub(backend, silentLogger, time)
  hub.start()
})

function open(consumer = new LiveConsumer(), changes: Partial<SearchRequest> = {}): LiveConsumer {
  const asked = { ...request, ...changes }
  const source = { limit: asked.limit, search: (signal: AbortSignal) => backend.search(asked, signal) }
  consumer.query = hub.open(source, consumer)
  return consumer
}

function change(rows: SearchRow[]): void {
  backend.rows = rows
  backend.clockValue++
  backend.emit({ type: 'changed', root: 'r', clock: String(backend.clockValue) })
}

const types = ({ messages }: LiveConsumer) => messages.map(({ type }) => type)

describe('a subscription', () => {
  it('begins with all hits, and then tells what changes', async () => {
    backend.rows = [row(1), row(2)]
    const consumer = open()
    await time.pass(0)
    expect(types(consumer)).toEqual(['hits'])
    change([row(2), row(3)])
    await time.pass(MIN_PAUSE_MS)
    expect(consumer.messages[1]).toMatchObject({
      type: 'change',
      head: { total: 2, clock: '2' },
      difference: { removed: [row(1).id], changed: [], added: [{ at: 1, row: { id: row(3).id } }] },
    })
    expect(consumer.rows).toEqual([row(2), row(3)])
  })

  it('searches only when the index has changed', async () => {
    open()
    await time.pass(60_000)
    expect(backend.searches.length).toBe(1)
    backend.emit({ type: 'status' })
    await time.pass(60_000)
    expect(backend.searches.length).toBe(1)
    expect(time.waiting).toBe(0)
  })

  it('takes a twentieth of a worker however much changes', async () => {
    backend.engineMs = 30
    open()
    await time.pass(0)
    for (let ms = 0; ms < 12_000; ms += 10) {
      change([row(ms)])
      await time.pass(10)
    }
    // 20 × 30 ms between two.
    expect(backend.searches.length).toBe(1 + 12_000 / 600)
    backend.engineMs = 0.01
    await time.pass(600)
    const before = backend.searches.length
    for (let ms = 0; ms < 1_000; ms += 10) {
      change([row(ms)])
      await time.pass(10)
    }
    expect(backend.searches.length - before).toBeLessThanOrEqual(11)
    expect(backend.searches.length - before).toBeGreaterThanOrEqual(9)
  })

  it('says nothing where nothing changed, and a newer clock once a second', async () => {
    backend.rows = [row(1)]
    const consumer = open()
    await time.pass(0)
    for (let ms = 0; ms < 5_000; ms += 50) {
      change([row(1)])
      await time.pass(50)
    }
    await time.pass(CLOCK_INTERVAL_MS)
    expect(consumer.messages.length).toBeLessThanOrEqual(7)
    expect(consumer.clock).toBe(String(backend.clockValue))
    expect(consumer.messages.at(-1)).toMatchObject({ difference: { removed: [], changed: [], added: [] } })
  })

  it('tells a new total, freshness and whether a part is missing, also without rows', async () => {
    const consumer = open(new LiveConsumer(), { limit: 0 })
    await time.pass(0)
    change([row(1)])
    await time.pass(MIN_PAUSE_MS)
    expect(consumer.total).toBe(1)
    backend.scan = { entries: 1, entriesPerSecond: 1, current: '', expectedEntries: undefined }
    backend.emit({ type: 'fresh' })
    await time.pass(MIN_PAUSE_MS)
    expect(consumer.messages.at(-1)).toMatchObject({ head: { partial: true, fresh: { state: 'catching-up' } } })
  })

  it('gets all hits again where more than half of the page is another, with the reason', async () => {
    const page = (from: number) => Array.from({ length: 10 }, (_, at) => row(from + at))
    backend.rows = page(0)
    const consumer = open(new LiveConsumer(), { limit: 10 })
    await time.pass(0)
    change(page(2))
    await time.pass(MIN_PAUSE_MS)
    expect(consumer.messages.at(-1)).toMatchObject({ type: 'change' })
    change(page(5))
    await time.pass(MIN_PAUSE_MS)
    expect(consumer.messages.at(-1)).toMatchObject({ type: 'resync', reason: 'many' })
    backend.engineMs = 500
    change(page(6))
    await time.pass(MIN_PAUSE_MS)
    // The next one has to wait for ten seconds, but not where changes may have been missed.
    backend.rows = page(20)
    backend.emit({ type: 'resync', reason: 'test' })
    await time.pass(MIN_PAUSE_MS)
    expect(consumer.messages.at(-1)).toMatchObject({ type: 'resync', reason: 'gap' })
    backend.rows = page(40)
    backend.emit({ type: 'generation', root: 'r', clock: '9' })
    await time.pass(MIN_PAUSE_MS)
    expect(consumer.messages.at(-1)).toMatchObject({ type: 'resync', reason: 'generation' })
    expect(consumer.rows).toEqual(page(40))
  })

  it('is told of a gap in the changes of a root, however little differs, also when it was slow or the index away', async () => {
    backend.rows = [row(1), row(2), row(3)]
    const consumer = open()
    await time.pass(0)
    const gap = () => backend.emit({ type: 'fresh-instance', root: 'r', reason: 'loss', clock: '9' })
    const told = async (ms: number) => {
      await time.pass(ms)
      const last = consumer.messages.at(-1)
      expect(last).toMatchObject({ type: 'resync', reason: 'fresh-instance' })
      expect(consumer.rows).toEqual(backend.rows)
    }
    gap()
    await told(MIN_PAUSE_MS)
    gap()
    backend.emit({ type: 'generation', root: 'r', clock: '9' })
    backend.emit({ type: 'resync', reason: 'test' })
    await told(MIN_PAUSE_MS)
    backend.failure = unavailable
    gap()
    await time.pass(MIN_PAUSE_MS)
    expect(consumer.messages.at(-1)).toMatchObject({ type: 'away' })
    change([row(1), row(2), row(3), row(4)])
    backend.failure = undefined
    await told(2 * RETRY_MS)
    consumer.stall()
    change([row(1), row(2), row(3)])
    await time.pass(MIN_PAUSE_MS)
    gap()
    await time.pass(MIN_PAUSE_MS)
    consumer.takeAgain()
    await told(MIN_PAUSE_MS)
    expect(types(consumer).filter(type => type === 'resync').length).toBe(4)
    change([row(1)])
    await time.pass(MIN_PAUSE_MS)
    expect(consumer.messages.at(-1)).toMatchObject({ type: 'change' })
  })

  it('gets all hits again where ids do not tell rows apart, if anything changed', async () => {
    backend.rows = [row(1), row(1)]
    const consumer = open()
    await time.pass(0)
    change([row(1), row(1)])
    await time.pass(MIN_PAUSE_MS)
    expect(types(consumer)).toEqual(['hits'])
    change([row(1), row(1), row(2)])
    await time.pass(MIN_PAUSE_MS)
    expect(types(consumer)).toEqual(['hits', 'resync'])
  })

  it('is told once that the index is away, and what changed when it is back', async () => {
    backend.rows = [row(1)]
    const consumer = open()
    await time.pass(0)
    backend.failure = unavailable
    backend.emit({ type: 'resync', reason: 'lost' })
    await time.pass(10 * RETRY_MS)
    expect(types(consumer)).toEqual(['hits', 'away'])
    expect(backend.searches.length).toBeLessThanOrEqual(13)
    backend.failure = undefined
    await time.pass(RETRY_MS)
    expect(types(consumer)).toEqual(['hits', 'away', 'change'])
  })

  it('is over where the query cannot be understood, or the first search fails', async () => {
    const broken = open(new LiveConsumer(), { query: '(' })
    await time.pass(0)
    expect(broken.messages).toMatchObject([{ type: 'ended', error: { code: 'SYNTAX' } }])
    backend.failure = unavailable
    const early = open()
    await time.pass(0)
    expect(types(early)).toEqual(['ended'])
    expect(hub.stats()).toEqual({ queries: 0, heldRows: 0 })
  })

  it('leaves nothing behind when it ends', async () => {
    const consumer = open()
    await time.pass(0)
    change([row(1)])
    consumer.query?.end()
    backend.gate = new Promise(() => {})
    const searching = open()
    searching.query?.end()
    await time.pass(0)
    expect(backend.searches.at(-1)?.signal.aborted).toBe(true)
    change([row(2)])
    await time.pass(60_000)
    expect(types(consumer)).toEqual(['hits'])
    expect(types(searching)).toEqual([])
    expect(time.waiting).toBe(0)
    hub.stop()
    expect(backend.listenerCount).toBe(0)
  })
})

describe('a consumer that takes nothing', () => {
  it('costs no search and no memory, and gets one difference afterwards', async () => {
    backend.rows = Array.from({ length: 50 }, (_, at) => row(at))
    const consumer = open()
    await time.pass(0)
    const held = hub.stats()
    expect(held).toEqual({ queries: 1, heldRows: 50 })
    consumer.stall()
    for (let round = 0; round < 10_000; round++) change([...backend.rows.slice(1), row(1_000 + round)])
    await time.pass(60_000)
    expect(backend.searches.length).toBe(1)
    expect(hub.stats()).toEqual(held)
    expect(time.waiting).toBe(0)
    backend.rows = backend.rows.slice(0, 30)
    consumer.takeAgain()
    await time.pass(0)
    expect(backend.searches.length).toBe(2)
    expect(types(consumer)).toEqual(['hits', 'resync'])
    expect(consumer.messages[1]).toMatchObject({ reason: 'slow' })
    expect(consumer.rows).toEqual(backend.rows)
  })

  it('does not get what was found while it became full', async () => {
    const consumer = open()
    await time.pass(0)
    let release = () => {}
    backend.gate = new Promise(resolve => {
      release = resolve
    })
    change([row(1)])
    await time.pass(MIN_PAUSE_MS)
    consumer.stall()
    release()
    await time.pass(60_000)
    expect(types(consumer)).toEqual(['hits'])
    consumer.takeAgain()
    await time.pass(MIN_PAUSE_MS)
    expect(types(consumer)).toEqual(['hits', 'change'])
    expect(consumer.rows).toEqual([row(1)])
  })
})

describe('many subscriptions', () => {
  it('search two at a time, each in its turn', async () => {
    const consumers = Array.from({ length: 20 }, () => open())
    await time.pass(0)
    let release = () => {}
    backend.gate = new Promise(resolve => {
      release = resolve
    })
    change([row(1)])
    await time.pass(MIN_PAUSE_MS)
    expect(backend.searches.length).toBe(22)
    release()
    await time.pass(MIN_PAUSE_MS)
    for (const consumer of consumers) expect(consumer.rows).toEqual([row(1)])
  })

  it('are bounded in number', () => {
    for (let i = 0; i < MAX_QUERIES; i++) open()
    expect(open().query).toBeUndefined()
    hub.stop()
    expect(hub.stats().queries).toBe(0)
  })
})

/** What happens to an index, its events and its consumers. */
type Step =
  | { readonly kind: 'put'; readonly id: number; readonly size: number; readonly folder: number }
  | { readonly kind: 'remove'; readonly id: number }
  | { readonly kind: 'replaceAll'; readonly ids: readonly number[] }
  | { readonly kind: 'shuffle'; readonly order: readonly number[] }
  | { readonly kind: 'hold' }
  | { readonly kind: 'release' }
  | { readonly kind: 'missed' }
  | { readonly kind: 'away' }
  | { readonly kind: 'back' }
  | { readonly kind: 'stall'; readonly consumer: number }
  | { readonly kind: 'take'; readonly consumer: number }
  | { readonly kind: 'pass'; readonly ms: number }

const id = fc.nat({ max: 40 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      id,
      size: fc.nat({ max: 3 }),
      folder: fc.nat({ max: 2 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replaceAll' as const), ids: fc.uniqueArray(id) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('shuffle' as const),
      order: fc.array(fc.nat({ max: 40 }), { maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('hold' as const, 'release' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('missed' as const, 'away' as const, 'back' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('stall' as const, 'take' as const), consumer: fc.nat({ max: 3 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 400 }) }) },
)

const SUBSCRIBED: readonly Partial<SearchRequest>[] = [
  { limit: 100 },
  { limit: 7, sort: 'size' },
  { limit: 5, offset: 3, sort: 'path', descending: true },
  { limit: 30, sort: 'opened' },
]

it(`applying what is told gives what a search gives, whatever happens (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: STEPS }), async steps => {
      const backend = new FakeBackend(0, [])
      const time = new ManualTime()
      const hub = new LiveHub(backend, silentLogger, time)
      hub.start()
      const consumers = SUBSCRIBED.map(changes => {
        const asked = { ...request, ...changes }
        const consumer = new LiveConsumer()
        const source = { limit: asked.limit, search: (signal: AbortSignal) => backend.search(asked, signal) }
        consumer.query = hub.open(source, consumer)
        return { consumer, asked }
      })
      await time.pass(0)
      const rows = new Map<number, SearchRow>()
      const tell = (type: 'changed' | 'generation') => {
        backend.rows = [...rows.values()]
        backend.clockValue++
        backend.emit({ type, root: 'r', clock: String(backend.clockValue) })
      }
      const made = (at: number, size: number, folder: number): SearchRow => ({
        ...fakeRow(`/d${folder}`, Buffer.from(`n${at}`), at),
        sizeBytes: size,
      })
      let release = () => {}
      for (const step of steps) {
        if (step.kind === 'hold' && backend.gate === undefined) {
          backend.gate = new Promise(resolve => {
            release = () => {
              backend.gate = undefined
              resolve()
            }
          })
        } else if (step.kind === 'release') release()
        else if (step.kind === 'shuffle') {
          // Rows at these places go to the end.
          for (const place of step.order) {
            const [key, moved] = [...rows][place % rows.size] ?? []
            if (key === undefined || moved === undefined) continue
            rows.delete(key)
            rows.set(key, moved)
          }
          tell('changed')
        }
        if (step.kind === 'put') rows.set(step.id, made(step.id, step.size, step.folder))
        else if (step.kind === 'remove') rows.delete(step.id)
        else if (step.kind === 'replaceAll') {
          rows.clear()
          for (const at of step.ids) rows.set(at, made(at, 0, 0))
        }
        if (step.kind === 'put' || step.kind === 'remove') tell('changed')
        else if (step.kind === 'replaceAll') tell('generation')
        else if (step.kind === 'missed') {
          // The change comes without its event; that one is missing is noticed later.
          rows.set(41, made(41, backend.clockValue, 0))
          backend.rows = [...rows.values()]
          backend.clockValue++
          await time.pass(30)
          backend.emit({ type: 'resync', reason: 'missed' })
        } else if (step.kind === 'away') backend.failure = unavailable
        else if (step.kind === 'back') {
          backend.failure = undefined
          backend.emit({ type: 'resync', reason: 'back' })
        } else if (step.kind === 'stall') consumers[step.consumer]!.consumer.stall()
        else if (step.kind === 'take') consumers[step.consumer]!.consumer.takeAgain()
        else if (step.kind === 'pass') await time.pass(step.ms)
      }
      backend.failure = undefined
      release()
      for (const { consumer } of consumers) consumer.takeAgain()
      await time.pass(10_000)
      for (const { consumer, asked } of consumers) {
        const fresh = await backend.search(asked, never)
        expect(consumer.rows).toEqual(fresh.rows)
        expect([consumer.total, consumer.clock]).toEqual([fresh.total, fresh.clock])
        expect(consumer.query?.heldRows).toBeLessThanOrEqual(asked.limit)
      }
      hub.stop()
      expect(time.waiting).toBe(0)
    }),
    { numRuns: RUNS, seed: SEED },
  )
}, 1_200_000)
