import { CRASH_DAMAGES, Random } from '@hotpath/testing'
import { StoreDriver, turns } from './store-driver.js'

const STEPS = 60

export interface SequenceCounts {
  compared: number
  kills: number
  scans: number
}

/** What a test does besides. */
export interface SequenceHooks {
  trace?(what: string, detail?: unknown): void
  /** The store was opened, for the first time or again. */
  opened?(driver: StoreDriver): void
  /** The store knows what the tree is, and was found to agree with it. */
  compared?(driver: StoreDriver): void
}

/** One random sequence; compares with the tree after each step at which the store can know it. */
export async function runSequence(seed: number, hooks: SequenceHooks = {}): Promise<SequenceCounts> {
  const random = new Random(seed)
  const trace = (what: string, detail?: unknown): void => hooks.trace?.(what, detail)
  const driver = new StoreDriver(random, undefined, {
    flushRows: 8 + random.below(60),
    sliceRows: 5 + random.below(40),
    maxWalBytes: 20_000,
    stepRows: 1 + random.below(8),
    compaction: {
      segmentsPerTier: 2 + random.below(3),
      maxSegments: 5,
      maxStale: random.pick([0, 1, 3, 20]),
      maxDeadShare: 0.3,
    },
  })
  driver.onOpen = () => hooks.opened?.(driver)
  await driver.open()
  const counts = { compared: 0, kills: 0, scans: 0 }
  for (let left = 10 + random.below(80); left > 0; left--) driver.tree.step()
  let scanAgain = true
  // Half of the upkeep runs beside the steps that follow; a kill takes it along.
  const upkeep = async (work: Promise<void>): Promise<void> => {
    work.catch(() => {})
    if (random.chance(0.5)) await work
    else await turns(random.below(8))
  }
  for (let step = 0; step < STEPS; step++) {
    if (random.chance(0.3)) await turns(1)
    if (!driver.scan && (scanAgain || random.chance(0.04))) {
      await driver.beginScan(random.chance(0.5))
      scanAgain = false
      counts.scans++
    }
    const roll = random.below(100)
    trace(`step ${step}: ${roll}`)
    if (roll < 62) {
      const delay = random.chance(0.3)
      const together = random.chance(0.5)
      const batches = Array.from({ length: 1 + random.below(4) }, () => driver.tree.step())
      trace('changes', batches.flat())
      if (!delay) await driver.deliverDelayed()
      for (const changes of together ? [batches.flat()] : batches) {
        if (delay) driver.delayed.push(changes)
        else if (random.chance(0.5)) driver.deliverMeanwhile(changes)
        else await driver.deliver(changes)
      }
    } else if (roll < 74) driver.scanStep()
    else if (roll < 79) {
      // What happened while the directories were listed may be told later than the scan's end.
      if (random.chance(0.5)) await driver.deliverDelayed()
      await driver.endScan()
    } else if (roll < 84) await upkeep(driver.store.flush())
    else if (roll < 87) await upkeep(driver.store.compact())
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
    } else await driver.deliverDelayed()
    if (driver.complete && driver.delayed.length === 0 && driver.store.rootStatus()[0].lastScan) {
      await driver.applied()
      driver.compare()
      if (random.chance(0.3)) driver.checkStale()
      counts.compared++
      hooks.compared?.(driver)
      if (random.chance(0.1)) driver.compareSnapshot()
    }
  }
  await driver.deliverDelayed()
  await driver.applied()
  if (!driver.scan && !driver.store.rootStatus()[0].lastScan) await driver.beginScan()
  await driver.endScan()
  driver.compare()
  await driver.settle()
  await driver.store.compact()
  driver.compare()
  driver.checkStale()
  driver.compareSnapshot()
  await driver.store.close()
  if (driver.fs.openFiles > 0) throw new Error(`${driver.fs.openFiles} files are still open`)
  return counts
}
