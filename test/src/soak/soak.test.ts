import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type FileSystemName, Random, TestMounts } from '@hotpath/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { type StageName, System } from '../system.js'
import { compareWithDisk } from './compare.js'
import { TreeWriter } from './tree-writer.js'
import type { WriterReport, WriterWork } from './writer.js'

/** Processes run compiled code. */
const WRITER = fileURLToPath(new URL('../../dist/soak/writer.js', import.meta.url))
const WRITERS = 4
const STAGES: readonly StageName[] = ['scanner', 'watcher', 'store', 'gateway']
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const SOAK = process.env.SOAK !== undefined
/** Of all writers together, on each file system. `SOAK=1`: a million; `SOAK=N`: N. */
const OPERATIONS = !SOAK ? 3_000 : process.env.SOAK === '1' ? 1_000_000 : Number(process.env.SOAK)
const KILL_EVERY_MS = 2_000
/** Longer than a clock waits for a watcher; in a soak as long as the store waits before it gives a watcher up. */
const STOPPED_MS = SOAK ? 10_000 : 6_000
/** Four kills and a restart of the last one. */
const SHORT_KILLING_SECONDS = 9
const HOURS = 6 * 3_600_000
const IN_IMAGES = 8_192

/** `temporary files`: whatever the directory for temporary files lies on. */
type Place = FileSystemName | 'temporary files'

function placesHere(): Place[] {
  const wanted: FileSystemName[] = SOAK ? ['ext4', 'xfs', 'btrfs', 'tmpfs', 'overlay'] : ['tmpfs', 'overlay']
  const first: Place[] = SOAK ? [] : ['temporary files']
  const mounts = TestMounts.open()
  if (typeof mounts === 'string') {
    console.log(`not tested here: ${wanted.join(', ')}: ${mounts}`)
    return ['temporary files']
  }
  const found = wanted.filter(name => {
    const mounted = mounts.mount(name)
    if ('problem' in mounted) console.log(`not tested here: ${mounted.problem}`)
    return !('problem' in mounted)
  })
  mounts.close()
  return [...first, ...found]
}

const places = placesHere()

describe('the index is what the disk holds', () => {
  const cleanups: (() => unknown)[] = []

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  /** A directory on a file system, with a tree in it that was there before. */
  function rootOn(place: Place): string {
    if (place === 'temporary files') {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hotpath-soak-')))
      cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
      prepare(folder)
      return join(folder, 'root')
    }
    const mounts = TestMounts.open()
    if (typeof mounts === 'string') throw new Error(mounts)
    cleanups.push(() => mounts.close())
    const mounted = mounts.mount(place, { sizeMb: SOAK ? IN_IMAGES : 0, prepare })
    if ('problem' in mounted) throw new Error(mounted.problem)
    return join(mounted.directory, 'root')
  }

  /** Makes the directories of the writers, with something in them. */
  function prepare(directory: string): void {
    const root = join(directory, 'root')
    for (let i = 0; i < WRITERS; i++) {
      for (const path of [ownOf(root, i), sharedOf(root)]) mkdirSync(path, { recursive: true })
      const writer = new TreeWriter({
        own: ownOf(root, i),
        shared: sharedOf(root),
        seed: SEED - 1 - i,
      })
      for (let step = 0; step < 300; step++) writer.step()
    }
  }

  async function follow(root: string): Promise<System> {
    const system = await System.start(['--root', root])
    cleanups.push(() => system.stop())
    await system.settled()
    return system
  }

  /** Starts the writers. Resolves with their reports when all have ended. */
  async function write(root: string, part: Partial<WriterWork>): Promise<WriterReport[]> {
    const writers = Array.from({ length: WRITERS }, (_, i) => {
      const work: WriterWork = {
        own: ownOf(root, i),
        shared: sharedOf(root),
        seed: SEED + i,
        operations: OPERATIONS / WRITERS,
        perSecond: 0,
        createsOnly: false,
        ...part,
      }
      return fork(WRITER, [JSON.stringify(work)])
    })
    cleanups.push(() => writers.map(writer => writer.kill('SIGKILL')))
    return Promise.all(writers.map(reportOf))
  }

  async function expectEqual(
    system: System,
    root: string,
    what: string,
    reports: readonly WriterReport[],
  ): Promise<void> {
    const endedAtMs = performance.now()
    const clock = await system.covered(600_000)
    const lagMs = performance.now() - endedAtMs
    const { entries, differences } = await compareWithDisk(system.client, root, clock)
    const done = reports.reduce((sum, report) => sum + report.done, 0)
    const seconds = Math.max(...reports.map(report => report.seconds))
    console.log(
      `${what}, seed ${SEED}: ${done} operations, ${Math.round(done / seconds)} a second, ` +
        `covered after ${Math.round(lagMs)} ms, ${entries} entries, ${differences.length} differences`,
    )
    if (differences.length === 0) return
    const shown = differences.slice(0, 10)
    const history = reports.flatMap(({ lastOperations }, writer) =>
      lastOperations
        .filter(operation => shown.some(({ path }) => mentions(operation, path)))
        .slice(-20)
        .map(operation => `writer ${writer}: ${operation}`),
    )
    expect.fail(
      `${differences.length} differences: ${JSON.stringify(shown, null, 1)}\n${history.join('\n')}\n${system.log}`,
    )
  }

  it.each(places)('after random operations of four processes, on %s', { timeout: HOURS }, async place => {
    const root = rootOn(place)
    const system = await follow(root)
    const reports = await write(root, {})
    await expectEqual(system, root, `${place}`, reports)
  })

  const placesOfKills = SOAK ? places : places.slice(0, 1)
  it.each(placesOfKills)('also while stages are killed every 2 s, on %s', { timeout: HOURS }, async place => {
    const root = rootOn(place)
    const system = await follow(root)
    const killing = killStages(system)
    cleanups.push(() => killing.stop())
    const perSecond = SOAK ? 0 : OPERATIONS / WRITERS / SHORT_KILLING_SECONDS
    const reports = await write(root, { perSecond })
    const kills = killing.stop()
    expect(kills).toBeGreaterThan(0)
    await system.settled(600_000)
    await expectEqual(system, root, `${place}, ${kills} stages killed`, reports)
  })

  const placesOfStops = SOAK ? places : places.slice(-1)
  it.each(placesOfStops)(
    `also when the watcher stood still for ${STOPPED_MS / 1_000} s, on %s`,
    { timeout: HOURS },
    async place => {
      const root = rootOn(place)
      const system = await follow(root)
      const watcher = system.signal('watcher', 'SIGSTOP')
      cleanups.push(() => existsSync(`/proc/${watcher}`) && process.kill(watcher, 'SIGCONT'))
      // As many as are made meanwhile; slower where other tests run beside.
      const operations = SOAK ? 75_000 : 3_000
      const perSecond = SOAK ? 0 : operations / (STOPPED_MS / 1_000)
      const [creations, during] = await Promise.all([
        write(root, { createsOnly: true, operations, perSecond }),
        system.get<{ notCovered: string[] }>('/api/clock'),
        sleep(STOPPED_MS),
      ])
      expect(during.notCovered).toHaveLength(1)
      process.kill(watcher, 'SIGCONT')
      const reports = await write(root, { operations: Math.min(OPERATIONS, 20_000) / WRITERS })
      await expectEqual(system, root, `${place}, watcher stopped`, [...creations, ...reports])
    },
  )
})

function ownOf(root: string, writer: number): string {
  return join(root, `own-${writer}`)
}

function sharedOf(root: string): string {
  return join(root, 'shared')
}

/** Kills a stage every 2 s: each once in a round, in random order. `stop` returns how many were killed. */
function killStages(system: System): { stop(): number } {
  const random = new Random(SEED)
  let kills = 0
  let round: StageName[] = []
  const timer = setInterval(() => {
    if (round.length === 0) round = [...STAGES].sort(() => random.below(3) - 1)
    const next = round.pop()
    const pid = next && system.pidOf(next)
    // Killed by an earlier round and not back yet.
    if (pid === undefined) return
    process.kill(pid, 'SIGKILL')
    kills++
  }, KILL_EVERY_MS)
  return {
    stop() {
      clearInterval(timer)
      return kills
    },
  }
}

async function reportOf(writer: ChildProcess): Promise<WriterReport> {
  let report: WriterReport | undefined
  writer.on('message', message => {
    report = message as WriterReport
  })
  // Messages may still be on their way when the process has ended; after `disconnect` there are none.
  const [[code]] = await Promise.all([once(writer, 'exit') as Promise<[number | null]>, once(writer, 'disconnect')])
  if (report === undefined) throw new Error(`a writer ended with ${code}`)
  return report
}

/** Whether an operation names a path (one character for each byte) or a directory above it. */
function mentions(operation: string, path: string): boolean {
  const text = Buffer.from(path, 'latin1').toString()
  return operation
    .slice(operation.indexOf('/'))
    .split(' → ')
    .some(named => text === named || text.startsWith(`${named}/`))
}
