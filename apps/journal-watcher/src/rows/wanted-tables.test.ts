import { expect, it } from 'vitest'
import { wantedTables } from './wanted-tables.js'

it.each([
  [[], ['', 'any'], []],
  [
    ['Messages', 'é'],
    ['messages', 'MESSAGES', 'é'],
    ['message', 'É', 'messages2'],
  ],
  [
    ['contact_*', 'a?c'],
    ['contact_', 'CONTACT_x\ny', 'abc', 'a*c'],
    ['contacts', 'ac', 'abbc', 'xcontact_'],
  ],
  [
    ['a.b', '[x]*'],
    ['a.b', '[x]y', '[X]'],
    ['acb', 'xy'],
  ],
])('%j wants %j and not %j', (patterns, wanted, others) => {
  const isWanted = wantedTables(patterns)
  expect(wanted.filter(isWanted)).toEqual(wanted)
  expect(others.filter(isWanted)).toEqual([])
})
