import { describe, expect, it } from 'vitest'
import { continuationOf, JournalCursor, type JournalNow, type JournalState } from './journal-state.js'

const kept: JournalState = { id: 'a', nextUsn: 5000 }
const now: JournalNow = { id: 'a', firstUsn: 4096, lowestValidUsn: 0, size: 6000 }
const other: JournalNow = { ...now, id: 'b' }

describe('what was kept of a journal', () => {
  it.each([
    ['in the middle', now, 5000],
    ['at the first position', { ...now, firstUsn: 5000 }, 5000],
    ['at the end', { ...now, size: 5000 }, 5000],
    ['at the first position of the journal', { ...now, lowestValidUsn: 5000 }, 5000],
  ])('is continued: %s', (_, journal, from) => {
    expect(continuationOf(kept, journal)).toEqual({ kind: 'replay', from })
  })

  it.each([
    ['first', undefined, now],
    ['inactive', kept, 'inactive'],
    ['inactive', undefined, 'inactive'],
    ['inactive', undefined, 'absent'],
    ['deleted', kept, 'absent'],
    ['wrapped', kept, { ...now, firstUsn: 5008 }],
    ['truncated', kept, { ...now, size: 4999 }],
    // A position that looks right in another journal.
    ['recreated', kept, other],
    ['recreated', kept, { ...other, firstUsn: 0, size: 100 }],
    ['restamped', kept, { ...other, lowestValidUsn: 5000 }],
    // It continued from less than what was read: that is not the same line of positions.
    ['recreated', kept, { ...other, lowestValidUsn: 4096, size: 4500 }],
    ['restamped', kept, { ...now, lowestValidUsn: 5008 }],
    // Position 0 is no way to begin with what is there.
    ['wrapped', { id: 'a', nextUsn: 0 }, now],
  ] as const)('leads to a rescan: %s', (reason, state, journal) => {
    expect(continuationOf(state, journal)).toEqual({ kind: 'rescan', reason })
  })

  it('is continued from 0 in a journal that begins there', () => {
    const begun = { ...now, firstUsn: 0 }
    expect(continuationOf({ id: 'a', nextUsn: 0 }, begun)).toEqual({ kind: 'replay', from: 0 })
  })
})

describe('following a volume', () => {
  it('takes the position, then the table, then what was written meanwhile', () => {
    const cursor = new JournalCursor(undefined)
    expect(cursor.next(now)).toEqual({ kind: 'rescan', reason: 'first' })
    cursor.beginSnapshot({ id: 'a', nextUsn: 6000 })
    expect(cursor.position).toBeUndefined()
    expect(() => cursor.next(now)).toThrow(RangeError)
    cursor.endSnapshot()
    expect(cursor.position).toEqual({ id: 'a', nextUsn: 6000 })
    expect(cursor.next({ ...now, size: 7000 })).toEqual({ kind: 'replay', from: 6000 })
    cursor.applied(6500)
    expect(cursor.position).toEqual({ id: 'a', nextUsn: 6500 })
    expect(cursor.next({ ...now, size: 7000 })).toEqual({ kind: 'replay', from: 6500 })
  })

  it('asks for another snapshot if what was written meanwhile is gone', () => {
    const cursor = new JournalCursor(undefined)
    cursor.next(now)
    cursor.beginSnapshot({ id: 'a', nextUsn: 6000 })
    cursor.endSnapshot()
    expect(cursor.next({ ...now, firstUsn: 8192, size: 9000 })).toEqual({ kind: 'rescan', reason: 'wrapped' })
  })

  it('does not go on over a loss, even if the journal looks right again', () => {
    const cursor = new JournalCursor(kept)
    expect(cursor.next('inactive')).toEqual({ kind: 'rescan', reason: 'inactive' })
    expect(cursor.position).toBeUndefined()
    expect(cursor.next(now)).toEqual({ kind: 'rescan', reason: 'inactive' })
    expect(() => cursor.applied(5500)).toThrow(RangeError)
    cursor.beginSnapshot({ id: 'a', nextUsn: 5500 })
    cursor.endSnapshot()
    expect(cursor.next(now)).toEqual({ kind: 'replay', from: 5500 })
  })

  it('asks for a snapshot after damage', () => {
    const cursor = new JournalCursor(kept)
    expect(cursor.next(now).kind).toBe('replay')
    cursor.foundDamage()
    expect(cursor.position).toBeUndefined()
    expect(cursor.next(now)).toEqual({ kind: 'rescan', reason: 'damaged' })
    expect(() => cursor.foundDamage()).toThrow(RangeError)
  })

  it('has nothing to keep after a snapshot without a journal', () => {
    const cursor = new JournalCursor(kept)
    expect(cursor.next('absent')).toEqual({ kind: 'rescan', reason: 'deleted' })
    cursor.beginSnapshot(undefined)
    cursor.endSnapshot()
    expect(cursor.position).toBeUndefined()
    expect(cursor.next('absent')).toEqual({ kind: 'rescan', reason: 'inactive' })
    // One that is there now says nothing of the time before.
    expect(cursor.next(now)).toEqual({ kind: 'rescan', reason: 'inactive' })
  })

  it('ends no snapshot that was not begun', () => {
    expect(() => new JournalCursor(kept).endSnapshot()).toThrow(RangeError)
  })
})
