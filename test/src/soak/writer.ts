import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { TreeWriter, type WriterOptions } from './tree-writer.js'

/** What one writer process does. */
export type WriterWork = WriterOptions & {
  /** Successful operations in all, and at most so many a second (0: as fast as it can). */
  readonly operations: number
  readonly perSecond: number
  /** Only creates files, in a directory beside `own`. */
  readonly createsOnly: boolean
}

export interface WriterReport {
  readonly done: number
  readonly seconds: number
  /** See `TreeWriter.lastOperations`. */
  readonly lastOperations: readonly string[]
}

/** Looks at the clock after so many operations. */
const BURST = 20

/** Runs as a process of its own, does its work without ever waiting for its event loop, and reports. */
async function main(work: WriterWork): Promise<void> {
  const writer = new TreeWriter(work)
  let made = 0
  const beside = `${work.own}-created`
  const create = (): boolean => {
    closeSync(openSync(join(beside, `${made++}`), 'wx'))
    return true
  }
  const step = work.createsOnly ? create : () => writer.step()
  if (work.createsOnly) mkdirSync(beside)
  const startedAtMs = performance.now()
  let done = 0
  while (done < work.operations) {
    if (step()) done++
    else continue
    if (work.perSecond === 0 || done % BURST !== 0) continue
    const aheadMs = (done / work.perSecond) * 1_000 - (performance.now() - startedAtMs)
    if (aheadMs > 0) await new Promise(resolve => setTimeout(resolve, aheadMs))
  }
  const seconds = (performance.now() - startedAtMs) / 1_000
  const report: WriterReport = { done, seconds, lastOperations: writer.lastOperations }
  process.send?.(report, () => process.disconnect())
}

await main(JSON.parse(process.argv[2] ?? '') as WriterWork)
