import { expect, test } from 'vitest'
import { TextScreen } from '../testing/text-screen.js'
import { Screen } from './screen.js'

const frame = (rows: string[], row = 0, column = 0) => ({ rows, cursor: { row, column } })

test('only rows that differ are written', () => {
  const screen = new Screen()
  const terminal = new TextScreen(20, 3)
  terminal.write(screen.show(frame(['one', 'two', ''])))
  expect(terminal.rows).toEqual(['one', 'two', ''])
  const next = screen.show(frame(['one', 'TWO!', ''], 1, 4))
  expect(next).not.toContain('one')
  terminal.write(next)
  expect(terminal.rows).toEqual(['one', 'TWO!', ''])
  expect(terminal.cursor).toEqual({ row: 1, column: 4 })
  // What was longer leaves nothing behind.
  terminal.write(screen.show(frame(['o', 'TWO!', ''], 1, 4)))
  expect(terminal.rows).toEqual(['o', 'TWO!', ''])
})

test('nothing is written if nothing differs, and the cursor alone if only that does', () => {
  const screen = new Screen()
  screen.show(frame(['one']))
  expect(screen.show(frame(['one']))).toBe('')
  expect(screen.show(frame(['one'], 0, 2))).toBe('\u001b[1;3H')
})

test('with another height, or when it is forgotten, everything is written again', () => {
  const screen = new Screen()
  const terminal = new TextScreen(20, 3)
  terminal.write(screen.show(frame(['one', 'two', 'three'])))
  terminal.write(screen.show(frame(['one', 'three'])))
  expect(terminal.rows).toEqual(['one', 'three', ''])
  screen.forget()
  expect(screen.show(frame(['one', 'three']))).toContain('one')
})
