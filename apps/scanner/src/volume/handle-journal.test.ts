import { VolumeHandle, volumeNameOf } from '@hotpath/platform'
import { describe, expect, it } from 'vitest'
import { JOURNAL_ID, JournalDriver, RECORD_BYTES } from '../testing/journal-driver.js'
import { HandleJournal, isJournalChange } from './handle-journal.js'
import { JournalFollower } from './journal-follower.js'
import { journalOfVolume } from './journal-of.js'

function open(records: number): { driver: JournalDriver; journal: HandleJournal } {
  const driver = new JournalDriver()
  driver.records = records
  return { driver, journal: new HandleJournal(VolumeHandle.toRead(volumeNameOf('C:')!, driver.calls)) }
}

function failureOf(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error
  }
}

describe('the journal of a handle', () => {
  it('is looked at, and read to its end', () => {
    const { journal } = open(2_000)
    const rows = JournalFollower.rows()
    expect(journal.look()).toMatchObject({ id: JOURNAL_ID, firstUsn: 0, size: 2_000 * RECORD_BYTES })
    expect(journal.end()).toBe(2_000 * RECORD_BYTES)
    const usns: number[] = []
    let from = 10 * RECORD_BYTES
    for (;;) {
      const { next, isEnd, damage } = journal.read(from, rows)
      expect(damage).toBeUndefined()
      usns.push(...rows.usn.subarray(0, rows.count))
      if (isEnd) break
      from = next
    }
    expect(usns).toEqual(Array.from({ length: 1_990 }, (_, i) => (10 + i) * RECORD_BYTES))
    expect(rows.count).toBe(0)
    expect(from).toBe(journal.end())
  })

  it('says of a read that fails whether it is another journal', () => {
    const { driver, journal } = open(100)
    const rows = JournalFollower.rows()
    journal.look()
    Object.assign(driver, { first: 640 })
    expect(isJournalChange(failureOf(() => journal.read(64, rows)))).toBe(true)
    // From 0 on, Windows would say nothing.
    expect(isJournalChange(failureOf(() => journal.read(0, rows)))).toBe(true)
    Object.assign(driver, { id: 9n })
    for (const from of [0, 640]) expect(isJournalChange(failureOf(() => journal.read(from, rows)))).toBe(true)
    driver.errors.set(0x900bb, 5)
    expect(isJournalChange(failureOf(() => journal.read(640, rows)))).toBe(false)
  })

  it('is not read before it was found', () => {
    const { driver, journal } = open(100)
    expect(() => journal.end()).toThrow(RangeError)
    driver.errors.set(0x900f4, 1179)
    expect(journal.look()).toBe('absent')
    expect(() => journal.read(0, JournalFollower.rows())).toThrow(RangeError)
  })

  it('says where a scan of its volume can be continued', () => {
    const { driver } = open(100)
    const { calls } = driver
    expect(journalOfVolume(volumeNameOf('C:')!, calls)).toEqual({ id: JOURNAL_ID, next: 100 * RECORD_BYTES })
    // None is active; the file system has none.
    for (const error of [1179, 50]) {
      driver.errors.set(0x900f4, error)
      expect(journalOfVolume(volumeNameOf('C:')!, calls)).toBeUndefined()
    }
  })
})
