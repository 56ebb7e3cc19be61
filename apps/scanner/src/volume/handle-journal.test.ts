import { continuationOf, UsnReader } from '@hotpath/ntfs'
import { VolumeHandle, volumeNameOf } from '@hotpath/platform'
import { describe, expect, it } from 'vitest'
import { JOURNAL_ID, JournalDriver, RECORD_BYTES } from '../testing/journal-driver.js'
import { HandleJournal, isJournalChange } from './handle-journal.js'
import { journalOfVolume } from './journal-of.js'

const QUERY = 0x900f4
const READ = 0x900bb

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
  it('is looked at, and read to its end, reply after reply', () => {
    const { driver, journal } = open(10_000)
    const rows = UsnReader.rows()
    expect(journal.look()).toMatchObject({ id: JOURNAL_ID, firstUsn: 0, size: 10_000 * RECORD_BYTES })
    expect(journal.end()).toBe(10_000 * RECORD_BYTES)
    const usns: number[] = []
    const records: number[] = []
    let from = 10 * RECORD_BYTES
    for (;;) {
      const { next, isEnd, damage } = journal.read(from, rows)
      expect(damage).toBeUndefined()
      usns.push(...rows.usn.subarray(0, rows.count))
      records.push(...rows.record.subarray(0, rows.count))
      if (isEnd) break
      from = next
    }
    const numbers = Array.from({ length: 9_990 }, (_, i) => 10 + i)
    expect(usns).toEqual(numbers.map(i => i * RECORD_BYTES))
    expect(records).toEqual(numbers.map(i => 30 + i))
    expect(rows.count).toBe(0)
    expect(from).toBe(journal.end())
    // Ten of 64 KiB, and the one that is empty.
    expect(driver.reads).toBe(11)
  })

  const losses: [reason: string, change: (driver: JournalDriver) => void, from: number][] = [
    ['wrapped', driver => Object.assign(driver, { first: 6400 }), 640],
    ['wrapped', driver => Object.assign(driver, { first: 6400 }), 0],
    ['recreated', driver => Object.assign(driver, { id: 9n }), 640],
    ['restamped', driver => Object.assign(driver, { id: 9n, lowest: 1280 }), 640],
    ['truncated', driver => Object.assign(driver, { records: 5 }), 640],
    ['deleted', driver => driver.errors.set(QUERY, 1179), 640],
    ['inactive', driver => driver.errors.set(QUERY, 1178), 640],
  ]

  it.each(losses)('is %s', (reason, change, from) => {
    const { driver, journal } = open(1_000)
    change(driver)
    const found = continuationOf({ id: JOURNAL_ID, nextUsn: from }, journal.look())
    expect(found).toEqual({ kind: 'rescan', reason })
  })

  // What each read fails with when the journal has changed since it was looked at.
  it.each(losses)('is %s after it was looked at: a read says so, and the next look why', (reason, change, from) => {
    const { driver, journal } = open(1_000)
    journal.look()
    change(driver)
    // A driver that has no journal, or is deleting it, does not give records either.
    const error = driver.errors.get(QUERY)
    if (error !== undefined) driver.errors.set(READ, error)
    expect(isJournalChange(failureOf(() => journal.read(from, UsnReader.rows())))).toBe(true)
    const found = continuationOf({ id: JOURNAL_ID, nextUsn: from }, journal.look())
    expect(found).toEqual({ kind: 'rescan', reason })
  })

  it('that is another one is not read from 0 on', () => {
    const { driver, journal } = open(100)
    journal.look()
    driver.id = 9n
    expect(isJournalChange(failureOf(() => journal.read(0, UsnReader.rows())))).toBe(true)
  })

  it.each([
    [QUERY, 50, 'FSCTL_QUERY_USN_JOURNAL', false],
    [READ, 1117, 'FSCTL_READ_USN_JOURNAL', false],
    [READ, 5, 'FSCTL_READ_USN_JOURNAL', false],
    // May be a change; the next look says that it was none.
    [READ, 87, 'FSCTL_READ_USN_JOURNAL', true],
  ])('that cannot be asked says so, and is asked again: %i, %i', (code, windowsCode, call, mayBeChange) => {
    const { driver, journal } = open(10)
    const rows = UsnReader.rows()
    const lookAndRead = () => {
      journal.look()
      return journal.read(RECORD_BYTES, rows)
    }
    driver.errors.set(code, windowsCode)
    const failure = failureOf(lookAndRead)
    expect(failure).toMatchObject({ code: 'WINDOWS_CALL', subject: 'C:', call, windowsCode })
    expect(isJournalChange(failure)).toBe(mayBeChange)
    driver.errors.clear()
    expect(lookAndRead().next).toBe(10 * RECORD_BYTES)
    expect(rows.count).toBe(9)
  })

  it('is not read before it was found', () => {
    const { driver, journal } = open(100)
    expect(() => journal.end()).toThrow(RangeError)
    driver.errors.set(QUERY, 1179)
    expect(journal.look()).toBe('absent')
    expect(() => journal.read(0, UsnReader.rows())).toThrow(RangeError)
  })

  it('says where a scan of its volume can be continued', () => {
    const { driver } = open(100)
    const { calls } = driver
    expect(journalOfVolume(volumeNameOf('C:')!, calls)).toEqual({ id: JOURNAL_ID, next: 100 * RECORD_BYTES })
    // None is active; the file system has none.
    for (const error of [1179, 50]) {
      driver.errors.set(QUERY, error)
      expect(journalOfVolume(volumeNameOf('C:')!, calls)).toBeUndefined()
    }
  })
})
