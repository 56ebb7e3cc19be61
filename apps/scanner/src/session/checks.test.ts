import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CheckCommand, ScanCommand } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { factsOf, plainCheck } from '../testing/check-oracle.js'
import { FakeStore, type ReceivedCheck } from '../testing/fake-store.js'
import { Scanner } from './scanner.js'

let base: string
let tree: string
let store: FakeStore
let scanner: Scanner

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'scanner-checks-'))
  tree = join(base, 'tree')
  for (let i = 0; i < 300; i++) mkdirSync(join(tree, `d${i}`, 'inner'), { recursive: true })
  writeFileSync(join(tree, 'd1', 'file'), 'x')
  for (const name of ['skip-me', 'also-skipped', 'data']) mkdirSync(join(tree, name))
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
    threads: 1,
    expectsTrees: true,
    log: silentLogger,
  })
  scanner.start()
  await store.start()
})
afterEach(async () => {
  await scanner.stop()
  await store.close()
})

const options = { excludes: ['skip-me/'], crossFileSystems: false, threads: 0, namesOnly: false }

function checkCommand(check: number, more: Partial<CheckCommand> & { path?: string } = {}): CheckCommand {
  const { path = tree, ...rest } = more
  const root = { id: `tree:${path}`, kind: 'tree' as const, path }
  const nothing = new Uint8Array(0)
  return { root, check, mode: 'full', options, background: false, entriesPerSecond: 0, after: nothing, ...rest }
}

function scanCommand(epoch: number, path: string): ScanCommand {
  return { root: { id: `tree:${path}`, kind: 'tree', path }, epoch, options }
}

const factsIn = ({ batches }: ReceivedCheck) => batches.flatMap(factsOf)
const isKept = (path: string) => !/\/(skip-me|also-skipped|data)$/.test(path)
const metric = (name: string) => scanner.stats().find(stat => stat.name === name)!.value
const isRunning = () => expect.poll(() => metric('hotpath_checks_running'), { timeout: 20_000 }).toBe(1)
const isIdle = () => expect.poll(() => metric('hotpath_checks_running'), { timeout: 20_000 }).toBe(0)

describe('checks of a scanner', () => {
  it('send what the rules of a scan keep, and an end', async () => {
    await store.commandCheck(checkCommand(7))
    const received = await store.checkEnded(7)
    const expected = plainCheck(tree, isKept)
    expect(factsIn(received)).toEqual(expected)
    expect(received.end).toEqual({
      root: `tree:${tree}`,
      check: 7,
      state: 'complete',
      directories: expected.length,
      entries: expected.reduce((sum, { entries }) => sum + Number(entries.split(' ')[0]), 0),
      skipped: 0,
      lastSequence: received.batches.length,
    })
    await store.commandCheck(
      checkCommand(8, {
        mode: 'directories',
        after: received.batches[0]!.paths.slice(0, received.batches[0]!.pathOffsets[1]),
      }),
    )
    const names = await store.checkEnded(8)
    expect(factsIn(names)).toEqual(expected.slice(1).map(fact => ({ ...fact, entries: '' })))
    expect(names.end).toMatchObject({ directories: expected.length - 1, entries: 0 })
  })

  it('stop when they are cancelled, and for a later one of the same root', async () => {
    const slow = { entriesPerSecond: 1 }
    await store.commandCheck(checkCommand(1, slow))
    await isRunning()
    await store.send({ type: 'cancelCheck', value: { root: `tree:${tree}`, check: 1 } })
    await isIdle()
    await store.commandCheck(checkCommand(2, { ...slow, background: true }))
    await isRunning()
    await store.commandCheck(checkCommand(3))
    await store.commandCheck(checkCommand(3))
    expect(factsIn(await store.checkEnded(3))).toEqual(plainCheck(tree, isKept))
    await isIdle()
    expect([...store.checks.keys()]).toEqual([3])
    expect(metric('hotpath_checks_completed_total')).toBe(1)
  })

  it('end with the session, and the next store begins anew', async () => {
    await store.commandCheck(checkCommand(1, { entriesPerSecond: 1 }))
    await isRunning()
    await store.stop()
    await isIdle()
    await store.start()
    await store.commandCheck(checkCommand(2))
    expect(factsIn(await store.checkEnded(2))).toEqual(plainCheck(tree, isKept))
    expect([...store.checks.keys()]).toEqual([2])
  })

  it('let a scan go first, and go on after it', async () => {
    const other = join(base, 'other')
    mkdirSync(other, { recursive: true })
    store.credit = 0
    await store.command(scanCommand(2, other))
    await store.until(() => store.scans.get(2))
    // The scan waits for its credit, so the check waits, too.
    await store.commandCheck(checkCommand(1, { background: true }))
    await isRunning()
    await new Promise(resolve => setTimeout(resolve, 2000))
    expect(store.checks.size).toBe(0)
    store.credit = 2
    const ack = { source: '', receivedSequence: 0, durableSequence: 0, credit: 2, active: false, root: '' }
    await store.send({ type: 'ack', value: { epoch: 2, ...ack } })
    await store.ended(2)
    expect(factsIn(await store.checkEnded(1))).toEqual(plainCheck(tree, isKept))
  })

  it('of what cannot be read are aborted', async () => {
    await store.commandCheck(checkCommand(1, { path: join(base, 'absent') }))
    expect((await store.checkEnded(1)).end).toMatchObject({ state: 'aborted', directories: 0, lastSequence: 0 })
    expect(metric('hotpath_checks_aborted_total')).toBe(1)
  })
})
