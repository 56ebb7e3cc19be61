import { DEFAULT_SCORING, type HotTable } from '@hotpath/hot-score'
import { systemFailureOf } from '@hotpath/model'
import { CRASH_DAMAGES, FaultFileSystem, fullDisk } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { HotDb, type OpenedHotDb } from './hot-db.js'

const FILE = '/data/hot.db'
const BATCHES = 8
/** In each batch so many new nodes, and one that was opened before: more than one page, and pages that are written again. */
const NODES = 40
const noFailure = (error: Error): void => {
  throw error
}

const open = (fs: FaultFileSystem, onFailure = noFailure): Promise<OpenedHotDb> =>
  HotDb.open(FILE, DEFAULT_SCORING, onFailure, fs)

function runs(table: HotTable): Map<number, number> {
  const found = new Map<number, number>()
  table.forEach(slot => {
    found.set(table.keyAt(slot).low, table.runsAt(slot))
  })
  return found
}

function openNodes(table: HotTable, batch: number): void {
  for (let i = 0; i < NODES; i++) table.open(1, 1 + batch * NODES + i, 0, 7, 1_000 + batch)
  table.open(1, 1, 0, 7, 1_000 + batch)
}

/** What is on disk after each batch, and with how many operations. */
async function record(fs: FaultFileSystem): Promise<{ after: number; runs: Map<number, number> }[]> {
  const states: { after: number; runs: Map<number, number> }[] = [{ after: 0, runs: new Map() }]
  const { db, table } = await open(fs)
  for (let batch = 0; batch < BATCHES; batch++) {
    openNodes(table, batch)
    await db.write()
    states.push({ after: fs.operationCount, runs: runs(table) })
  }
  await db.close()
  return states
}

describe('hot records after a crash', () => {
  it.each(CRASH_DAMAGES)('are those of every written batch, at each operation (%s)', async damage => {
    const fs = new FaultFileSystem()
    const states = await record(fs)
    let crashes = 0
    for (let at = 0; at <= fs.operationCount; at++) {
      const tears = damage === 'tornWrite' ? fs.tearsAt(at) : 1
      for (let tear = 0; tear < tears; tear++) {
        crashes++
        const where = `${damage} ${tear} before operation ${at}`
        const written = states.findLastIndex(state => state.after <= at)
        const crashed = fs.crash(at, damage, tear)
        const { db, table, damaged, setAside } = await open(crashed)
        expect([damaged, setAside], where).toEqual([0, undefined])
        const found = runs(table)
        const next = states[Math.min(written + 1, BATCHES)].runs
        for (const [node, count] of states[written].runs) expect(found.get(node), where).toBeGreaterThanOrEqual(count)
        for (const [node, count] of found) expect(count, where).toBeLessThanOrEqual(next.get(node) ?? 0)
        await db.write()
        await db.close()
        expect(crashed.openFiles).toBe(0)
        expect(crashed.paths().filter(path => path.endsWith('.damaged'))).toEqual([])
        const again = await open(crashed.crash(crashed.operationCount, 'unsyncedNames'))
        expect(runs(again.table), where).toEqual(found)
        await again.db.close()
      }
    }
    expect(crashes).toBeGreaterThanOrEqual(fs.operationCount >> 1)
  })
})

describe('hot records whose disk fails', () => {
  it.each([
    ['ENOSPC', true],
    ['EMFILE', true],
    ['EIO', false],
  ])('at any call are kept in memory (%s), and written when it may be', async (code, heals) => {
    const clean = new FaultFileSystem()
    await record(clean)
    for (let at = 0; at < clean.calls; at++) {
      const where = `${code} at call ${at}`
      const fs = new FaultFileSystem()
      fs.plan = call => (call.index === at ? code : undefined)
      const failures: Error[] = []
      const opened = await open(fs, error => failures.push(error)).catch((error: unknown) => {
        expect(systemFailureOf(error)?.code, where).toBe(code)
        return undefined
      })
      if (!opened) continue
      const { db, table } = opened
      for (let batch = 0; batch < BATCHES; batch++) {
        openNodes(table, batch)
        await db.write()
      }
      const isSync = ['fdatasync', 'fsync'].includes(systemFailureOf(failures[0])?.call ?? '')
      if (failures.length > 0) {
        const { operationCount } = fs
        await db.write()
        expect(fs.operationCount, where).toBe(operationCount)
        await db.tryAgain()
        if (heals && !isSync) expect(db.failure, where).toBeUndefined()
        else expect([db.failure, fs.operationCount], where).toEqual([failures[0], operationCount])
      }
      await db.close().catch((error: unknown) => expect(systemFailureOf(error)?.code, where).toBe(code))
      expect(fs.openFiles, where).toBe(0)
      const again = await open(fs.crash(fs.operationCount, 'unsyncedNames'))
      if (db.failure === undefined) expect(runs(again.table), where).toEqual(runs(table))
      expect([again.damaged, again.setAside], where).toEqual([0, undefined])
      await again.db.close()
    }
  })

  it('wait for room, and for all of it', async () => {
    const fs = new FaultFileSystem()
    fs.plan = fullDisk
    const failures: Error[] = []
    const { db, table } = await open(fs, error => failures.push(error))
    openNodes(table, 0)
    await db.write()
    await db.tryAgain()
    expect(failures).toHaveLength(2)
    expect(db.lack).toBe('room')
    expect(fs.paths()).toEqual([])
    fs.plan = () => undefined
    await db.tryAgain()
    expect(db.failure).toBeUndefined()
    await db.close()
    const again = await open(fs.crash(fs.operationCount, 'unsyncedNames'))
    expect(runs(again.table)).toEqual(runs(table))
    await again.db.close()
  })
})
