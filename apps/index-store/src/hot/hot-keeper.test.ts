import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterOpen, DEFAULT_SCORING, HotTable, type NodeKey, type Use, volumeKey } from '@hotpath/hot-score'
import type { HotColumns } from '@hotpath/model'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SIMULATED_OPENS, simulatedOpen } from '../testing/simulated-opens.js'
import { HotDb } from './hot-db.js'
import { HotKeeper } from './hot-keeper.js'

const WRITER = fileURLToPath(new URL('../../dist/testing/opens-writer.js', import.meta.url))
const KILLS = process.env.SOAK === '1' ? 100 : 6

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-hot-'))
  file = join(directory, 'hot.db')
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(directory, { recursive: true, force: true })
})

function fail(error: Error): never {
  throw error
}

async function open(): Promise<{ keeper: HotKeeper; table: HotTable; emitted: HotColumns[] }> {
  const { db, table } = await HotDb.open(file, DEFAULT_SCORING, fail)
  const keeper = new HotKeeper({ table, db })
  const emitted: HotColumns[] = []
  keeper.start(records => emitted.push(records))
  return { keeper, table, emitted }
}

const node = (low: number): NodeKey => ({ volume: volumeKey('v'), low, high: 0, birth: 7 })
const runsOf = (table: HotTable, { volume, low, high, birth }: NodeKey): number => {
  const slot = table.find(volume, low, high, birth)
  return slot === 0 ? 0 : table.runsAt(slot)
}

describe('HotKeeper', () => {
  it('applies the first open at once, and what follows in a batch half a second later', async () => {
    const { keeper, table, emitted } = await open()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
    vi.advanceTimersByTime(5_000)
    keeper.accept(node(1), 100)
    vi.advanceTimersByTime(1)
    expect(runsOf(table, node(1))).toBe(1)
    for (let i = 0; i < 10; i++) keeper.accept(node(2), 100 + i)
    vi.advanceTimersByTime(400)
    expect(emitted).toHaveLength(1)
    vi.advanceTimersByTime(100)
    expect(emitted).toHaveLength(2)
    expect(emitted[1]).toMatchObject({ count: 1, runs: Uint32Array.of(10), opened: Uint32Array.of(109) })
    vi.useRealTimers()
    await keeper.stop()
  })

  it('applies a thousand at once, and leaves no timer when nothing waits', async () => {
    const { keeper, emitted } = await open()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
    for (let i = 0; i < 2_500; i++) keeper.accept(node(i), 100)
    // One for each turn of the event loop.
    vi.advanceTimersByTime(1)
    expect(emitted.map(({ count }) => count)).toEqual([1_000, 1_000])
    vi.advanceTimersByTime(1_000)
    expect(emitted.map(({ count }) => count)).toEqual([1_000, 1_000, 500])
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    await keeper.stop()
  })

  it('drops what it has no room for, and counts it', async () => {
    const { keeper } = await open()
    let taken = 0
    for (let i = 0; i < 70_000; i++) if (keeper.accept(node(i % 10), 100)) taken++
    expect(taken).toBe(65_536)
    expect(keeper.stats()).toMatchObject({ accepted: 65_536, dropped: 4_464 })
    await keeper.stop()
    const again = await open()
    expect(again.emitted.map(({ count }) => count)).toEqual([10])
    expect(again.emitted[0].runs.reduce((sum, runs) => sum + runs, 0)).toBe(65_536)
    await again.keeper.stop()
  })

  it('forgets the opens of nodes and of all, those that wait too, from the file as well', async () => {
    const { keeper, table, emitted } = await open()
    for (let low = 1; low <= 300; low++) keeper.accept({ ...node(low), birth: 0x5ec3e7 }, 100)
    const secret = Buffer.from([0xe7, 0xc3, 0x5e, 0])
    expect(await keeper.forget([{ ...node(7), birth: 0x5ec3e7 }, node(7), { ...node(7), birth: 0x5ec3e7 }])).toBe(1)
    expect([table.size, table.find(node(7).volume, 7, 0, 0x5ec3e7)]).toEqual([299, 0])
    expect(emitted.at(-1)).toMatchObject({ count: 1, ref: { low: Uint32Array.of(7) }, runs: Uint32Array.of(0) })
    expect(readFileSync(file).includes(secret)).toBe(true)
    writeFileSync(`${file}.damaged`, secret)
    keeper.accept({ ...node(301), birth: 0x5ec3e7 }, 100)
    expect(await keeper.forget('all')).toBe(300)
    expect(readFileSync(file).includes(secret)).toBe(false)
    expect(existsSync(`${file}.damaged`)).toBe(false)
    await keeper.stop()
    const again = await open()
    expect(again.table.size).toBe(0)
    await again.keeper.stop()
  })

  it('lets a record go with its name, in the file and in replicas', async () => {
    const first = await open()
    first.keeper.accept(node(1), 100)
    await first.keeper.stop()
    const { keeper, table, emitted } = await open()
    const nodes = keeper.followedNodes('v')
    expect([nodes.any, nodes.has(node(1)), nodes.has(node(2)), nodes.refs().length]).toEqual([true, true, false, 1])
    expect(keeper.followedNodes('other').has(node(1))).toBe(false)
    nodes.moved(node(1), node(2))
    nodes.moved(node(5), node(6))
    expect([runsOf(table, node(1)), runsOf(table, node(2))]).toEqual([0, 1])
    await expect.poll(() => emitted.length).toBe(2)
    expect(emitted[1].runs).toEqual(Uint32Array.of(0, 1))
    await keeper.stop()
    const again = await open()
    expect([runsOf(again.table, node(1)), runsOf(again.table, node(2))]).toEqual([0, 1])
    await again.keeper.stop()
  })

  it('keeps what was moved before it was started, as when the log is replayed', async () => {
    const first = await open()
    first.keeper.accept(node(1), 100)
    await first.keeper.stop()
    const { db, table } = await HotDb.open(file, DEFAULT_SCORING, fail)
    const keeper = new HotKeeper({ table, db })
    keeper.followedNodes('v').moved(node(1), node(2))
    const emitted: HotColumns[] = []
    keeper.start(records => emitted.push(records))
    expect(emitted).toMatchObject([{ count: 1, ref: { low: Uint32Array.of(2) } }])
    await keeper.stop()
    const again = await open()
    expect(runsOf(again.table, node(2))).toBe(1)
    await again.keeper.stop()
  })
})

describe('a process that counts 100,000 opens and is killed', () => {
  /** Opens of each node after so many opens. */
  function runsAfter(count: number): Map<number, number> {
    const runs = new Map<number, number>()
    for (let number = 0; number < count; number++) {
      const { low } = simulatedOpen(number).node
      runs.set(low, (runs.get(low) ?? 0) + 1)
    }
    return runs
  }

  /** Every state that each node was in, from its first open on. */
  const histories = new Map<number, Use[]>()
  for (let number = 0; number < SIMULATED_OPENS; number++) {
    const { node, at } = simulatedOpen(number)
    const states = histories.get(node.low) ?? []
    const use = afterOpen(states.at(-1), at, DEFAULT_SCORING)
    states.push({ ...use, heat: Math.fround(use.heat) })
    histories.set(node.low, states)
  }

  /** Runs the writer until it has printed `lines` lines, or to its end. @returns what it had said */
  function run(lines: number): Promise<{ written: number; accepted: number; done: boolean }> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] })
      let text = ''
      child.stdout.on('data', (data: Buffer) => {
        text += data.toString()
        if (text.split('\n').length > lines) child.kill('SIGKILL')
      })
      child.on('error', reject)
      // Not `exit`: what it said may not all have been read by then.
      child.on('close', (code, signal) => {
        if (signal !== 'SIGKILL' && code !== 0) return reject(new Error(`the writer ended: ${code} ${text}`))
        const last = (word: string) => Number(text.match(new RegExp(`(?<=^${word} )\\d+$`, 'gm'))?.at(-1) ?? 0)
        resolve({ written: last('written'), accepted: last('accepted'), done: text.endsWith('done\n') })
      })
    })
  }

  function expectTrue(written: number, accepted: number): void {
    const { table, damaged } = HotTable.load(readFileSync(file), file, DEFAULT_SCORING)
    expect(damaged).toBe(0)
    const [least, most] = [runsAfter(written), runsAfter(accepted)]
    table.forEach(slot => {
      const { low } = table.keyAt(slot)
      const use = table.useAt(slot)
      // Nothing is invented: each record is what its node once was.
      expect(use).toEqual(histories.get(low)?.[use.runs - 1])
      expect(use.runs).toBeLessThanOrEqual(most.get(low) ?? 0)
      expect(use.runs).toBeGreaterThanOrEqual(least.get(low) ?? 0)
      least.delete(low)
    })
    // Nothing that was written is missing.
    expect([...least.keys()]).toEqual([])
  }

  it(`loses no more than the batch that was not written, in ${KILLS} kills`, async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      rmSync(file, { force: true })
      const { written, accepted } = await run(2 + Math.floor(Math.random() * 250))
      // What was accepted after the last line that got through is less than a line and a pipe ahead of it.
      expectTrue(written, Math.min(SIMULATED_OPENS, accepted + 50_000))
    }
  })

  it('loses nothing if it may end', async () => {
    expect((await run(Number.POSITIVE_INFINITY)).done).toBe(true)
    expectTrue(SIMULATED_OPENS, SIMULATED_OPENS)
  })
})
