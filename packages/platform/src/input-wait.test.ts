import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Inotify, inotifyAdd } from './inotify.js'
import { createBell, InputWait, ringBell } from './input-wait.js'

/** Longer than any test: who waits so long was not woken. */
const LONG_MS = 600_000

test('wakes for a bell and for an event, and hands out each once', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-wait-'))
  const bell = createBell()
  const input = new InputWait(bell)
  const watch = inotifyAdd(input.inotify, directory, Inotify.create)
  input.wait(0)
  expect([input.takeBell(), input.events()]).toEqual([false, []])
  ringBell(bell)
  ringBell(bell)
  input.wait(LONG_MS)
  expect([input.takeBell(), input.takeBell(), input.events()]).toEqual([true, false, []])
  for (let i = 0; i < 1_000; i++) writeFileSync(join(directory, `a file with a name that is not short ${i}`), '')
  input.wait(LONG_MS)
  const events = input.events()
  expect(events).toHaveLength(1_000)
  expect(events.every(event => event.watch === watch && event.mask === Inotify.create)).toBe(true)
  expect(input.events()).toEqual([])
  input.close()
  closeSync(bell)
  rmSync(directory, { recursive: true })
})

test('who waits for the bell alone is not woken by events, and finds them afterwards', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-wait-'))
  const bell = createBell()
  const input = new InputWait(bell)
  inotifyAdd(input.inotify, directory, Inotify.create)
  writeFileSync(join(directory, 'made'), '')
  const before = performance.now()
  input.waitForBell(20)
  // It slept for all of it: less would be an event.
  expect(performance.now() - before).toBeGreaterThan(15)
  ringBell(bell)
  input.waitForBell(LONG_MS)
  expect([input.takeBell(), input.events().length]).toEqual([true, 1])
  input.close()
  closeSync(bell)
  rmSync(directory, { recursive: true })
})
