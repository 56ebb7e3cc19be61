import type { WatchState } from '@hotpath/protocol'
import { expect, it } from 'vitest'
import { continuityOf, journalContinuity } from './continuity.js'

const FOLLOWED = { source: 'w/1', term: 3, bootId: 'boot-1' }

function armed(source: string, term: number, continuesSource = '', continuesTerm = 0): WatchState {
  return {
    root: 'r',
    source,
    term,
    continuesSource,
    continuesTerm,
    state: 'armed',
    mechanism: 'fanotify',
    reason: '',
    wholeUntil: Number.NaN,
  }
}

it.each([
  ['the same source without a loss', armed('w/1', 3), 'continuous'],
  ['the same source after a loss', armed('w/1', 4), 'loss'],
  ['another one that goes on where it ended', armed('w/2', 1, 'w/1', 3), 'continuous'],
  ['another one that goes on from before a loss', armed('w/2', 1, 'w/1', 2), 'downtime'],
  ['another one that goes on from one that is not known', armed('w/3', 1, 'w/2', 1), 'downtime'],
  ['another one', armed('w/2', 3), 'downtime'],
])('%s', (_, news, expected) => {
  expect(continuityOf(FOLLOWED, news, 'boot-1')).toBe(expected)
  expect(continuityOf(FOLLOWED, news, 'boot-2')).toBe('downtime')
  expect(continuityOf(null, news, 'boot-1')).toBe('downtime')
})

it.each([
  ['from where it is known', { id: 'j', next: 100 }, 'continuous'],
  ['from before that', { id: 'j', next: 8 }, 'continuous'],
  ['from behind it', { id: 'j', next: 108 }, 'loss'],
  ['of another id', { id: 'k', next: 8 }, 'loss'],
  ['that is not told', undefined, 'loss'],
])('a journal %s', (_, journal, expected) => {
  expect(journalContinuity({ id: 'j', next: 100 }, { journal })).toBe(expected)
  expect(journalContinuity(null, { journal })).toBe('downtime')
})
