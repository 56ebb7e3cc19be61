import { describe, expect, it } from 'vitest'
import { parseQuery } from './query.js'
import { dependsOnTime } from './time-dependence.js'

const DAY_MS = 86_400_000

describe('dependence on time', () => {
  it('is that of dates that are counted from now, wherever they stand', () => {
    for (const text of [
      'dm:today',
      'a !dc:yesterday',
      '<x | file: da:last3days>',
      'case:dr:thisweek',
      'rc:2024..today',
      'dm:may',
    ]) {
      expect(dependsOnTime(text), text).toBe(true)
      const at = (now: number) => JSON.stringify(parseQuery(text, { now }))
      expect(at(Date.UTC(2024, 5, 12, 12)), text).not.toBe(at(Date.UTC(2024, 5, 12, 12) + 400 * DAY_MS))
    }
  })

  it('is not that of other dates and queries', () => {
    for (const text of [
      '',
      'today',
      '"dm:today"',
      'ext:today',
      'size:>1mb',
      'dm:2024',
      'dm:2024-05-01..2024-06',
      'dm:>="2024-05-01 10:20"',
      'dc:2024-05-01T10:20:30Z',
      '(',
    ]) {
      expect(dependsOnTime(text), text).toBe(false)
      const at = (now: number) => JSON.stringify(parseQuery(text, { now }))
      expect(at(Date.UTC(2024, 5, 12, 12)), text).toBe(at(Date.UTC(2024, 5, 12, 12) + 400 * DAY_MS))
    }
  })
})
