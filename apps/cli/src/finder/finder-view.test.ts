import { Kind } from '@hotpath/model'
import { expect, test } from 'vitest'
import { FakeIndex, hostile, type Row } from '../testing/fake-index.js'
import { TextScreen } from '../testing/text-screen.js'
import { answered, type FinderState, initialState, pressed, wantedSearch } from './finder-state.js'
import { drawFinder, listRowsOf } from './finder-view.js'
import { paletteOf } from './palette.js'
import { resultsOf } from './results.js'
import { Screen } from './screen.js'

const palette = paletteOf({ TERM: 'xterm' })
const marks = () => [{ from: 0, to: 2 }]

/** What a terminal of this size shows; it throws if anything goes beyond its edge, or is no text. */
function screenOf(state: FinderState, columns = 80, rows = 8) {
  const terminal = new TextScreen(columns, rows)
  terminal.write(new Screen().show(drawFinder(state, { columns, rows }, palette, marks)))
  return { rows: terminal.rows, cursor: terminal.cursor }
}

async function stateOf(rows: readonly Row[], text = '', listRows = 5): Promise<FinderState> {
  const state = initialState(text, listRows)
  const answer = await new FakeIndex(rows).search({ query: text })
  return answered(state, resultsOf(wantedSearch(state), answer, 0))
}

test('before there is an answer, it can be typed into', () => {
  const { rows, cursor } = screenOf(initialState('ab', 5))
  expect(rows.slice(0, 2)).toEqual(['> ab', '  connecting …'])
  expect(rows.at(-1)).toContain('sort hot')
  expect(cursor).toEqual({ row: 0, column: 4 })
})

test('hits with size and time where there is room, the status below', async () => {
  const seconds = new Date(2024, 4, 1, 14, 3).getTime() / 1_000
  const state = await stateOf([
    { path: '/home/ann/report.txt', size: 1_536, modified: [seconds, 0] },
    { path: '/home/ann/docs', kind: Kind.directory, size: 4_096 },
  ])
  const { rows } = screenOf(state, 100)
  expect(rows[2]).toBe(`> /home/ann/report.txt${' '.repeat(53)}1.50 KB  2024-05-01 14:03`)
  expect(rows[3]).toBe('  /home/ann/docs/')
  expect(rows[4]).toBe('')
  expect(rows.at(-1)).toMatch(/^live {2}2 hits {2}0\.1 ms .*quit Esc$/)
  expect(screenOf(state, 70).rows[2]).toMatch(/report\.txt +1\.50 KB$/)
  expect(screenOf(state, 40).rows[2]).toBe('> /home/ann/report.txt')
})

test('a path without room loses the beginning of its directory, then the end of its name', async () => {
  const state = await stateOf([{ path: '/a/long/way/to/日本語/name.txt' }])
  expect(screenOf(state, 24).rows[2]).toBe('> …ay/to/日本語/name.txt')
  expect(screenOf(state, 23).rows[2]).toBe('> …y/to/日本語/name.txt')
  expect(screenOf(state, 12).rows[2]).toBe('> …/name.txt')
  expect(screenOf(state, 8).rows[2]).toBe('> name.…')
})

test('no name reaches the terminal as anything but text, at any width', async () => {
  const state = await stateOf(hostile)
  for (let columns = 1; columns <= 120; columns++) {
    const { rows } = screenOf(state, columns)
    if (columns >= 60) expect(rows.slice(2, 7).join('\n')).toContain('\\x1b]0;title\\x07\\x0anew')
  }
})

test('every size of a terminal has a frame of that size', async () => {
  const state = await stateOf(hostile, '日本 query that is long')
  for (const rows of [1, 2, 3, 4, 24]) {
    for (const columns of [1, 2, 3, 5, 80]) {
      const size = { rows, columns }
      const frame = drawFinder({ ...state, listRows: listRowsOf(size) }, size, palette, marks)
      expect({ size, rows: frame.rows.length }).toEqual({ size, rows })
      expect(frame.cursor.column).toBeLessThan(columns)
      screenOf(state, columns, rows)
    }
  }
})

test('a long query is shown around its cursor', () => {
  const text = 'abcdefghijklmnopqrstuvwxyz'
  const state = initialState(text, 5)
  expect(screenOf(state, 12)).toMatchObject({ rows: expect.arrayContaining(['> rstuvwxyz']), cursor: { column: 11 } })
  const atStart = pressed(state, { kind: 'key', name: 'ctrl-a' }).state
  expect(screenOf(atStart, 12)).toMatchObject({ rows: expect.arrayContaining(['> abcdefghij']), cursor: { column: 2 } })
})

test('a mistake is marked below the place of it', () => {
  const state = initialState('日 size:zz', 5)
  const problem = { search: wantedSearch(state), message: 'at 9: no such size', at: 7 }
  const { rows } = screenOf({ ...state, problem })
  expect(rows[1]).toBe('          ^ no such size')
  expect(rows[0]!.replace('日', '日 ').indexOf('zz')).toBe(rows[1]!.indexOf('^'))
  // Where there is no room behind the mark, it is before it.
  const late = initialState(`${'x'.repeat(30)}size:zz`, 5)
  const { rows: narrow } = screenOf(
    { ...late, problem: { search: wantedSearch(late), message: 'no such size', at: 35 } },
    40,
  )
  expect(narrow[1]).toBe(`${' '.repeat(24)}no such size ^`)
  // It is gone with the query that it was about.
  const { state: typed } = pressed({ ...state, problem, link: '' }, { kind: 'text', text: 'x' })
  expect(screenOf(typed).rows[1]).toBe('')
})

test('without colours, what was asked for is told by other means', () => {
  const { matched, error, dim } = paletteOf({ NO_COLOR: '1', TERM: 'xterm' })
  for (const style of [matched, error, dim]) expect(style).not.toMatch(/[;[](3[0-7]|9[0-7]|38)[;m]/)
  expect(matched).not.toBe(paletteOf({ NO_COLOR: '', TERM: 'xterm' }).matched)
})
