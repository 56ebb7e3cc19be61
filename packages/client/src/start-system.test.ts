import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect } from './client.js'
import { connectStarting, isLockHeld, type StartFailure } from './start-system.js'

let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hotpath-start-'))
  mkdirSync(join(dataDir, 'locks'))
})

afterEach(() => rmSync(dataDir, { recursive: true }))

/** A system that answers from the moment that it is started, `delayMs` later. */
function system(delayMs = 0) {
  let answersAt = Number.POSITIVE_INFINITY
  let starts = 0
  return {
    get starts() {
      return starts
    },
    connect: async () => {
      if (performance.now() < answersAt) throw new UnavailableError('nothing runs')
      return 'connected'
    },
    start: (): Promise<StartFailure> => {
      starts++
      answersAt = Math.min(answersAt, performance.now() + delayMs)
      return new Promise(() => {})
    },
  }
}

test('what runs is connected to, and nothing is started', async () => {
  const { start } = system()
  expect(await connectStarting(dataDir, async () => 'connected', start)).toBe('connected')
})

test('what does not run is started once, and waited for', async () => {
  const one = system(200)
  expect(await connectStarting(dataDir, one.connect, one.start)).toBe('connected')
  expect(one.starts).toBe(1)
})

test('one that is starting has the lock: it is waited for', async () => {
  writeFileSync(join(dataDir, 'locks/supervisor.lock'), `${process.pid}\n`)
  expect(isLockHeld(dataDir)).toBe(true)
  const one = system(100)
  one.start()
  expect(await connectStarting(dataDir, one.connect, one.start)).toBe('connected')
  expect(one.starts).toBe(1)
})

test('somebody else was faster: the start that finds the lock taken is no failure', async () => {
  const one = system(150)
  const busy = async () => {
    void one.start()
    return { exitCode: 75, message: 'is running already' }
  }
  expect(await connectStarting(dataDir, one.connect, busy)).toBe('connected')
})

test('a start that fails is told at once, and so is what is no matter of starting', async () => {
  const { connect } = system()
  const broken = async () => ({ exitCode: 64, message: '--root: "/x" does not exist' })
  await expect(connectStarting(dataDir, connect, broken)).rejects.toThrow(
    'hotpath cannot be started: --root: "/x" does not exist',
  )
  const refused = async () => {
    throw new Error('another version')
  }
  await expect(connectStarting(dataDir, refused, broken)).rejects.toThrow('another version')
})

test('by default what is called hotpath on the search path is started', async () => {
  const bin = join(dataDir, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'hotpath'), `#!/bin/sh\necho "$@" > ${dataDir}/called\nexit 69\n`, { mode: 0o755 })
  const path = process.env.PATH
  process.env.PATH = `${bin}:${path}`
  try {
    await expect(connect({ dataDir, start: true })).rejects.toThrow('hotpath cannot be started: exit code 69')
  } finally {
    process.env.PATH = path
  }
  expect(readFileSync(join(dataDir, 'called'), 'utf8')).toBe(`start --data ${dataDir}\n`)
  await expect(connect({ dataDir, timeoutMs: 100 })).rejects.toThrow('nothing runs')
})

test('a system that never answers is given up', async () => {
  const one = system(1e9)
  await expect(connectStarting(dataDir, one.connect, one.start, 300)).rejects.toThrow('nothing runs')
})

test('the lock of a dead process, an empty one and none are not held', () => {
  expect(isLockHeld(dataDir)).toBe(false)
  writeFileSync(join(dataDir, 'locks/supervisor.lock'), '')
  expect(isLockHeld(dataDir)).toBe(false)
  writeFileSync(join(dataDir, 'locks/supervisor.lock'), '4194305\n')
  expect(isLockHeld(dataDir)).toBe(false)
})
