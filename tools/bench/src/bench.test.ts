import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancelledError } from '@hotpath/model'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type BenchReport, runBench } from './bench.js'
import { type BenchOptions, parseOptions } from './options.js'
import { findProgram } from './peers/program.js'

let folder: string
let running: Promise<unknown> | undefined
const temporaryDirectory = process.env.TMPDIR

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotpath-bench-test-'))
  process.env.TMPDIR = folder
})

afterEach(async () => {
  // One that took too long is still ending what it started.
  await running?.catch(() => {})
  if (temporaryDirectory === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = temporaryDirectory
  rmSync(folder, { recursive: true })
})

const ENTRIES = 2_000

/** @param signal ends it, as the time-out of a test does */
function run(
  options: BenchOptions,
  signal: AbortSignal,
  out: (text: string) => void = () => {},
  progress: (text: string) => void = () => {},
): Promise<BenchReport> {
  const bench = runBench(options, out, progress, signal)
  running = bench
  return bench
}

it('measures in one process, prints a table and returns what can be compared', async ({ signal }) => {
  let printed = ''
  const options = parseOptions(['--smoke', '--entries', `${ENTRIES}`, '--only', 'disk,query'], folder)
  const report = await run(options, signal, text => {
    printed += text
  })
  expect(report.failures).toEqual([])
  expect(report.corpus).toMatchObject({ entries: ENTRIES })
  expect(report.machine.cores).toBeGreaterThan(0)
  expect(report.load.before).toHaveLength(3)
  const ids = ['disk.names', 'disk.columns', 'disk.all', 'query.page', 'query.total-term', 'query.total-several']
  expect(report.rows.map(({ id }) => id)).toEqual([...ids, 'query.total-path', 'query.short'])
  for (const entry of report.rows) {
    expect(entry.skipped, entry.id).toBeUndefined()
    for (const [name, value] of Object.entries(entry.ours?.figures ?? {})) {
      expect(value, `${entry.id} ${name}`).toBeGreaterThanOrEqual(0)
    }
    for (const peer of entry.peers) expect(peer.text, entry.id).not.toBe('')
    expect(['pass', 'miss', 'not judged', '']).toContain(entry.verdict)
  }
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  for (const part of ['machine: ', 'corpus: synthetic', 'index on disk, names and tree', 'bytes per section']) {
    expect(printed).toContain(part)
  }
  expect(readdirSync(folder)).toEqual([])
})

it('measures opens without a corpus', async ({ signal }) => {
  const options = parseOptions(['--smoke', '--only', 'opens'], folder)
  const report = await run(options, signal)
  expect([report.failures, report.corpus]).toEqual([[], undefined])
  expect(report.rows.map(({ id }) => id)).toEqual(['opens.accept', 'opens.apply'])
})

it('measures what following a database takes', { timeout: 120_000 }, async ({ signal }) => {
  const options = parseOptions(['--smoke', '--only', 'follow'], folder)
  const report = await run(options, signal)
  expect([report.failures, report.corpus]).toEqual([[], undefined])
  expect(report.rows.map(({ id }) => id)).toEqual(['follow.push', 'follow.wake', 'follow.writer', 'follow.idle'])
  for (const { id, ours } of report.rows) {
    for (const [name, value] of Object.entries(ours?.figures ?? {})) expect(value, `${id} ${name}`).toBeLessThan(1e6)
  }
})

it('measures the worst queries, cold ones, deep pages, trees and compaction, or says why it cannot', async ({
  signal,
}) => {
  const tree = join(folder, 'walked')
  mkdirSync(tree)
  writeFileSync(join(tree, 'file'), 'x')
  const only = 'tree,worst,cold,deep,compact'
  const options = parseOptions(['--smoke', '--entries', `${ENTRIES}`, '--only', only, '--tree', tree], folder)
  const report = await run(options, signal)
  expect(report.failures).toEqual([])
  const ids = [
    'disk.tree',
    'disk.tree-walked',
    'query.worst',
    'query.cold',
    'pages.deep',
    'compact.queries',
    'compact.amplification',
  ]
  expect(report.rows.map(({ id }) => id)).toEqual(ids)
  for (const { id, ours, skipped } of report.rows) {
    // Where temporary files are in memory nothing can be evicted.
    if (id === 'query.cold' && skipped !== undefined) expect(skipped).toContain('stayed in memory')
    else for (const [name, value] of Object.entries(ours?.figures ?? {})) expect(value, `${id} ${name}`).not.toBeNaN()
  }
  rmSync(tree, { recursive: true })
  expect(readdirSync(folder)).toEqual([])
})

it('has no budgets for names that all differ', async ({ signal }) => {
  const options = parseOptions(['--smoke', '--entries', `${ENTRIES}`, '--only', 'disk', '--distinct'], folder)
  const report = await run(options, signal)
  expect(report.corpus?.name).toContain('distinct')
  expect(report.rows.map(({ verdict }) => verdict)).toEqual(['', '', ''])
})

it('says which row failed and measures the others', async ({ signal }) => {
  const missing = join(folder, 'nowhere')
  const options = parseOptions(['--smoke', '--entries', `${ENTRIES}`, '--only', 'scan,disk', '--tree', missing], folder)
  const report = await run(options, signal)
  expect(report.failures.map(({ family }) => family)).toEqual(['scan'])
  expect(report.rows.map(({ id }) => id)).toEqual(['disk.names', 'disk.columns', 'disk.all'])
  expect(existsSync(missing)).toBe(false)
})

it('leaves nothing behind when it is ended early', async () => {
  const options = parseOptions(['--smoke', '--entries', `${ENTRIES}`, '--only', 'disk,memory'], folder)
  const stop = new AbortController()
  const ended = run(
    options,
    stop.signal,
    () => {},
    text => {
      if (text.includes('whole system')) setImmediate(() => stop.abort())
    },
  )
  await expect(ended).rejects.toThrow(CancelledError)
  expect(readdirSync(folder)).toEqual([])
})

const canFollow = platform() === 'linux' && findProgram('python3') !== undefined
it.runIf(canFollow)('leaves no program behind when it is ended amid commits', async () => {
  const stop = new AbortController()
  let before: string[] = []
  const ended = run(
    parseOptions(['--smoke', '--only', 'follow'], folder),
    stop.signal,
    () => {},
    text => {
      if (!text.includes('commits')) return
      before = programsOf(folder)
      stop.abort()
    },
  )
  await expect(ended).rejects.toThrow(CancelledError)
  // The system, what it consists of, who writes and two that look.
  expect(before.length).toBeGreaterThan(4)
  expect([programsOf(folder), readdirSync(folder)]).toEqual([[], []])
})

/** Command lines of processes that were told of a folder. */
function programsOf(name: string): string[] {
  return readdirSync('/proc').flatMap(pid => {
    try {
      const line = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''
      return line.includes(name) ? [line] : []
    } catch {
      return []
    }
  })
}
