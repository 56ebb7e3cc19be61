import type { Hit } from '@hotpath/client'
import { expect, test } from 'vitest'
import {
  answered,
  type FinderState,
  initialState,
  pressed,
  resized,
  SORT_CHOICES,
  selectedHit,
  wantedSearch,
} from './finder-state.js'
import { missingPages, PAGE_ROWS, type Results, resultsOf } from './results.js'

const key = (name: string) => ({ kind: 'key', name }) as const
const keys = (state: FinderState, ...names: string[]) =>
  names.reduce((one, name) => pressed(one, key(name)).state, state)

function hit(id: number): Hit {
  const pathBytes = Buffer.from(`/${id}`)
  return {
    id: String(id),
    pathBytes,
    path: `/${id}`,
    name: String(id),
    nameStart: 1,
    directory: '/',
    kind: 'file',
    hot: 0,
    opens: 0,
    opened: undefined,
    sizeBytes: 1,
    modified: undefined,
    created: undefined,
    accessed: undefined,
  }
}

/** `total` hits, whose ids are their rows; the first `known` pages are there. */
function results(state: FinderState, total: number, first = 0, more: Partial<Results> = {}): Results {
  const hits = Array.from({ length: Math.min(total, PAGE_ROWS) }, (_, i) => hit(first + i))
  const fresh = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const
  return resultsOf(
    wantedSearch(state),
    { total, fuzzyTotal: undefined, fresh, partial: false, tookMs: 1, hits, ...more },
    0,
  )
}

function withResults(total: number, listRows = 10): FinderState {
  const state = initialState('', listRows)
  return answered(state, results(state, total))
}

test('typing, pasting and editing change what is wanted', () => {
  let { state } = pressed(initialState('a', 10), { kind: 'text', text: 'b' })
  state = pressed(state, { kind: 'paste', text: ' c' }).state
  expect(wantedSearch(keys(state, 'ctrl-a', 'delete')).text).toBe('b c')
})

test('the selection moves within the hits, and what is selected is in view', () => {
  const state = withResults(25)
  expect(keys(state, 'up').selected).toBe(0)
  expect(keys(state, 'down', 'ctrl-n', 'ctrl-p')).toMatchObject({ selected: 1, top: 0 })
  expect(keys(state, ...Array.from({ length: 10 }, () => 'down'))).toMatchObject({ selected: 10, top: 1 })
  expect(keys(state, 'page-down')).toMatchObject({ selected: 9, top: 0 })
  expect(keys(state, 'page-down', 'page-down')).toMatchObject({ selected: 18, top: 9 })
  expect(keys(state, 'end')).toMatchObject({ selected: 24, top: 15 })
  expect(keys(state, 'end', 'page-up', 'page-up')).toMatchObject({ selected: 6, top: 6 })
  expect(keys(state, 'end', 'home')).toMatchObject({ selected: 0, top: 0 })
  expect(keys(withResults(0), 'down', 'end')).toMatchObject({ selected: 0, top: 0 })
})

test('a terminal that becomes smaller keeps the selection in view', () => {
  expect(resized(keys(withResults(25), 'end'), 4)).toMatchObject({ selected: 24, top: 21 })
  expect(resized(keys(withResults(25), 'end'), 30)).toMatchObject({ selected: 24, top: 0 })
  expect(resized(withResults(25), 0)).toMatchObject({ selected: 0 })
})

test('Tab goes through the sorts, Ctrl-R turns mistakes off', () => {
  const state = initialState('', 10)
  expect(wantedSearch(keys(state, 'tab')).sort).toBe(SORT_CHOICES[1])
  expect(wantedSearch(keys(state, 'shift-tab')).sort).toBe(SORT_CHOICES.at(-1))
  expect(wantedSearch(keys(state, ...SORT_CHOICES.map(() => 'tab'))).sort).toBe('hot')
  expect(wantedSearch(keys(state, 'ctrl-r')).fuzzy).toBe(false)
})

test('keys that ask for something else', () => {
  const actions = {
    escape: 'quit',
    'ctrl-c': 'interrupt',
    'ctrl-o': 'open',
    'ctrl-y': 'copy',
    'ctrl-z': 'suspend',
    'ctrl-l': 'redraw',
    enter: 'accept',
  }
  for (const [name, action] of Object.entries(actions)) expect(pressed(withResults(3), key(name)).action).toBe(action)
  expect(pressed(withResults(3), key('f5'))).toEqual({ state: withResults(3) })
})

test('Enter before the answer waits for it; another key thinks better of it', () => {
  const { state } = pressed(withResults(3), { kind: 'text', text: 'x' })
  const waiting = pressed(state, key('enter'))
  expect(waiting).toMatchObject({ state: { isAccepting: true } })
  expect(waiting.action).toBeUndefined()
  expect(keys(waiting.state, 'down').isAccepting).toBe(false)
})

test('another search begins at its first hit, the same search stays with the selected one', () => {
  const state = keys(withResults(25), 'down', 'down')
  expect(selectedHit(state)?.id).toBe('2')
  // A hit that came before all others moves the selection down with its hit.
  const fresh = answered(state, results(state, 26, -1))
  expect({ row: fresh.selected, id: selectedHit(fresh)?.id }).toEqual({ row: 3, id: '2' })
  // Who is at the first one looks at the first one.
  expect(answered(keys(state, 'home'), results(state, 26, -1)).selected).toBe(0)
  // The hit is gone: the selection stays where it is, if there is anything.
  expect(answered(state, results(state, 1, 50)).selected).toBe(0)
  const typed = pressed(state, { kind: 'text', text: 'x' }).state
  expect(answered(typed, results(typed, 25)).selected).toBe(0)
})

test('pages that are looked at and not there are known', () => {
  const state = withResults(1_000)
  const known = state.results!
  expect(missingPages(known, 0, 20)).toEqual([])
  expect(missingPages(known, PAGE_ROWS - 5, PAGE_ROWS + 5)).toEqual([1])
  const end = keys(state, 'end')
  expect(missingPages(known, end.top, end.top + 10)).toEqual([7])
  expect(selectedHit(end)).toBeUndefined()
})
