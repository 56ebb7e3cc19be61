import { type FaultFileSystem, Random } from '@hotpath/testing'
import type { StoreOptions } from '../store-types.js'
import { StoreDriver, stateOf } from './store-driver.js'

export const HISTORY_OPTIONS: Partial<StoreOptions> = { flushRows: 1_000_000, sliceRows: 20, stepRows: 3 }

/** What became of a store on a disk that may fail. */
export interface History {
  readonly driver: StoreDriver
  /** States of the tree, in order. */
  readonly states: { readonly text: string; isAcknowledged: boolean }[]
  /** What ended it early. */
  readonly failure: unknown
}

/** Scan, changes, flushes, a merge, changes; ends with the first call of the store that fails. */
export async function runHistory(fs: FaultFileSystem): Promise<History> {
  const states: History['states'] = []
  const driver = new StoreDriver(new Random(11), fs, HISTORY_OPTIONS)
  const step = async (work: () => Promise<void> | void): Promise<void> => {
    await work()
    const state = { text: stateOf(driver.tree.entries()), isAcknowledged: false }
    states.push(state)
    await driver.settle()
    state.isAcknowledged = true
  }
  try {
    await driver.open()
    for (let i = 0; i < 40; i++) driver.tree.step()
    await driver.beginScan()
    await step(() => driver.endScan())
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5; i++) await step(() => driver.deliver(driver.tree.step()))
      await driver.store.flush()
    }
    await driver.store.compact()
    await step(() => driver.deliver(driver.tree.step()))
    return { driver, states, failure: undefined }
  } catch (failure) {
    return { driver, states, failure }
  }
}
