import { setTimeout as delay } from 'node:timers/promises'
import { InvalidInputError } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Publisher, Subscriber } from 'zeromq'
import { decodeEnvelope, encodeEnvelope } from '../envelope.js'
import { MAX_EVENT_BYTES } from '../limits.js'
import type { Event, EventDetail } from '../messages/events.js'
import { Inbox, identity, testSockets } from '../testing/sockets.js'
import { EventPublisher } from './event-publisher.js'
import { type EventGap, EventSubscriber, GapDetector } from './event-subscriber.js'

const sockets = testSockets()

const changes = (added: number): EventDetail & { kind: 'changes' } => ({
  kind: 'changes',
  changes: { root: 'r', added, removed: 0, updated: 0 },
})

async function publisher(endpoint: string, beatMs = 2_000): Promise<EventPublisher> {
  const publisher = new EventPublisher({ endpoint, identity: identity('store'), beatMs })
  await publisher.start()
  sockets.onClose(() => publisher.stop())
  return publisher
}

function subscriber(endpoint: string) {
  const events = new Inbox<Event>()
  const gaps = new Inbox<EventGap>()
  const subscriber = new EventSubscriber({
    endpoint,
    onEvent: event => events.push(event),
    onGap: gap => gaps.push(gap),
  })
  subscriber.start()
  sockets.onClose(() => subscriber.stop())
  return { events, gaps, subscriber }
}

function bytesOf(sender: string, sequence: number, detail: EventDetail): Uint8Array {
  return encodeEnvelope({
    requestId: 0,
    sender,
    deadlineMs: 0,
    body: { type: 'event', value: { sequence, clock: '', detail } },
  })
}

describe('events', () => {
  it('arrive with numbers and clock; a new subscriber is told where they stand', async () => {
    const endpoint = sockets.endpoint()
    const from = await publisher(endpoint, 100_000)
    expect([from.publish(changes(1), 'c1'), from.publish(changes(2), 'c2')]).toEqual([1, 2])
    const to = subscriber(endpoint)
    await to.subscriber.ready()
    expect(from.publish(changes(3), 'c3')).toBe(3)
    expect(await to.events.next()).toEqual({ sequence: 3, clock: 'c3', detail: changes(3) })
    expect(to.gaps.size).toBe(0)
  })

  it('are followed by one beat, and each pause by another', async () => {
    const endpoint = sockets.endpoint()
    const from = await publisher(endpoint, 30)
    const beats = new Inbox<number>()
    const socket = new Subscriber({ linger: 0 })
    sockets.onClose(() => socket.close())
    socket.subscribe()
    socket.connect(endpoint)
    const received = (async () => {
      for await (const [bytes] of socket) {
        const { body } = decodeEnvelope(bytes!)
        if (body.type === 'event' && body.value.detail.kind === 'beat') beats.push(body.value.sequence)
      }
    })()
    // The greeting.
    expect(await beats.next()).toBe(0)
    for (const sequence of [1, 2]) {
      from.publish(changes(1), `c${sequence}`)
      for (let told = 0; told < sequence; ) told = await beats.next()
    }
    await delay(300)
    expect(beats.size).toBe(0)
    await from.stop()
    socket.close()
    await received
  })

  it('of a restarted publisher begin anew, and that is said', async () => {
    const endpoint = sockets.endpoint()
    const first = await publisher(endpoint)
    const to = subscriber(endpoint)
    await to.subscriber.ready()
    await first.stop('over')
    expect(await to.events.next()).toMatchObject({ detail: { kind: 'shutdown', shutdown: { reason: 'over' } } })
    await publisher(endpoint)
    expect(await to.gaps.next()).toMatchObject({ reason: 'restarted', missing: 0 })
  })

  it('that were dropped show as a gap, at the next event or the next Beat', async () => {
    const endpoint = sockets.endpoint()
    const socket = new Publisher({ linger: 0 })
    sockets.onClose(() => socket.close())
    await socket.bind(endpoint)
    const to = subscriber(endpoint)
    // Nobody is told of a subscription here: repeat until one arrives.
    const heard = to.subscriber.ready()
    let isHeard = false
    void heard.then(() => (isHeard = true))
    while (!isHeard) {
      await socket.send(bytesOf('p', 7, { kind: 'beat' }))
      await new Promise(resolve => setImmediate(resolve))
    }
    await socket.send(bytesOf('p', 8, changes(8)))
    await socket.send('garbage')
    await socket.send(bytesOf('p', 11, changes(11)))
    expect((await to.events.next()).sequence).toBe(8)
    expect(await to.gaps.next()).toEqual({ reason: 'missed', publisher: 'p', missing: 2 })
    expect((await to.events.next()).sequence).toBe(11)
    await socket.send(bytesOf('p', 12, { kind: 'beat' }))
    expect(await to.gaps.next()).toEqual({ reason: 'missed', publisher: 'p', missing: 1 })
  })

  it('that are too large are refused and use up no number', async () => {
    const from = await publisher(sockets.endpoint())
    const large: EventDetail & { kind: 'progress' } = {
      kind: 'progress',
      progress: {
        root: 'r',
        epoch: 1,
        entries: 0,
        directories: 0,
        errors: 0,
        currentDirectory: new Uint8Array(MAX_EVENT_BYTES),
        knownTotal: Number.NaN,
      },
    }
    expect(() => from.publish(large, '')).toThrow(InvalidInputError)
    expect(from.publish(changes(1), '')).toBe(1)
  })
})

it('a gap is reported exactly where numbers are missing', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ lost: fc.boolean(), beat: fc.boolean() }), { maxLength: 60 }), steps => {
      const detector = new GapDetector()
      detector.see('p', { sequence: 0, clock: '', detail: { kind: 'beat' } })
      let sequence = 0
      let missing = 0
      for (const { lost, beat } of steps) {
        if (!beat) sequence++
        if (lost) {
          if (!beat) missing++
          continue
        }
        const detail: EventDetail = beat ? { kind: 'beat' } : changes(1)
        const { gap, isNew } = detector.see('p', { sequence, clock: '', detail })
        expect(gap?.missing ?? 0).toBe(missing)
        expect(isNew).toBe(!beat)
        missing = 0
      }
    }),
  )
})

it('a repeated event is not new', () => {
  const detector = new GapDetector()
  const event: Event = { sequence: 5, clock: '', detail: changes(1) }
  expect(detector.see('p', event)).toEqual({ isNew: true })
  expect(detector.see('p', event)).toEqual({ isNew: false })
})
