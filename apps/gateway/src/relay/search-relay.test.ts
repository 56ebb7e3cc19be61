import { CancelledError, InvalidInputError, UnavailableError } from '@hotpath/model'
import { noHits, PeerLostError, type SearchReply, type SearchRequest, searchRequest } from '@hotpath/protocol'
import { describe, expect, it } from 'vitest'
import { type AskStore, SearchRelay } from './search-relay.js'

const LIMITS = { maxMessages: 2, maxBatch: 4, maxWaitingPerClient: 10, maxWaiting: 12 }
const FAR = () => performance.now() + 60_000

function reply(text: string): SearchReply {
  const fresh = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const
  return {
    total: 1,
    fuzzyTotal: Number.NaN,
    clock: text,
    fresh,
    partial: false,
    tookMs: 0,
    rows: noHits(),
    explain: '',
  }
}

/** A store that answers (with the query as clock) or fails when it is told to. */
class ScriptedStore {
  readonly asked: {
    texts: string[]
    timeoutMs: number
    requests: readonly SearchRequest[]
    signal: AbortSignal
    parts: readonly AbortSignal[] | undefined
  }[] = []
  readonly #settle: { resolve(replies: SearchReply[]): void; reject(error: Error): void }[] = []

  readonly ask: AskStore = (requests, timeoutMs, signal, parts) => {
    const texts = requests.map(request => Buffer.from(request.text).toString())
    this.asked.push({ texts, timeoutMs, requests, signal, parts })
    return new Promise<SearchReply[]>((resolve, reject) => this.#settle.push({ resolve, reject }))
  }

  answer(message: number): void {
    this.#settle[message]!.resolve(this.asked[message]!.texts.map(reply))
  }

  fail(message: number, error: Error): void {
    this.#settle[message]!.reject(error)
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve))
const never = () => new AbortController().signal

function setUp() {
  const store = new ScriptedStore()
  const relay = new SearchRelay<string>(store.ask, LIMITS)
  const search = (client: string, texts: string[], signal = never(), deadlineAt = FAR()) =>
    relay
      .search(
        client,
        texts.map(text => searchRequest(text)),
        deadlineAt,
        signal,
      )
      .then(replies => replies?.map(one => one.clock))
  return { store, relay, search }
}

describe('SearchRelay', () => {
  /** As who keeps answers asks: the text is the question. */
  function keeper() {
    const { store, relay, search } = setUp()
    const kept = new Set<string>()
    const ask = async (client: string, texts: string[], signal = never(), deadlineAt = FAR()) => {
      const requests = texts.map(text => searchRequest(text))
      const keeping = { keys: texts, areKept: () => texts.every(text => kept.has(text)) }
      const replies = await relay.search(client, requests, deadlineAt, signal, keeping)
      for (const text of replies ? texts : []) kept.add(text)
      return replies ? replies.map(({ clock }) => clock) : 'kept'
    }
    const texts = () => store.asked.map(message => message.texts.join(' '))
    return { store, relay, search, kept, ask, texts }
  }

  it('asks the store nothing that was answered for another while it waited', async () => {
    const { store, relay, search, kept, ask, texts } = keeper()
    const running = ['a', 'b'].map(text => search('x', [text]))
    await turn()
    const waiting = [ask('y', ['a']), ask('y', ['a'])]
    const other = search('z', ['c'])
    kept.add('a')
    store.answer(0)
    await turn()
    expect(await Promise.all(waiting)).toEqual(['kept', 'kept'])
    expect(texts()).toEqual(['a', 'b', 'c'])
    expect(relay.stats()).toMatchObject({ spared: 2, sentMessages: 3 })
    store.answer(1)
    store.answer(2)
    await Promise.all([...running, other])
    expect(relay.stats()).toMatchObject({ waiting: 0, messages: 0 })
  })

  it('asks once what several ask at the same time', async () => {
    const { store, relay, ask, texts } = keeper()
    const first = ask('x', ['a', 'b'])
    await turn()
    const others = [ask('y', ['a']), ask('z', ['b', 'a']), ask('y', ['b', 'c'])]
    await turn()
    // Who asks more than that asks it all.
    expect(texts()).toEqual(['a b', 'b c'])
    store.answer(0)
    expect(await first).toEqual(['a', 'b'])
    expect(await Promise.all(others.slice(0, 2))).toEqual(['kept', 'kept'])
    store.answer(1)
    expect(await others[2]).toEqual(['b', 'c'])
    expect(relay.stats()).toMatchObject({ waiting: 0, messages: 0, searches: 7, spared: 3, sentMessages: 2 })
  })

  it('waits for the answers of others once: where they were not kept it asks', async () => {
    const { store, kept, ask, texts } = keeper()
    const first = ask('x', ['a']).then(() => kept.clear())
    await turn()
    const others = [ask('y', ['a']), ask('z', ['a'])]
    await turn()
    store.answer(0)
    await first
    await turn()
    await turn()
    expect(texts()).toEqual(['a', 'a', 'a'])
    store.answer(1)
    store.answer(2)
    expect(await Promise.all(others)).toEqual([['a'], ['a']])
  })

  it('waits a moment and no more for what shares a message with something slow', async () => {
    const { store, relay, ask, texts } = keeper()
    const slow = ask('x', ['a', 'slow'])
    await turn()
    const others = Array.from({ length: 6 }, () => ask('y', ['a']))
    await turn()
    // As many as one message may hold wait; the others ask.
    expect(texts()).toEqual(['a slow', 'a a'])
    await new Promise(resolve => setTimeout(resolve, 150))
    store.answer(1)
    await turn()
    expect(texts()).toEqual(['a slow', 'a a', 'a a a a'])
    store.answer(2)
    expect(await Promise.all(others)).toEqual(Array(6).fill(['a']))
    store.answer(0)
    await slow
    expect(relay.stats()).toMatchObject({ waiting: 0, messages: 0 })
  })

  it('asks for those who waited when the first asker fails or leaves', async () => {
    const { store, ask, texts } = keeper()
    const leave = new AbortController()
    const failing = [ask('x', ['a'], leave.signal), ask('x', ['b'])].map(one => one.catch((error: unknown) => error))
    await turn()
    const waiting = [ask('y', ['a']), ask('y', ['b'])]
    await turn()
    expect(texts()).toEqual(['a', 'b'])
    leave.abort()
    store.fail(1, new InvalidInputError('query', 'better', 'b'))
    await turn()
    await turn()
    store.fail(0, new CancelledError())
    expect(await Promise.all(failing)).toEqual([expect.any(CancelledError), expect.any(InvalidInputError)])
    await turn()
    await turn()
    expect(texts().slice(2)).toEqual(['a b'])
    store.answer(2)
    expect(await Promise.all(waiting)).toEqual([['a'], ['b']])
  })

  it('lets nobody wait for a line that is not his, nor beyond his time', async () => {
    const { store, ask, search, texts } = keeper()
    const busy = [search('x', ['1']), search('x', ['2'])]
    await turn()
    const line = ['p', 'q', 'a'].map(text => ask('x', [text]))
    const light = ask('y', ['a'])
    store.answer(0)
    await turn()
    // Turns: x with p, y with a.
    store.answer(1)
    await turn()
    expect(texts().slice(2).join(' ').split(' ').slice(0, 2)).toEqual(['p', 'a'])
    for (let i = 2; i < store.asked.length; i++) store.answer(i)
    expect(await light).toEqual(['a'])
    await turn()
    for (let i = 2; i < store.asked.length; i++) store.answer(i)
    await Promise.all([...busy, ...line])

    const slow = ask('x', ['z'], never(), performance.now() + 60_000)
    await turn()
    const hurried = ask('y', ['z'], never(), performance.now() + 1_000)
    await turn()
    const sent = store.asked.length
    expect(texts().slice(-2)).toEqual(['z', 'z'])
    store.answer(sent - 1)
    store.answer(sent - 2)
    expect([await hurried, await slow]).toEqual([['z'], ['z']])
  })

  it('spreads what comes together over the messages that may go, and joins what comes while they are under way', async () => {
    const { store, search } = setUp()
    const first = ['a', 'b', 'c'].map(text => search('x', [text]))
    await turn()
    expect(store.asked.map(({ texts }) => texts)).toEqual([['a', 'b'], ['c']])
    const second = ['d', 'e', 'f', 'g', 'h'].map(text => search('x', [text]))
    await turn()
    expect(store.asked.length).toBe(2)
    store.answer(0)
    await turn()
    expect(store.asked[2]?.texts).toEqual(['d', 'e', 'f', 'g'])
    store.answer(1)
    await turn()
    store.answer(2)
    store.answer(3)
    expect(await Promise.all([...first, ...second])).toEqual([...'abcdefgh'].map(text => [text]))
  })

  it('lets clients take turns', async () => {
    const { store, search } = setUp()
    const busy = [search('x', ['1']), search('x', ['2'])]
    await turn()
    const greedy = Array.from({ length: 6 }, (_, at) => search('greedy', [`g${at}`]))
    const modest = search('modest', ['m'])
    await turn()
    store.answer(0)
    await turn()
    expect(store.asked[2]?.texts.slice(0, 2)).toEqual(['g0', 'm'])
    for (let message = 1; message < 5; message++) {
      if (store.asked[message] !== undefined) store.answer(message)
      await turn()
    }
    await Promise.all([...busy, ...greedy, modest])
  })

  it('refuses what is too much, for one client and for all', async () => {
    const { relay, store, search } = setUp()
    const fill = Array.from({ length: 10 }, (_, at) => search('x', [`${at}`]))
    await expect(search('x', ['more'])).rejects.toThrow(UnavailableError)
    fill.push(search('y', ['a', 'b']))
    await expect(search('z', ['more'])).rejects.toThrow(UnavailableError)
    expect(relay.stats()).toMatchObject({ waiting: 12, rejected: 2 })
    await turn()
    for (let message = 0; message < store.asked.length; message++) {
      store.answer(message)
      await turn()
    }
    await Promise.all(fill)
    expect(relay.stats()).toMatchObject({ waiting: 0, messages: 0 })
  })

  it('asks once more when the store is lost under way, and not a third time', async () => {
    const { store, relay, search } = setUp()
    const answer = search('x', ['a'])
    const failure = search('x', ['b']).catch((error: unknown) => error)
    await turn()
    store.fail(0, new PeerLostError('gone'))
    store.fail(1, new PeerLostError('gone'))
    await turn()
    await turn()
    const again = store.asked.slice(2).map(({ texts }) => texts[0])
    expect(again.sort()).toEqual(['a', 'b'])
    store.answer(2 + again.indexOf('a'))
    store.fail(2 + again.indexOf('b'), new PeerLostError('gone again'))
    expect(await answer).toEqual(['a'])
    expect(await failure).toBeInstanceOf(UnavailableError)
    expect(await failure).not.toBeInstanceOf(PeerLostError)
    expect(relay.stats().retries).toBe(2)
    expect(store.asked.length).toBe(4)
  })

  it('does not ask again after the deadline, or for another failure', async () => {
    const { store, search } = setUp()
    const late = search('x', ['late'], never(), performance.now() - 1).catch((error: unknown) => error)
    const broken = search('x', ['broken']).catch((error: unknown) => error)
    await turn()
    store.fail(0, new PeerLostError('gone'))
    store.fail(1, new TypeError('a bug'))
    expect(await late).toBeInstanceOf(UnavailableError)
    expect(await broken).toBeInstanceOf(TypeError)
    await turn()
    expect(store.asked.length).toBe(2)
  })

  it('lets only the one at fault fail when a shared message is refused', async () => {
    const { store, search } = setUp()
    const asked = ['a', 'bad', 'c', 'd'].map((text, who) => search(`client ${who}`, [text]))
    const outcomes = Promise.allSettled(asked)
    const refuseBad = async (message: number) => {
      if (store.asked[message]!.texts.includes('bad')) store.fail(message, new InvalidInputError('x', 'y', 'z'))
      else store.answer(message)
      await turn()
    }
    await turn()
    for (let message = 0; message < store.asked.length; message++) await refuseBad(message)
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(store.asked.map(({ texts }) => texts)).toEqual([['a', 'bad'], ['c', 'd'], ['a'], ['bad']])
  })

  it('tells the store to stop when nobody wants any of a message’s answers', async () => {
    const { store, search } = setUp()
    const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()]
    const asked = [search('x', ['1'], one.signal), search('x', ['2'], two.signal), search('x', ['3'], three.signal)]
    const outcomes = Promise.allSettled(asked)
    await turn()
    expect(store.asked[0]?.texts).toEqual(['1', '2'])
    one.abort()
    expect(store.asked[0]?.signal.aborted).toBe(false)
    expect(store.asked[0]?.parts?.map(({ aborted }) => aborted)).toEqual([true, false])
    // Alone in its message: that is given up as a whole.
    expect(store.asked[1]?.parts).toBeUndefined()
    two.abort()
    expect(store.asked[0]?.signal.aborted).toBe(true)
    store.answer(1)
    store.fail(0, new CancelledError())
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
  })

  it('does not send what was given up while it waited', async () => {
    const { store, relay, search } = setUp()
    const busy = [search('x', ['1']), search('x', ['2'])]
    await turn()
    const controller = new AbortController()
    const given = search('x', ['3'], controller.signal)
    controller.abort()
    await expect(given).rejects.toThrow(CancelledError)
    expect(relay.stats().waiting).toBe(0)
    store.answer(0)
    store.answer(1)
    await Promise.all(busy)
    expect(store.asked.length).toBe(2)
    await expect(search('x', ['4'], controller.signal)).rejects.toThrow(CancelledError)
  })

  it('hands on the time that is left', async () => {
    const { store, relay } = setUp()
    const own = searchRequest('own', { deadlineMs: 50 })
    const done = relay.search('x', [own, searchRequest('message')], performance.now() + 1_000, never())
    await turn()
    const [first, second] = store.asked[0]!.requests
    expect(first!.deadlineMs).toBeLessThanOrEqual(50)
    expect(second!.deadlineMs).toBeGreaterThan(50)
    expect(second!.deadlineMs).toBeLessThanOrEqual(1_000)
    store.answer(0)
    await done
  })

  it('answers nothing with nothing', async () => {
    expect(await setUp().search('x', [])).toEqual([])
  })
})
