import { FaultFileSystem, Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { DATA, StoreDriver } from './testing/store-driver.js'

const OPENS = 50

async function opened(): Promise<StoreDriver> {
  const driver = new StoreDriver(new Random(7), new FaultFileSystem(), { flushRows: 1_000_000, sliceRows: 20 })
  await driver.open()
  for (let i = 0; i < 40; i++) driver.tree.step()
  await driver.beginScan()
  await driver.endScan()
  await driver.store.flush()
  return driver
}

const logFiles = (driver: StoreDriver): string[] => driver.fs.paths().filter(path => path.endsWith('.log'))

describe(`the log after ${OPENS} openings`, () => {
  it('is what it was where nothing was written', async () => {
    const driver = await opened()
    for (let i = 0; i < OPENS; i++) {
      await driver.closeAndReopen()
      expect(logFiles(driver).length).toBeLessThanOrEqual(2)
    }
    driver.compare()
    await driver.store.close()
    expect(driver.fs.openFiles).toBe(0)
  })

  it('is what it was where each was killed at once', async () => {
    const driver = await opened()
    for (let i = 0; i < OPENS; i++) {
      await driver.killAndReopen('none')
      expect(logFiles(driver).length).toBeLessThanOrEqual(2)
    }
    driver.compare()
    await driver.store.close()
  })

  it('is a few files where each wrote a little and made no checkpoint', async () => {
    const driver = await opened()
    for (let i = 0; i < OPENS; i++) {
      await driver.deliver(driver.tree.listing(driver.tree.root))
      await driver.closeAndReopen()
      expect(logFiles(driver).length).toBeLessThanOrEqual(10)
    }
    driver.compare()
    await driver.store.close()
    expect(driver.fs.paths().filter(path => path.startsWith(DATA)).length).toBeLessThan(40)
  })
})
