import { closeSync } from 'node:fs'
import { createEventJournal, EventJournal } from '@hotpath/platform'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { identityOf, Succession } from './succession.js'

let fd: number
beforeEach(() => {
  fd = createEventJournal()
})
afterEach(() => closeSync(fd))

/** A process that takes the journal over, as far as the table goes. */
function begin(isInherited = true): Succession {
  return new Succession(
    EventJournal.takeOver(fd, () => 0),
    isInherited,
  )
}

const first = { source: 'one/1', term: 1 }
const second = { source: 'two/1', term: 1 }

it('tells who followed a root, once, and keeps the journal for roots that nobody has asked for', () => {
  const one = begin()
  expect(one.keepFrom).toBe(Number.POSITIVE_INFINITY)
  one.follow('a', first, 'same', 64)
  one.follow('b', { source: 'one/2', term: 3 }, 'same', 96)
  expect(one.keepFrom).toBe(64)
  const two = begin()
  expect(two.keepFrom).toBe(0)
  expect(two.take('a', 'same')).toEqual({ follower: first, before: undefined, from: 0 })
  expect(two.take('a', 'same')).toBe(undefined)
  two.follow('a', second, 'same', 128, first)
  // Of the other one.
  expect(two.keepFrom).toBe(0)
  expect(two.take('b', 'another')).toBe(undefined)
  expect(two.keepFrom).toBe(128)
  const three = begin()
  expect(three.take('a', 'same')).toEqual({ follower: second, before: first, from: 0 })
  expect(three.take('b', 'same')).toBe(undefined)
})

it('says nothing of those before when the store has heard of the last one', () => {
  const one = begin()
  one.follow('a', second, 'same', 0, first)
  one.confirm('b')
  one.confirm('a')
  expect(begin().take('a', 'same')).toEqual({ follower: second, before: undefined, from: 0 })
})

it('leaves nothing to a watcher whose queue is another one', () => {
  begin().follow('a', first, 'same', 0)
  expect(begin(false).take('a', 'same')).toBe(undefined)
  expect(begin().take('a', 'same')).toBe(undefined)
})

it('forgets a root of which events were lost', () => {
  const one = begin()
  one.follow('a', first, 'same', 0)
  one.forget('a')
  expect(one.keepFrom).toBe(Number.POSITIVE_INFINITY)
  expect(begin().take('a', 'same')).toBe(undefined)
})

it('leaves a root out from when its slots are given up until what came of them is durable', () => {
  const one = begin()
  one.follow('a', first, 'same', 32)
  one.follow('b', second, 'same', 640)
  one.giveUp(320)
  expect(one.keepFrom).toBe(320)
  expect(begin().take('a', 'same')).toBe(undefined)
  one.reach('a', 288)
  expect(begin().take('a', 'same')).toBe(undefined)
  one.reach('a', 320)
  const two = begin()
  expect([two.take('a', 'same')?.follower, two.take('b', 'same')?.follower]).toEqual([first, second])
})

it('leaves none where there are more than there is room for', () => {
  const one = begin()
  for (let i = 0; i < 450; i++) one.follow(`root ${i}`, first, identityOf(i), 0)
  expect(begin().take('root 1', identityOf(1))).toBe(undefined)
  for (let i = 10; i < 450; i++) one.forget(`root ${i}`)
  expect(begin().take('root 1', identityOf(1))?.follower).toEqual(first)
})

it('makes nothing of a table that it cannot have written', () => {
  const journal = EventJournal.takeOver(fd, () => 0)
  for (const table of [1, null, [], { a: 1 }, { a: { source: 'x' } }, { a: { source: 'x', term: 1 } }]) {
    journal.writeTable(table)
    expect(begin().take('a', 'same')).toBe(undefined)
  }
})
