import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventMailbox, type PageEvent } from './event-mailbox.js'

const changed = (root: string, clock = '1'): PageEvent => ({ type: 'changed', root, clock })

describe('EventMailbox', () => {
  it('keeps the newest of each kind, in the order in which they happened', () => {
    const mailbox = new EventMailbox(8)
    for (const event of [changed('a', '1'), changed('b', '2'), changed('a', '3')]) mailbox.push(event)
    expect(mailbox.take()).toEqual([changed('b', '2'), changed('a', '3')])
    expect(mailbox.take()).toEqual([])
  })

  it('keeps a gap of each root beside its changes', () => {
    const mailbox = new EventMailbox(8)
    const gap = (root: string, reason: 'loss' | 'downtime'): PageEvent => ({
      type: 'fresh-instance',
      root,
      reason,
      clock: '1',
    })
    for (const event of [gap('a', 'loss'), changed('a'), gap('b', 'loss'), gap('a', 'downtime')]) mailbox.push(event)
    expect(mailbox.take()).toEqual([changed('a'), gap('b', 'loss'), gap('a', 'downtime')])
  })

  it('says resync instead of growing', () => {
    const mailbox = new EventMailbox(3)
    for (const root of ['a', 'b', 'c', 'd']) mailbox.push(changed(root))
    expect(mailbox.take()).toMatchObject([{ type: 'resync' }])
    expect(mailbox.resyncs).toBe(1)
    mailbox.push(changed('e'))
    expect(mailbox.take()).toEqual([changed('e')])
  })

  it('forgets what a resync makes superfluous', () => {
    const mailbox = new EventMailbox(3)
    mailbox.push(changed('a'))
    mailbox.push({ type: 'resync', reason: 'gap' })
    mailbox.push(changed('b'))
    expect(mailbox.take()).toEqual([{ type: 'resync', reason: 'gap' }, changed('b')])
    expect(mailbox.resyncs).toBe(0)
  })

  it('never holds more than it may, and loses no root without a resync', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 60 }), fc.integer({ min: 2, max: 6 }), (roots, capacity) => {
        const mailbox = new EventMailbox(capacity)
        for (const root of roots) {
          mailbox.push(changed(String(root)))
          expect(mailbox.size).toBeLessThanOrEqual(capacity)
        }
        const events = mailbox.take()
        const told = new Set(events.map(event => (event.type === 'changed' ? event.root : '')))
        const isResync = events.some(event => event.type === 'resync')
        expect(isResync || roots.every(root => told.has(String(root)))).toBe(true)
      }),
    )
  })
})
