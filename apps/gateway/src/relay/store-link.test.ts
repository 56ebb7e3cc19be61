import { CancelledError, InvalidInputError, UnavailableError } from '@hotpath/model'
import { RouterServer, searchRequest } from '@hotpath/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DeadlineError } from '../search-backend.js'
import { FakeStore, testDirectory, testIdentity } from '../testing/fake-store.js'
import { StoreLink } from './store-link.js'

let directory: Awaited<ReturnType<typeof testDirectory>>
let link: StoreLink<string>
/** Waits for an absent store for 50 ms only. */
let hasty: StoreLink<string>
let store: FakeStore | undefined
const never = new AbortController().signal
const soon = (ms: number) => performance.now() + ms

beforeEach(async () => {
  directory = await testDirectory()
  store = undefined
  const options = {
    endpoint: directory.endpoints['store-query'],
    identity: testIdentity('gateway'),
    expects: 'store',
  } as const
  link = new StoreLink(options)
  hasty = new StoreLink(options, 50)
  link.start()
  hasty.start()
})
afterEach(async () => {
  await link.stop()
  await hasty.stop()
  await store?.stop()
  await directory.remove()
})

describe('StoreLink', () => {
  it('says UNAVAILABLE when the store stays away', async () => {
    await expect(hasty.request('statusRequest', {}, soon(10_000), never)).rejects.toThrow(UnavailableError)
    await expect(hasty.search('x', [searchRequest('a')], soon(10_000), never)).rejects.toThrow(UnavailableError)
  })

  it('says DEADLINE when the store is there and late, CANCELLED when the asker gave up', async () => {
    store = await new FakeStore(directory.endpoints).start()
    store.beforeSearch = () => new Promise(() => {})
    await link.request('statusRequest', {}, soon(10_000), never)
    await expect(link.search('x', [searchRequest('a')], soon(60), never)).rejects.toThrow(DeadlineError)
    const controller = new AbortController()
    const given = link.search('x', [searchRequest('a')], soon(10_000), controller.signal)
    const one = link.request('clockRequest', {}, soon(10_000), AbortSignal.abort())
    controller.abort()
    await expect(given).rejects.toThrow(CancelledError)
    await expect(one).rejects.toThrow(CancelledError)
  })

  it('passes on what the store says of a request', async () => {
    store = await new FakeStore(directory.endpoints).start()
    await expect(link.request('flushRequest', { root: '' }, soon(10_000), never)).rejects.toThrow(InvalidInputError)
  })

  it('sends long pages alone', async () => {
    store = await new FakeStore(directory.endpoints).start()
    const requests = [searchRequest('a', { limit: 500_000 }), searchRequest('b'), searchRequest('c')]
    await link.search('x', requests, soon(10_000), never)
    expect(store.messages.some(message => message.includes('a') && message.length > 1)).toBe(false)
    expect(store.messages.flat().sort()).toEqual(['a', 'b', 'c'])
  })

  it('does not talk to what is no store', async () => {
    const other = new RouterServer({
      endpoint: directory.endpoints['store-query'],
      identity: testIdentity('scanner'),
      onMessage: () => undefined,
    })
    await other.start()
    await expect(hasty.request('statusRequest', {}, soon(10_000), never)).rejects.toThrow(UnavailableError)
    await other.stop()
  })
})
