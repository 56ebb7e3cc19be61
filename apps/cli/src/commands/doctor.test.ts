import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ControlServer, socketEndpoints, TapHub } from '@hotpath/protocol'
import { stageDirectories } from '@hotpath/service'
import { expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex } from '../testing/fake-index.js'

const cli = commandTests()
const { hotpath } = cli

test('doctor says what is wrong, and only then fails', async () => {
  const data = join(cli.directory, 'd')
  const { runtime, locks } = stageDirectories(data)
  mkdirSync(data, { mode: 0o700 })
  mkdirSync(locks)
  mkdirSync(runtime, { recursive: true })
  const fine = await hotpath(['doctor', '--data', data], new FakeIndex([]))
  expect(fine.code).toBe(0)
  expect(fine.out).toContain('note  store: does not run')
  // Somebody supervises, so the stages should be there.
  writeFileSync(join(locks, 'supervisor.lock'), `${process.pid}\n`)
  const control = new ControlServer({
    endpoint: socketEndpoints(runtime)['gateway-control'],
    identity: { stage: 'gateway', instance: 'g', pid: process.pid },
    health: () => ({ state: 'degraded', checks: [{ name: 'store', ok: false, detail: 'gone\u001b' }] }),
    stats: () => [],
    shutdown: () => {},
    tap: new TapHub(),
  })
  await control.start()
  try {
    const { code, out } = await hotpath(['doctor', '--data', data], new FakeIndex([]))
    expect(code).toBe(1)
    expect(out).toContain('BAD   store: does not run')
    expect(out).toMatch(/^BAD {3}gateway: degraded, process \d+, up \d+ s; store: gone\\x1b$/m)
  } finally {
    await control.stop()
    rmSync(runtime, { recursive: true, force: true })
  }
})
