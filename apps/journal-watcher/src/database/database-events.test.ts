import { appendFileSync, closeSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBell, Inotify, InputWait } from '@hotpath/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DatabaseEvents } from './database-events.js'

let directory: string
let path: string
let bell: number
let input: InputWait
let events: DatabaseEvents

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'hotpath-events-')), 'of')
  mkdirSync(directory)
  path = join(directory, 'a.db')
  for (const name of ['a.db', 'a.db-wal', 'a.db-shm']) writeFileSync(join(directory, name), 'x')
  bell = createBell()
  input = new InputWait(bell)
  events = new DatabaseEvents(input, path)
  events.watch()
  events.forget(true)
  events.happened = false
})

afterEach(() => {
  input.close()
  closeSync(bell)
  rmSync(join(directory, '..'), { recursive: true })
})

/** Whether anything was told. */
function told(): boolean {
  events.take()
  const { happened } = events
  events.happened = false
  return happened
}

test('where it is quiet what is written to the log raises no event, and all else is told', () => {
  appendFileSync(`${path}-wal`, 'x')
  expect(told()).toBe(true)
  expect(events.beQuiet()).toBe(true)
  appendFileSync(`${path}-wal`, 'x')
  expect(input.events()).toEqual([])
  expect(events.indexWritten).toBe(false)
  appendFileSync(`${path}-shm`, 'x')
  expect([told(), events.indexWritten, events.hasPassed(-1, false)]).toEqual([true, true, false])
  appendFileSync(path, 'x')
  expect([told(), events.hasPassed(-1, false)]).toEqual([true, false])
  expect([events.hasPassed(-1, true), events.writtenWithoutLog]).toEqual([false, false])
  expect(events.isQuiet).toBe(true)
  events.listen()
  // What came before has to be looked for.
  expect([told(), events.isQuiet]).toEqual([true, false])
  appendFileSync(`${path}-wal`, 'x')
  expect(told()).toBe(true)
  // Its former watches have ended.
  appendFileSync(path, 'x')
  expect(input.events().map(({ mask }) => mask)).toEqual([Inotify.modify, Inotify.closeWrite])
  expect(events.lost).toBe(false)
})

test.each(['a.db', 'a.db-wal', 'a.db-shm'])('it is not quiet any more once %s goes or another is made', name => {
  const another = join(directory, 'another')
  writeFileSync(another, 'x')
  for (const change of [() => rmSync(join(directory, name)), () => renameSync(another, join(directory, name))]) {
    expect(events.beQuiet()).toBe(true)
    change()
    expect([told(), events.isQuiet]).toEqual([true, false])
    writeFileSync(join(directory, name), 'x')
    expect(told()).toBe(true)
  }
  appendFileSync(`${path}-wal`, 'x')
  expect(told()).toBe(true)
  expect(events.lost).toBe(false)
})

test('it cannot be quiet where there is no index, and tells as before', () => {
  rmSync(`${path}-shm`)
  expect(told()).toBe(true)
  expect([events.beQuiet(), events.isQuiet]).toEqual([false, false])
  appendFileSync(`${path}-wal`, 'x')
  expect(told()).toBe(true)
})

test('a directory that goes while it is quiet is noticed, and one that comes in its place is watched', () => {
  expect(events.beQuiet()).toBe(true)
  renameSync(directory, `${directory}-before`)
  mkdirSync(directory)
  for (const suffix of ['', '-wal', '-shm']) writeFileSync(`${path}${suffix}`, 'x')
  expect([told(), events.isQuiet, events.lost]).toEqual([true, false, true])
  expect(events.watch()).toBe(true)
  events.forget(true)
  told()
  appendFileSync(`${path}-wal`, 'x')
  expect(told()).toBe(true)
})

test('where another directory has the name when it listens again everything may have been missed', () => {
  expect(events.beQuiet()).toBe(true)
  // The directory that is watched stays where its events come from, and the name leads elsewhere.
  renameSync(directory, `${directory}-before`)
  mkdirSync(directory)
  events.listen()
  expect([events.lost, events.isQuiet]).toEqual([true, false])
  expect(events.watch()).toBe(true)
  told()
  writeFileSync(`${path}-wal`, 'x')
  expect(told()).toBe(true)
})
