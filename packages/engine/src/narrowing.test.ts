import { type Predicate, parseQuery } from '@hotpath/query'
import { expect, it } from 'vitest'
import { isNarrower } from './narrowing.js'

function predicateOf(text: string, match: 'name' | 'auto' = 'name'): Predicate {
  const query = parseQuery(text, { now: 0, match })
  if (query.kind !== 'query') throw new Error(query.message)
  return query.predicate
}

const NARROWER: [string, string][] = [
  ['repor', 'repo'],
  ['report', 'epo'],
  ['repor main', 'repo'],
  ['repo main', 'repo mai'],
  ['main ext:c', 'main'],
  ['usr/sr', 'usr/s'],
  ['startwith:repor', 'startwith:repo'],
  ['endwith:report', 'endwith:port'],
  ['repor|report', 'repo'],
  ['repo !main', 'repo'],
  ['size:>1mb', 'size:>1mb'],
  ['repo', 'repo|main'],
]
const OTHERS: [string, string][] = [
  ['repo', 'repor'],
  ['repo', 'main'],
  ['repor|main', 'repo'],
  ['!repor', '!repo'],
  ['endwith:repor', 'endwith:repo'],
  ['usr/sr', 'usr/'],
  ['repor', 'case:repo'],
  ['repor', 'ww:repo'],
  ['repor', 'repo main'],
  ['size:>2mb', 'size:>1mb'],
]

it.each(NARROWER)('%s finds nothing that %s does not find', (longer, shorter) => {
  expect(isNarrower(predicateOf(longer), predicateOf(shorter))).toBe(true)
})

it.each(OTHERS)('of %s nothing is known from %s', (longer, shorter) => {
  expect(isNarrower(predicateOf(longer), predicateOf(shorter))).toBe(false)
})

it('knows terms that are typed on where they match any component', () => {
  expect(isNarrower(predicateOf('src mai', 'auto'), predicateOf('src ma', 'auto'))).toBe(true)
  // Of several terms only one need be in the name.
  expect(isNarrower(predicateOf('src mai', 'auto'), predicateOf('src', 'auto'))).toBe(false)
  expect(isNarrower(predicateOf('src ma', 'auto'), predicateOf('src mai', 'auto'))).toBe(false)
})
