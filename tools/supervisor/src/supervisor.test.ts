import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ExitCode, type StageName, silentLogger } from '@hotpath/service'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StageSpec } from './stage-process.js'
import { Supervisor, type SupervisorOptions } from './supervisor.js'

const script = fileURLToPath(new URL('../test-fixtures/stage.mjs', import.meta.url))

let directory: string
let stop: AbortController
let supervisor: Supervisor | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-supervisor-'))
  stop = new AbortController()
})

afterEach(() => {
  supervisor?.killAll()
  supervisor = undefined
  rmSync(directory, { recursive: true, force: true })
})

function stage(name: StageName, ...flags: string[]): StageSpec {
  return { name, script, arguments: [`--journal=${join(directory, 'journal')}`, ...flags] }
}

function journal(): string[] {
  return readFileSync(join(directory, 'journal'), 'utf8').trim().split('\n')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A supervisor whose events can be waited for. */
function supervise(groups: StageSpec[][], options: Partial<SupervisorOptions> = {}) {
  const seen: string[] = []
  const news = new EventEmitter()
  const see = (event: string) => {
    seen.push(event)
    news.emit('event')
  }
  supervisor = new Supervisor({
    groups,
    logDirectory: directory,
    log: silentLogger,
    limits: { firstDelayMs: 1, maxDelayMs: 8, windowMs: 60_000, maxFailures: 4, steadyMs: 60_000 },
    events: {
      onLog: () => {},
      onReady: (name, url) => see(`ready ${name}${url === undefined ? '' : ` ${url}`}`),
      onRestart: (name, exit, delayMs) => see(`restart ${name} ${exit.signal ?? exit.code} ${delayMs}`),
    },
    ...options,
  })
  const result = supervisor.run(stop.signal)
  async function until(event: string, times = 1): Promise<void> {
    while (seen.filter(one => one === event).length < times) await once(news, 'event')
  }
  return { supervisor, result, seen, until }
}

test('starts late stages when the others are ready', async () => {
  const late = { ...stage('scanner'), isLate: true }
  const { result, seen, until } = supervise([[late], [stage('gateway')], [stage('index-store')]], {
    longestWaitMs: 60_000,
  })
  await until('ready scanner')
  expect(seen.at(-1)).toBe('ready scanner')
  expect([...seen].sort()).toEqual(['ready gateway', 'ready index-store', 'ready scanner'])
  stop.abort()
  expect((await result).exitCode).toBe(ExitCode.ok)
})

test('stops late stages that were never started', async () => {
  const late = { ...stage('scanner'), isLate: true }
  const { result, seen } = supervise([[late], [stage('gateway', '--ignore-term')]], {
    killAfterMs: 1,
    longestWaitMs: 60_000,
  })
  stop.abort()
  expect((await result).exitCode).toBe(ExitCode.ok)
  expect(seen).not.toContain('ready scanner')
})

test('starts all, stops the groups in order, and leaves no process', async () => {
  const { supervisor, result, until } = supervise([
    [stage('scanner'), stage('journal-watcher')],
    [stage('index-store', '--url=http://x/')],
  ])
  await Promise.all([until('ready scanner'), until('ready journal-watcher'), until('ready index-store http://x/')])
  const pids = (['scanner', 'journal-watcher', 'index-store'] as const).map(name => supervisor.pidOf(name)!)
  stop.abort()
  expect(await result).toEqual({ exitCode: ExitCode.ok })
  expect(pids.map(isAlive)).toEqual([false, false, false])
  const stops = journal().filter(line => line.startsWith('stop '))
  expect(stops).toHaveLength(3)
  expect(stops[2]).toBe(`stop ${pids[2]}`)
  expect(supervisor.pidOf('scanner')).toBeUndefined()
})

test('starts a killed stage again, with its log going on in the same file', async () => {
  const { supervisor, result, until, seen } = supervise([[stage('scanner')]])
  await until('ready scanner')
  const first = supervisor.pidOf('scanner')!
  process.kill(first, 'SIGKILL')
  await until('ready scanner', 2)
  expect(supervisor.pidOf('scanner')).not.toBe(first)
  expect(seen).toEqual(['ready scanner', 'restart scanner SIGKILL 1', 'ready scanner'])
  stop.abort()
  await result
  expect(readFileSync(join(directory, 'scanner.log'), 'utf8').trim().split('\n')).toHaveLength(2)
})

test('gives the first arguments until the stage was ready once', async () => {
  const { supervisor, result, until } = supervise([[{ ...stage('scanner'), firstArguments: ['--fresh'] }]])
  await until('ready scanner')
  process.kill(supervisor.pidOf('scanner')!, 'SIGKILL')
  await until('ready scanner', 2)
  stop.abort()
  await result
  expect(journal().map(line => line.split(' ')[0])).toEqual(['start-fresh', 'start', 'stop'])
})

test('waits twice as long each time, then gives up with the last lines of the log', async () => {
  const { result, seen } = supervise([[stage('gateway')], [stage('index-store', '--exit=69')]])
  const { exitCode, failure } = await result
  expect(exitCode).toBe(ExitCode.unavailable)
  expect(failure).toMatch(/^index-store ended with exit code 69 after 3 restarts; giving up/)
  expect(failure).toContain('the last words')
  expect(seen.filter(event => event.startsWith('restart'))).toEqual([
    'restart index-store 69 1',
    'restart index-store 69 2',
    'restart index-store 69 4',
  ])
})

test('starts a stage again that asks for it, however often, and does not count that as a failure', async () => {
  const { result, seen, until } = supervise([[stage('index-store', '--exit=79')]])
  await until('restart index-store 79 0', 6)
  stop.abort()
  expect(await result).toEqual({ exitCode: ExitCode.ok })
  expect(new Set(seen)).toEqual(new Set(['restart index-store 79 0']))
})

test('keeps a stage going that is killed often but becomes ready each time', async () => {
  const { supervisor, result, until, seen } = supervise([[stage('scanner')]])
  for (let life = 1; life <= 6; life++) {
    await until('ready scanner', life)
    process.kill(supervisor.pidOf('scanner')!, 'SIGKILL')
  }
  await until('ready scanner', 7)
  stop.abort()
  expect((await result).exitCode).toBe(ExitCode.ok)
  expect(seen.filter(event => event.startsWith('restart')).map(event => event.split(' ').at(-1))).toEqual([
    '1',
    '2',
    '4',
    '8',
    '8',
    '8',
  ])
})

test('does not try again when a stage says that its flags are wrong', async () => {
  const { result, seen } = supervise([[stage('index-store', '--exit=64')]])
  expect((await result).exitCode).toBe(ExitCode.usage)
  expect(seen).toEqual([])
})

test('a stage that cannot be started at all is a failure, not a hang', async () => {
  const spec = { ...stage('index-store'), inheritedFds: [987_654] }
  const { exitCode, failure } = await supervise([[spec]]).result
  expect(exitCode).toBe(ExitCode.bug)
  expect(failure).toContain('index-store could not be started')
})

test('kills a stage that does not stop when it is asked', async () => {
  const { supervisor, result, until } = supervise([[stage('scanner', '--ignore-term')]], { killAfterMs: 50 })
  await until('ready scanner')
  const pid = supervisor.pidOf('scanner')!
  stop.abort()
  expect((await result).exitCode).toBe(ExitCode.ok)
  expect(isAlive(pid)).toBe(false)
})

test('kills and restarts a stage that does not answer, and leaves the others alone', async () => {
  let answers = false
  const { supervisor, result, until, seen } = supervise([[stage('scanner'), stage('gateway')]], {
    heartbeat: {
      everyMs: 5,
      lostAfterMs: 20,
      ping: (name, signal) =>
        name === 'gateway' || answers
          ? Promise.resolve()
          : new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('no answer')))),
    },
  })
  await until('restart scanner SIGKILL 1')
  answers = true
  await until('ready gateway')
  expect(supervisor.pidOf('gateway')).toBeDefined()
  stop.abort()
  await result
  expect(seen.filter(event => event.startsWith('restart gateway'))).toEqual([])
})

test('it is well while every stage that has begun runs and answers', async () => {
  let answers = true
  const { supervisor, result, until } = supervise([[stage('scanner')], [stage('gateway')]], {
    heartbeat: {
      everyMs: 10,
      lostAfterMs: 60_000,
      ping: async () => {
        if (!answers) throw new Error('no answer')
      },
    },
  })
  await until('ready scanner')
  await until('ready gateway')
  await expect.poll(() => supervisor.isHealthy).toBe(true)
  answers = false
  await expect.poll(() => supervisor.isHealthy, { interval: 1 }).toBe(false)
  answers = true
  await expect.poll(() => supervisor.isHealthy).toBe(true)
  process.kill(supervisor.pidOf('gateway')!, 'SIGKILL')
  await expect.poll(() => supervisor.isHealthy, { interval: 1 }).toBe(false)
  await expect.poll(() => supervisor.isHealthy, { timeout: 20_000 }).toBe(true)
  stop.abort()
  await result
})

test('prepares a stage before each start, and connects it to the process that was started', async () => {
  const order: string[] = []
  const spec: StageSpec = {
    ...stage('scanner'),
    prepare: async () => void order.push('prepared'),
    connect: socket => void order.push(`connected ${socket.writable}`),
  }
  const { supervisor, result, until } = supervise([[spec]])
  await until('ready scanner')
  process.kill(supervisor.pidOf('scanner')!, 'SIGKILL')
  await until('ready scanner', 2)
  stop.abort()
  await result
  expect(order).toEqual(['prepared', 'connected true', 'prepared', 'connected true'])
})

test('starts nothing that is prepared when all stops', async () => {
  let prepared = () => {}
  const spec: StageSpec = { ...stage('scanner'), prepare: () => new Promise(resolve => (prepared = resolve)) }
  const { result } = supervise([[spec]])
  stop.abort()
  prepared()
  expect(await result).toEqual({ exitCode: ExitCode.ok })
  expect(readdirSync(directory)).toEqual([])
})

test('what fails while a stage is prepared is a failure of the stage', async () => {
  const spec: StageSpec = { ...stage('scanner'), prepare: () => Promise.reject(new Error('not prepared')) }
  const { exitCode, failure } = await supervise([[spec]]).result
  expect(exitCode).toBe(ExitCode.bug)
  expect(failure).toContain('scanner could not be started (not prepared)')
})

test('an abort before the start starts and leaves nothing', async () => {
  stop.abort()
  expect(await supervise([[stage('scanner')]]).result).toEqual({ exitCode: ExitCode.ok })
  expect(readdirSync(directory)).toEqual([])
})
