import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { bootId } from '@hotpath/platform'
import type { ScanCommand } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeStore } from '../testing/fake-store.js'
import { plainWalk } from '../testing/walk-oracle.js'
import { Scanner } from './scanner.js'

let base: string
let tree: string
let store: FakeStore
let scanner: Scanner

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'scanner-session-'))
  tree = join(base, 'tree')
  for (let i = 0; i < 60; i++) {
    mkdirSync(join(tree, `d${i}`), { recursive: true })
    for (let j = 0; j < 250; j++) writeFileSync(join(tree, `d${i}`, `${'long-name-'.repeat(20)}${j}`), '')
  }
  mkdirSync(join(tree, 'skip-me'))
  mkdirSync(join(tree, 'also-skipped'))
  mkdirSync(join(tree, 'data'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

beforeEach(async () => {
  store = new FakeStore()
  scanner = new Scanner({
    endpoint: store.endpoint,
    identity: { stage: 'scanner', instance: 'scanner-test', pid: process.pid },
    dataDir: join(tree, 'data'),
    excludes: ['also-skipped'],
    crossDevices: false,
    threads: 2,
    expectsTrees: true,
    log: silentLogger,
  })
  scanner.start()
})
afterEach(async () => {
  await scanner.stop()
  await store.close()
})

function command(epoch: number, path = tree, kind: 'tree' | 'list' = 'tree'): ScanCommand {
  const options = { excludes: ['skip-me/'], crossFileSystems: false, threads: 0, namesOnly: false }
  return { root: { id: `${kind}:${path}`, kind, path }, epoch, options }
}

const isKept = ({ path }: { path: string }) => !/\/(skip-me|also-skipped|data)$/.test(path)

describe('Scanner', () => {
  it('sends a commanded tree within the credit, with everything that the store must know', async () => {
    await store.start()
    await store.command(command(7))
    const { begin, reader, batches, end, mostOnTheWay } = await store.ended(7)
    expect(begin).toEqual({
      root: command(7).root,
      volume: expect.stringMatching(/^\S+$/),
      prefix: new Uint8Array(Buffer.from(`${base}/`)),
      epoch: 7,
      bootId: bootId(),
      source: 'scanner-test',
    })
    const expected = plainWalk(tree).filter(isKept)
    expect(reader.entries).toEqual(expected)
    expect(end).toEqual({
      root: command(7).root.id,
      epoch: 7,
      entries: expected.length,
      skipped: 0,
      state: 'complete',
      lastSequence: batches.length,
      problems: [],
    })
    expect(batches.length).toBeGreaterThan(store.credit)
    expect(mostOnTheWay).toBeLessThanOrEqual(store.credit)
    await scanner.finishedOnce
  })

  it('waits for a store that comes late, and begins anew for one that was restarted', async () => {
    const commanded = store.command(command(1))
    await store.start()
    await commanded
    await store.until(() => (store.scans.get(1)?.batches.length ? true : undefined))
    store.acknowledges = false
    await store.stop()
    store.acknowledges = true
    await store.start()
    await store.command(command(2))
    const { reader } = await store.ended(2)
    expect(reader.entries).toEqual(plainWalk(tree).filter(isKept))
  })

  it('stops when the store cancels, and goes on with what comes next', async () => {
    await store.start()
    store.acknowledges = false
    await store.command(command(1))
    await store.until(() => (store.scans.get(1)?.batches.length === store.credit ? true : undefined))
    await store.send({ type: 'cancelScan', value: { root: command(1).root.id, epoch: 1 } })
    store.acknowledges = true
    await store.command(command(2, join(tree, 'd1')))
    const next = await store.ended(2)
    expect(next.reader.paths.length).toBe(251)
    expect(store.scans.get(1)!.end).toBeUndefined()
    expect(store.scans.get(1)!.batches.length).toBe(store.credit)
  })

  it('gives a scan up for a later one of the same root, and takes a repeated command once', async () => {
    await store.start()
    store.acknowledges = false
    await store.command(command(1))
    await store.until(() => (store.scans.get(1)?.batches.length === store.credit ? true : undefined))
    store.acknowledges = true
    await store.command(command(2))
    await store.command(command(2))
    expect((await store.ended(2)).reader.entries).toEqual(plainWalk(tree).filter(isKept))
    await store.command(command(3, join(tree, 'd1')))
    await store.ended(3)
    expect([...store.scans.keys()]).toEqual([1, 2, 3])
    expect(store.scans.get(1)!.end).toBeUndefined()
  })

  it('tells how far it is while the store takes its time', async () => {
    await store.start()
    store.acknowledges = false
    await store.command(command(1))
    const progress = await store.until(() => {
      const { progress } = store.scans.get(1) ?? {}
      return progress && progress.entries > 1 ? progress : undefined
    })
    expect(progress.root).toBe(command(1).root.id)
    expect(Buffer.from(progress.currentDirectory).toString().startsWith(tree)).toBe(true)
    expect(progress.knownTotal).toBeNaN()
  })

  it('reports a root that cannot be read as an aborted scan, with the reason', async () => {
    await store.start()
    for (const [epoch, kind] of [
      [1, 'tree'],
      [2, 'list'],
    ] as const) {
      const path = join(base, 'absent')
      await store.command(command(epoch, path, kind))
      const { begin, end, batches } = await store.ended(epoch)
      expect(begin.prefix).toEqual(new Uint8Array(Buffer.from(kind === 'tree' ? `${base}/` : '')))
      expect(batches).toEqual([])
      expect(end).toMatchObject({ state: 'aborted', entries: 0, lastSequence: 0, skipped: 1 })
      expect(end!.problems).toEqual([
        { line: 0, path: new Uint8Array(Buffer.from(path)), message: expect.stringMatching(/ENOENT/) },
      ])
    }
  })

  it('sends a list with its problems by line', async () => {
    const list = join(base, 'list.efu')
    const rows = Array.from(
      { length: 40_000 },
      (_, i) => `"C:\\dir${i % 100}\\file${i}.txt",${i},133500000000000000,,32`,
    )
    writeFileSync(
      list,
      `Filename,Size,Date Modified,Date Created,Attributes\r\n${rows.join('\r\n')}\r\n"C:\\bad",nosize,,,\r\n`,
    )
    await store.start()
    await store.command(command(5, list, 'list'))
    const { begin, batches, end } = await store.ended(5)
    expect([begin.volume, begin.prefix.length]).toEqual([`list:${list}`, 0])
    const files = batches.flatMap(({ entries }) => [...entries.kind].filter(kind => kind === 0))
    expect(files.length).toBe(40_000)
    expect(batches.every(({ listedDirectory }) => listedDirectory.length === 0)).toBe(true)
    expect(end).toMatchObject({ state: 'complete', skipped: 1 })
    expect(end!.problems).toMatchObject([{ line: 40_002, message: expect.stringMatching(/size/) }])
  })

  it('says in its health and numbers what it does', async () => {
    expect(scanner.health()).toMatchObject([{ name: 'store', ok: false }])
    await store.start()
    await store.command(command(1, join(tree, 'd1')))
    await store.ended(1)
    await scanner.finishedOnce
    expect(scanner.health()).toMatchObject([{ name: 'store', ok: true }])
    expect(scanner.stats()).toContainEqual({
      name: 'hotpath_scans_completed_total',
      kind: 'counter',
      value: 1,
      labels: [],
    })
    expect(scanner.stats()).toContainEqual({ name: 'hotpath_scans_running', kind: 'gauge', value: 0, labels: [] })
  })
})

describe('the process', () => {
  const main = new URL('../../dist/main.js', import.meta.url).pathname
  const run = (...flags: string[]) =>
    spawnSync(process.execPath, [main, '--data', join(base, 'own-data'), ...flags], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })

  it('prints what it would send', () => {
    writeFileSync(join(base, 'list.txt'), '/x/y\n/x/\u001b[2J\n')
    const root = join(tree, 'd1')
    const { stdout, status } = run('--once', '--dump', '--root', root, '--list', join(base, 'list.txt'))
    expect(status).toBe(0)
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map(text => text.split('\t'))
    const rows = lines
      .slice(
        0,
        lines.findIndex(([word]) => word === 'end'),
      )
      .filter(([word]) => word === 'row')
    const expected = plainWalk(root)
    expect(rows.map(fields => fields.at(-1)).sort()).toEqual(expected.map(({ path }) => basename(path)).sort())
    expect(lines.find(([word]) => word === 'end')).toEqual(['end', '251', '1', '0'])
    expect(lines.filter(([word]) => word === 'listed').length).toBe(1)
    expect(stdout).toContain('\\x1b[2J')
    expect(stdout).not.toContain('\u001b')
  })

  it('ends quietly when its reader has seen enough, and says why a root cannot be read', () => {
    const quoted = [process.execPath, main, '--data', join(base, 'own-data'), '--dump', '--root', tree].map(
      word => `'${word}'`,
    )
    const script = `set -o pipefail; ${quoted.join(' ')} | head -n 2`
    expect(
      execFileSync('bash', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')
        .length,
    ).toBe(3)
    const { status, stdout, stderr } = run('--dump', '--root', join(base, 'absent'))
    expect([status, stdout]).toEqual([69, ''])
    expect(stderr).toMatch(/absent.*ENOENT/)
  })
})
