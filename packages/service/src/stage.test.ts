import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DealerPeer, socketEndpoints } from '@hotpath/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { stageDirectories } from './directories.js'

const script = fileURLToPath(new URL('../test-fixtures/stage.mjs', import.meta.url))

let directory: string
const children: ChildProcess[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-stage-'))
})

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  rmSync(directory, { recursive: true, force: true })
})

function run(flags: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [script, ...flags], {
    env: { PATH: process.env.PATH, HOME: directory, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  children.push(child)
  const output = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    output.out += chunk
  })
  child.stderr.on('data', chunk => {
    output.err += chunk
  })
  const closed = once(child, 'close').then(([code]) => code as number | null)
  const events = () =>
    output.err
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).event as string)
  async function untilStarted() {
    while (!output.err.includes('"started"')) await Promise.race([once(child.stderr, 'data'), closed.then(fail)])
  }
  function fail(): never {
    throw new Error(`ended early: ${output.err}`)
  }
  return { child, output, closed, events, untilStarted }
}

const data = () => ['--data', join(directory, 'data')]

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s stops it cleanly', async signal => {
  const { child, output, closed, events, untilStarted } = run([...data(), '--url=http://x/'])
  await untilStarted()
  child.kill(signal)
  expect(await closed).toBe(0)
  expect(events()).toEqual(['configured', 'started', 'stopping', 'cleaned up', 'stopped'])
  expect(output.err).toContain('"aborted":true')
  expect(output.out).toBe('http://x/\n')
})

test('what wants to be started again stops in order, and its exit code says so', async () => {
  const { closed, events } = run([...data(), '--failure=restart'])
  expect(await closed).toBe(79)
  expect(events()).toEqual(['configured', 'started', 'stopping', 'cleaned up', 'stopped'])
})

test('what is done ends by itself', async () => {
  const { closed, events } = run([...data(), '--once'])
  expect(await closed).toBe(0)
  expect(events().at(-1)).toBe('stopped')
})

test('supervised: leaves signals of the terminal alone, says that it is ready, stops with its parent', async () => {
  const { child, output, closed, events, untilStarted } = run([...data(), '--supervised', '--url=http://x/'])
  await untilStarted()
  child.kill('SIGINT')
  child.kill('SIGHUP')
  child.stdin!.end()
  expect(await closed).toBe(0)
  expect(output.err).toContain('"reason":"supervisor ended"')
  expect(events()).toEqual(['configured', 'started', 'stopping', 'cleaned up', 'stopped'])
  expect(JSON.parse(output.out)).toEqual({ ready: true, url: 'http://x/' })
})

test('supervised: only flags count', async () => {
  const file = join(directory, 'config.toml')
  writeFileSync(file, 'port = 1\n')
  const environment = { HOTPATH_PORT: '2', HOTPATH_NONSENSE: 'x' }
  const flags = [...data(), '--config', file, '--once', '--flush-rows=77']
  const { closed, output } = run([...flags, '--supervised'], environment)
  expect(await closed).toBe(0)
  const { config } = JSON.parse(output.err.split('\n')[0]!)
  expect([config.port, config.flushRows]).toEqual([7717, 77])
})

test('only one runs for a data directory, and the lock dies with its process', async () => {
  const first = run(data())
  await first.untilStarted()
  const second = run(data())
  expect(await second.closed).toBe(75)
  expect(second.output.err).toContain(`process ${first.child.pid}`)
  const shared = run([...data(), '--shared', '--once'])
  expect(await shared.closed).toBe(0)
  first.child.kill('SIGKILL')
  await first.closed
  const third = run([...data(), '--once'])
  expect(await third.closed).toBe(0)
})

test.each([
  ['busy', 75],
  ['unavailable', 69],
  ['later', 69],
  ['bug', 70],
  ['uncaught', 70],
])('failure %s ends it with exit code %i', async (failure, code) => {
  const { closed, output } = run([...data(), '--failure', failure])
  expect(await closed).toBe(code)
  expect(output.err).toMatch(/"level":"error".*"(failed|uncaught error)"/)
})

test('wrong flags end it with exit code 64 and all problems', async () => {
  const { closed, output } = run(['--port=x', '--nonsense', 'word'], { HOTPATH_LOG_LEVEL: 'loud' })
  expect(await closed).toBe(64)
  expect(output.err).toBe(
    [
      'scanner: --nonsense: there is no such flag',
      'word: is not a flag',
      '--port: expected a whole number from 0 to 65535, found "x"',
      'HOTPATH_LOG_LEVEL: expected one of debug, info, warn, error, found "loud"\n',
    ].join('\n'),
  )
})

test('a data directory that cannot be is exit code 69', async () => {
  const { closed } = run(['--data', '/dev/null/data'])
  expect(await closed).toBe(69)
})

test('what it makes is private', async () => {
  const { closed } = run([...data(), '--once'])
  await closed
  for (const path of ['data', 'data/locks', 'data/logs'])
    expect(statSync(join(directory, path)).mode & 0o777).toBe(0o700)
  expect(statSync(join(directory, 'data/locks/scanner.lock')).mode & 0o777).toBe(0o600)
})

test('help names every flag', async () => {
  const { closed, output } = run(['--help'])
  expect(await closed).toBe(0)
  for (const flag of ['--root DIR', '--no-watch', '--supervised', '--failure KIND', '--config FILE']) {
    expect(output.out).toContain(flag)
  }
})

test('the control socket tells health and metrics, and stops the stage', async () => {
  const runtime = join(directory, 'run')
  mkdirSync(runtime)
  const { closed, output, untilStarted } = run([...data(), '--unhealthy'], { XDG_RUNTIME_DIR: runtime })
  await untilStarted()
  const { runtime: sockets } = stageDirectories(join(directory, 'data'), { XDG_RUNTIME_DIR: runtime })
  const peer = new DealerPeer({
    endpoint: socketEndpoints(sockets)['scanner-control'],
    identity: { stage: 'supervisor', instance: 'test', pid: process.pid },
    expects: 'scanner',
  })
  peer.start()
  try {
    const health = await peer.request('healthRequest', {})
    expect(health).toMatchObject({ state: 'degraded', checks: [{ name: 'disk', ok: false, detail: 'full' }] })
    expect(health.instance).toMatch(/^scanner-[0-9a-f]{16}$/)
    const { metrics } = await peer.request('statsRequest', {})
    expect(metrics.map(metric => metric.name)).toContain('hotpath_test_total')
    expect(metrics.find(metric => metric.name === 'hotpath_process_resident_bytes')!.value).toBeGreaterThan(1e6)
    await peer.request('shutdownRequest', { reason: 'test' })
    expect(await closed).toBe(0)
    expect(output.err).toContain('"reason":"asked to: test"')
    expect(readdirSync(sockets)).toEqual([])
  } finally {
    await peer.stop()
  }
})
