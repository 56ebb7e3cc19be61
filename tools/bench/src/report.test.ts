import { describe, expect, it } from 'vitest'
import { formatDetails, formatRows, row, verdictOf } from './report.js'

const measured = row({
  id: 'a.b',
  what: 'something',
  ours: { text: '5 ms', figures: { p50Ms: 5 } },
  budget: { text: '≤ 6 ms', met: true },
  peers: [{ name: 'other', text: '7 ms', figures: { p50Ms: 7 } }],
  notes: ['a remark'],
  details: [{ title: 'parts', columns: [{ title: 'part', width: 6 }], rows: [['one']] }],
})

describe('report', () => {
  it('judges by the budget', () => {
    expect(verdictOf(measured)).toBe('pass')
    expect(verdictOf({ ...measured, budget: { text: '', met: false } })).toBe('miss')
    expect(verdictOf({ ...measured, budget: { text: '', met: undefined } })).toBe('not judged')
    expect(verdictOf({ ...measured, budget: undefined })).toBe('')
    expect(verdictOf(row({ id: 'a.c', what: 'w', skipped: 'not there' }))).toBe('skipped')
  })

  it('shows rows, what they are measured against, remarks and parts', () => {
    const table = formatRows([measured, row({ id: 'a.c', what: 'w', skipped: 'not there' })])
    for (const part of ['something', '5 ms', '≤ 6 ms', 'pass', 'other: 7 ms', 'not there', 'skipped']) {
      expect(table).toContain(part)
    }
    expect(formatDetails([measured])).toBe('a.b: a remark\n\na.b: parts\n\npart\n------\none\n\n')
  })
})
