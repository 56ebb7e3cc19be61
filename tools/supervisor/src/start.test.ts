import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DealerPeer, socketEndpoints } from '@hotpath/protocol'
import { stageDirectories } from '@hotpath/service'
import { afterEach, beforeEach, expect, test } from 'vitest'

const system = fileURLToPath(new URL('../test-fixtures/system.mjs', import.meta.url))

let directory: string
let data: string
const started: ChildProcess[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-start-'))
  data = join(directory, 'data')
})

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  rmSync(directory, { recursive: true, force: true })
})

interface Run {
  readonly child: ChildProcess
  readonly output: { out: string; err: string }
  readonly closed: Promise<number | null>
  until(check: () => boolean): Promise<void>
}

function start(...flags: string[]): Run {
  const environment = { PATH: process.env.PATH, HOME: directory }
  const child = spawn(process.execPath, [system, ...flags], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  const output = { out: '', err: '' }
  child.stdout!.on('data', chunk => {
    output.out += chunk
  })
  child.stderr!.on('data', chunk => {
    output.err += chunk
  })
  const closed = once(child, 'close').then(([code]) => code as number | null)
  async function until(check: () => boolean) {
    while (!check()) await Promise.race([once(child.stdout!, 'data'), once(child.stderr!, 'data'), closed.then(fail)])
  }
  function fail(): never {
    throw new Error(`ended early: ${output.out}${output.err}`)
  }
  return { child, output, closed, until }
}

/** Pids of the stages, from their journal, once all three have started. */
function stagePids(): number[] {
  const journal = join(data, 'journal')
  if (!existsSync(journal)) return []
  return [...readFileSync(journal, 'utf8').matchAll(/^start (\d+)$/gm)].map(match => Number(match[1]))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function startReady(): Promise<Run> {
  const run = start('--data', data, '--port', '4711')
  await run.until(() => run.output.out.includes('\n') && run.output.err.split('hello').length === 4)
  return run
}

test('prints one URL on standard output and nothing else, and Ctrl-C ends all with exit code 0', async () => {
  const { child, output, closed } = await startReady()
  const pids = stagePids()
  expect(pids).toHaveLength(3)
  // npm passes on the signal that the terminal has sent already.
  child.kill('SIGINT')
  child.kill('SIGINT')
  expect(await closed).toBe(0)
  expect(output.out).toBe('http://127.0.0.1:4711/?token=t\n')
  expect(output.err).not.toContain('\u001b')
  expect(output.err).toContain('[scanner] warn: hello path="/a\\u001b[2J"')
  expect(pids.map(isAlive)).toEqual([false, false, false])
  expect(statSync(data).mode & 0o777).toBe(0o700)
})

test('a second instance is refused with exit code 75; after the first it may start', async () => {
  const first = await startReady()
  const second = start('--data', data)
  expect(await second.closed).toBe(75)
  expect(second.output.out).toBe('')
  expect(second.output.err).toMatch(new RegExp(`^hotpath is running already: .*process ${first.child.pid}\\).*\\n$`))
  first.child.kill('SIGTERM')
  expect(await first.closed).toBe(0)
  const third = await startReady()
  third.child.kill('SIGTERM')
  expect(await third.closed).toBe(0)
})

test('SIGKILL of the supervisor ends its stages, and the next start succeeds', async () => {
  const { child, closed } = await startReady()
  const pids = stagePids()
  child.kill('SIGKILL')
  // The stages hold our ends of nothing: the pipes of the supervisor close when it is gone.
  await closed
  await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([])
  const orphans = readFileSync(join(data, 'journal'), 'utf8').match(/^orphaned/gm)
  expect(orphans).toHaveLength(3)
  const next = await startReady()
  next.child.kill('SIGINT')
  expect(await next.closed).toBe(0)
})

test('all that is wrong with the flags is said at once, with exit code 64', async () => {
  mkdirSync(data)
  const run = start('--data', data, '--port', 'x', '--root', '/nowhere/at/all', '--bogus')
  expect(await run.closed).toBe(64)
  expect(run.output.err).toContain('--port: expected a whole number from 0 to 65535, found "x"')
  expect(run.output.err).toContain('--bogus: there is no such flag')
  const second = start('--data', data, '--root', '/nowhere/at/all', '--list', data)
  expect(await second.closed).toBe(64)
  expect(second.output.err).toBe(
    `hotpath: --root: "/nowhere/at/all" does not exist\n--list: ${JSON.stringify(data)} is no file\n`,
  )
})

test('the control socket tells what runs, and stops all', async () => {
  const { child, closed } = await startReady()
  const { runtime } = stageDirectories(data, {})
  const peer = new DealerPeer({
    endpoint: socketEndpoints(runtime)['supervisor-control'],
    identity: { stage: 'client', instance: 'test', pid: process.pid },
    expects: 'supervisor',
  })
  peer.start()
  try {
    const health = await peer.request('healthRequest', {})
    expect(health.pid).toBe(child.pid)
    expect(health.checks.map(({ name, ok }) => `${name} ${ok}`)).toEqual([
      'scanner true',
      'gateway true',
      'index-store true',
    ])
    const { metrics } = await peer.request('statsRequest', {})
    expect(metrics.filter(({ name }) => name === 'hotpath_stage_up').map(({ value }) => value)).toEqual([1, 1, 1])
    await peer.request('shutdownRequest', { reason: 'test' })
    expect(await closed).toBe(0)
    expect(readdirSync(runtime)).toEqual([])
  } finally {
    await peer.stop()
  }
})
