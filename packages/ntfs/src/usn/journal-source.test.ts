import { describe, expect, it } from 'vitest'
import { readFixture } from '../testing/fixture.js'
import { journalPosition, StoredJournal } from './journal-source.js'
import { UsnReader } from './usn-reader.js'

const JOURNALS = ['v2', 'v3', 'mix', 'appended', 'trimmed', 'restamped', 'recreated', 'tiny']

describe.each(JOURNALS)('the journal of a real volume as a source: %s', name => {
  const { read, truth } = readFixture(`journal-${name}`)
  const source = new StoredJournal(name, read)
  const now = source.look()
  if (typeof now === 'string') throw new Error(now)
  const rows = UsnReader.rows()

  it('gives all records from its first position on, and nothing more behind the last', () => {
    let [at, count] = [now.firstUsn, 0]
    for (let isEnd = false; !isEnd; ) {
      const part = source.read(at, rows)
      expect(part.damage).toBeUndefined()
      for (let row = 0; row < rows.count; row++) expect(rows.usn[row]).toBeGreaterThanOrEqual(at)
      at = part.next
      isEnd = part.isEnd
      if (!isEnd) count += rows.count
    }
    expect(count).toBe(truth.length)
    expect(at).toBe(source.end())
    expect(now.size).toBe(at)
    expect(source.read(at, rows)).toEqual({ next: at, isEnd: true, damage: undefined })
  })

  it('ends where a snapshot begins', () => {
    expect(journalPosition(new StoredJournal(name, read))).toEqual({ id: now.id, next: source.end() })
  })
})

it('a volume without a journal has no position', () => {
  const { read } = readFixture('journal-deleted')
  const source = new StoredJournal('deleted', read)
  expect(source.look()).toBe('absent')
  expect(journalPosition(source)).toBeUndefined()
  expect(() => source.read(0, UsnReader.rows())).toThrow(RangeError)
})
