import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makePrivateDirectory, stageDirectories } from './directories.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-directories-'))
})

afterEach(() => rmSync(directory, { recursive: true }))

test('sockets go to the runtime directory of the user, apart for each data directory', () => {
  const one = stageDirectories('/data/one', { XDG_RUNTIME_DIR: '/run/user/7' })
  const two = stageDirectories('/data/two', { XDG_RUNTIME_DIR: '/run/user/7' })
  expect(one.runtime).toMatch(/^\/run\/user\/7\/hotpath\/[0-9a-f]{12}$/)
  expect(two.runtime).not.toBe(one.runtime)
  expect(stageDirectories('/data/one', { XDG_RUNTIME_DIR: '/run/user/7' })).toEqual(one)
})

test('without one they are in the data directory, or in the temporary one if that path is too long', () => {
  expect(stageDirectories('/data', {}).runtime).toBe('/data/run')
  expect(stageDirectories('/data', { XDG_RUNTIME_DIR: 'relative' }).runtime).toBe('/data/run')
  const deep = stageDirectories(`/${'d'.repeat(200)}`, {})
  expect(deep.runtime.startsWith(join(tmpdir(), 'hotpath-'))).toBe(true)
  expect(Buffer.byteLength(deep.runtime)).toBeLessThanOrEqual(75)
})

test('a directory is made private, also if it was not', () => {
  const path = join(directory, 'a/b')
  makePrivateDirectory(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
  chmodSync(path, 0o755)
  makePrivateDirectory(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
})

test('a file or a link in its place is refused', () => {
  writeFileSync(join(directory, 'file'), '')
  symlinkSync('/tmp', join(directory, 'link'))
  expect(() => makePrivateDirectory(join(directory, 'file'))).toThrow(UnavailableError)
  expect(() => makePrivateDirectory(join(directory, 'link'))).toThrow(UnavailableError)
})
