import { Kind } from '@hotpath/model'
import { expect, test } from 'vitest'
import { belowDirectory } from './below-directory.js'
import { componentsOf } from './entry.js'
import { matchesNaively } from './naive-matcher.js'

const bytes = (latin1: string) => Uint8Array.from(Buffer.from(latin1, 'latin1'))

/** Whether the entry with the path `entry` (components joined with `/`) is below `directory`. */
function isBelow(directory: string, entry: string): boolean {
  const components = componentsOf(bytes(entry))
  return matchesNaively(belowDirectory(bytes(directory)), { components, kind: Kind.file, size: 0 })
}

test.each([
  ['/a/b', '/a/b/c'],
  ['/a/b/', '/a/b/c/d'],
  ['/a//b', '/a/b/c'],
  ['/', '/a'],
  ['/say "hi"', '/say "hi"/x'],
  ['/a\\b', '/a\\b/x'],
  ['/caf\xe9', '/caf\xe9/x'],
  ['/ a ', '/ a /x'],
  ['C:\\a', 'C:/a/x'],
  ['C:\\', 'C:/x'],
  ['C:', 'C:/x'],
  ['\\\\server\\share', '\\\\server/share/x'],
  ['relative/a', 'relative/a/x'],
])('%j holds %j', (directory, entry) => {
  expect(isBelow(directory, entry)).toBe(true)
})

test.each([
  ['/a/b', '/a/b'],
  ['/a/b', '/A/b/c'],
  ['/a/b', '/x/a/b/c'],
  ['/a/b', '/a/bc/d'],
  ['/cafe', '/caf\xc3\xa9/x'],
  ['/a\\b', '/a/b/x'],
  ['/', 'a'],
  ['/', '/'],
  ['C:\\a', 'c:/a/x'],
  ['a/b', '/a/b/x'],
])('%j does not hold %j', (directory, entry) => {
  expect(isBelow(directory, entry)).toBe(false)
})
