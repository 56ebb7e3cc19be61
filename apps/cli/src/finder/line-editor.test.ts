import { expect, test } from 'vitest'
import { type EditedLine, edit, insert } from './line-editor.js'

/** `ab|c` is a line with its cursor. */
function line(text: string): EditedLine {
  const cursor = text.indexOf('|')
  return { text: text.replace('|', ''), cursor }
}

function shown({ text, cursor }: EditedLine): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`
}

test('keys edit as in a shell', () => {
  const cases: [before: string, key: string, after: string][] = [
    ['ab|c', 'left', 'a|bc'],
    ['|abc', 'left', '|abc'],
    ['ab|c', 'right', 'abc|'],
    ['abc|', 'right', 'abc|'],
    ['ab|c', 'ctrl-a', '|abc'],
    ['a|bc', 'ctrl-e', 'abc|'],
    ['ab|c', 'backspace', 'a|c'],
    ['|abc', 'backspace', '|abc'],
    ['a|bc', 'delete', 'a|c'],
    ['abc|', 'ctrl-d', 'abc|'],
    ['one two |three', 'ctrl-w', 'one |three'],
    ['one  |', 'alt-backspace', '|'],
    ['one two|', 'ctrl-left', 'one |two'],
    ['one| two x', 'alt-f', 'one two| x'],
    ['one| two', 'ctrl-u', '| two'],
    ['one| two', 'ctrl-k', 'one|'],
    ['a🙂|', 'backspace', 'a|'],
    ['a🙂|', 'left', 'a|🙂'],
    ['|🙂b', 'right', '🙂|b'],
    // A letter and its mark are one.
    ['xe\u0301|', 'left', 'x|e\u0301'],
    ['x|e\u0301y', 'delete', 'x|y'],
  ]
  for (const [before, key, after] of cases)
    expect({ before, key, after: shown(edit(line(before), key)!) }).toEqual({ before, key, after })
  expect(edit(line('a|'), 'ctrl-t')).toBeUndefined()
})

test('text goes in at the cursor, up to what a query may have', () => {
  expect(shown(insert(line('a|c'), 'bé'))).toBe('abé|c')
  const full = { text: 'é'.repeat(32_768), cursor: 5 }
  expect(insert(full, 'x')).toEqual(full)
})
