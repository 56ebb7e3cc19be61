import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { desktopOf } from './desktop.js'
import { fileUri, parentOf } from './file-uri.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-desktop-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const path = (text: string) => Buffer.from(text)

/** A program that writes down what it was given, one argument a line, and ends so. */
function program(name: string, exitCode = 0): () => string[] {
  const file = join(directory, name)
  writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$@" >"${file}.seen"\nexit ${exitCode}\n`)
  chmodSync(file, 0o755)
  return () => (existsSync(`${file}.seen`) ? readFileSync(`${file}.seen`, 'utf8').trimEnd().split('\n') : [])
}

const desktop = (environment: Record<string, string> = { DISPLAY: ':0' }) =>
  desktopOf({ ...environment, PATH: `${join(directory, 'nowhere')}:${directory}` })

it('is there with a display and xdg-open alone', () => {
  expect(desktop()).toBeUndefined()
  program('xdg-open')
  expect(desktop()).toBeDefined()
  expect(desktop({ WAYLAND_DISPLAY: 'wayland-0' })).toBeDefined()
  expect(desktop({})).toBeUndefined()
  expect(desktop({ DISPLAY: '', WAYLAND_DISPLAY: '' })).toBeUndefined()
})

it('opens a file by a URI that is no flag and no quote, whatever the name is', async () => {
  const seen = program('xdg-open')
  await desktop()!.open(Buffer.concat([path("/a b/-rf ';\n"), Buffer.of(0xff)]))
  expect(seen()).toEqual(['file:///a%20b/-rf%20%27%3B%0A%FF'])
})

it('says that a file could not be opened', async () => {
  program('xdg-open', 4)
  await expect(desktop()!.open(path('/a'))).rejects.toThrow(UnavailableError)
})

it('shows a file in the file manager', async () => {
  const [opened, asked] = [program('xdg-open'), program('gdbus')]
  await desktop()!.reveal(path("/a/b'c"))
  expect(asked().slice(-2)).toEqual(['org.freedesktop.FileManager1.ShowItems', "['file:///a/b%27c']"])
  expect(opened()).toEqual([])
})

it('opens the directory where no file manager answers', async () => {
  const opened = program('xdg-open')
  await desktop()!.reveal(path('/a/b'))
  expect(opened()).toEqual(['file:///a'])
  const again = program('xdg-open')
  program('gdbus', 1)
  await desktop()!.reveal(path('/b'))
  expect(again()).toEqual(['file:///'])
})

it('knows URIs and parents', () => {
  expect(fileUri(path('/ä~.-_'))).toBe('file:///%C3%A4~.-_')
  expect(['/', '/a', '/a/b'].map(text => Buffer.from(parentOf(path(text))).toString())).toEqual(['/', '/', '/a'])
})
