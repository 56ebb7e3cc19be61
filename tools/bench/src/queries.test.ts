import { InvalidInputError } from '@hotpath/model'
import { parseQuery } from '@hotpath/query'
import { describe, expect, it } from 'vitest'
import { budgetGroupOf, parseQueries, plocatePatterns, readQueries } from './queries.js'

const WRITTEN = readQueries(new URL('../../../docs/bench-queries.tsv', import.meta.url))

describe('query mix', () => {
  it('is made of queries that the parser takes', () => {
    expect(WRITTEN.length).toBeGreaterThanOrEqual(2_000)
    for (const { text } of WRITTEN) expect(parseQuery(text, { now: 0 }).kind, text).toBe('query')
  })

  it('names the line that is wrong', () => {
    expect(parseQueries('# a remark\nrare\tabc\tsize-desc\n')).toEqual([
      { group: 'rare', text: 'abc', sort: { column: 'size', descending: true } },
    ])
    expect(() => parseQueries('\nrare\tabc\tbeauty')).toThrow(InvalidInputError)
    expect(() => parseQueries('rare')).toThrow(/query 1/)
  })

  it('has every class, each with enough queries for a median', () => {
    const counts = new Map<string, number>()
    for (const { group } of WRITTEN) counts.set(group, (counts.get(group) ?? 0) + 1)
    const plain = ['rare', 'middle', 'common', 'absent', 'short']
    const others = ['wildcard', 'separator', 'path', 'combined', 'negated', 'extension', 'size', 'date', 'type']
    expect([...counts.keys()].sort()).toEqual([...plain, ...others].sort())
    for (const [group, count] of counts) expect(count, group).toBeGreaterThanOrEqual(40)
  })

  it('has each kind of budget', () => {
    expect(new Set(WRITTEN.map(budgetGroupOf))).toEqual(new Set(['term', 'several', 'path']))
  })
})

describe('plocatePatterns', () => {
  const ask = (group: string, text: string) =>
    plocatePatterns({ group, text, sort: { column: 'name', descending: false } })

  it('passes on plain terms', () => {
    expect(ask('rare', 'tun.ko')).toEqual(['tun.ko'])
    expect(ask('combined', 'json  parser')).toEqual(['json', 'parser'])
  })

  it('leaves out what means something else there', () => {
    expect(ask('wildcard', '*.c')).toBeUndefined()
    expect(ask('rare', 'a[b')).toBeUndefined()
    expect(ask('negated', 'a !b')).toBeUndefined()
    expect(ask('rare', '-x')).toBeUndefined()
    expect(ask('path', 'path:usr')).toBeUndefined()
  })
})
