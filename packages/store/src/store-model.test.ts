import { CRASH_DAMAGES, Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { StoreDriver } from './testing/store-driver.js'

/** Sequences of a normal run take some seconds; SOAK=1 runs what the promise names. */
const SEQUENCES = process.env.SOAK ? 2000 : 150
const STEPS = 60
const FIRST_SEED = Number(process.env.SEED ?? 1)

/** One random sequence; compares with the tree after each step at which the store can know it. */
async function runSequence(seed: number): Promise<{ compared: number; kills: number; scans: number }> {
  const random = new Random(seed)
  const driver = new StoreDriver(random, undefined, {
    flushRows: 8 + random.below(30),
    sliceRows: 5 + random.below(40),
    maxWalBytes: 20_000,
    compaction: { segmentsPerTier: 2 + random.below(3), maxSegments: 5, maxStale: random.below(6), maxDeadShare: 0.3 },
  })
  await driver.open()
  const counts = { compared: 0, kills: 0, scans: 0 }
  for (let i = 0; i < random.below(60); i++) driver.tree.step()
  let scanAgain = true
  for (let step = 0; step < STEPS; step++) {
    if (!driver.scan && (scanAgain || random.chance(0.04))) {
      await driver.beginScan(random.chance(0.5))
      scanAgain = false
      counts.scans++
    }
    const roll = random.below(100)
    if (roll < 62) {
      const changes = driver.tree.step()
      if (random.chance(0.3)) driver.delayed.push(changes)
      else {
        driver.deliverDelayed()
        driver.deliver(changes)
      }
    } else if (roll < 74) driver.scanStep()
    else if (roll < 79) {
      // What happened while the directories were listed may be told later than the scan's end.
      if (random.chance(0.5)) driver.deliverDelayed()
      await driver.endScan()
    } else if (roll < 84) await driver.store.flush()
    else if (roll < 87) await driver.store.compact()
    else if (roll < 90) await driver.settle()
    else if (roll < 94) {
      if (random.chance(0.5)) await driver.settle()
      else for (let turn = random.below(20); turn > 0; turn--) await Promise.resolve()
      const hadScan = driver.scan !== undefined
      await driver.killAndReopen(random.pick(CRASH_DAMAGES))
      counts.kills++
      scanAgain = hadScan || driver.store.rootStatus()[0].scanReason !== ''
    } else if (roll < 96) {
      const hadScan = driver.scan !== undefined
      await driver.closeAndReopen()
      scanAgain = hadScan || driver.store.rootStatus()[0].scanReason !== ''
    } else driver.deliverDelayed()
    if (driver.complete && driver.delayed.length === 0 && driver.store.rootStatus()[0].lastScan) {
      driver.compare()
      counts.compared++
      if (random.chance(0.1)) driver.compareSnapshot()
    }
  }
  driver.deliverDelayed()
  if (!driver.scan && !driver.store.rootStatus()[0].lastScan) await driver.beginScan()
  await driver.endScan()
  driver.compare()
  await driver.settle()
  await driver.store.compact()
  driver.compare()
  driver.compareSnapshot()
  await driver.store.close()
  expect(driver.fs.openFiles).toBe(0)
  return counts
}

describe('the store against a plain tree', () => {
  it(`agrees after each step of ${SEQUENCES} random sequences`, { timeout: 3_600_000 }, async () => {
    const total = { compared: 0, kills: 0, scans: 0 }
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) {
      try {
        const counts = await runSequence(seed)
        total.compared += counts.compared
        total.kills += counts.kills
        total.scans += counts.scans
      } catch (error) {
        throw new Error(`SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
      }
    }
    expect(total.compared).toBeGreaterThan(SEQUENCES * 10)
    expect(total.kills).toBeGreaterThan(SEQUENCES / 2)
    expect(total.scans).toBeGreaterThan(SEQUENCES)
  })
})
