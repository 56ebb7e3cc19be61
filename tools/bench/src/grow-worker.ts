import { readFileSync } from 'node:fs'
import { processMemory, releaseMemory } from '@hotpath/platform'
import { buildEngineIndex, openEngine } from './engine-index.js'
import { parseQueries } from './queries.js'
import { timeQueries } from './query-timing.js'
import { spreadOf } from './statistics.js'

/** What a process that built an index and searched it says of itself. */
export interface GrowReport {
  readonly entries: number
  readonly buildMs: number
  readonly mergeMs: number
  readonly sizeBytes: number
  readonly pageP50Ms: number
  readonly pageP99Ms: number
  readonly totalP50Ms: number
  readonly totalP99Ms: number
  /** Anonymous memory when all is done and what was freed is given back. */
  readonly idleBytes: number
}

/** `node grow-worker.js LIST DIRECTORY QUERIES ROUNDS`: builds, searches, prints a GrowReport. A process of its own, so that its memory is its own. */
async function main([listFile, directory, queryFile, rounds]: readonly string[]): Promise<void> {
  const queries = parseQueries(readFileSync(queryFile!, 'utf8'))
  const { store, entries, buildMs, mergeMs, sizes } = await buildEngineIndex(listFile!, directory!)
  const opened = await openEngine(store)
  const times = timeQueries(opened.engine, queries, 'name', Number(rounds))
  const pages = spreadOf(times.map(({ pageMs }) => pageMs))
  const totals = spreadOf(times.map(({ totalMs }) => totalMs))
  releaseMemory()
  const report: GrowReport = {
    entries,
    buildMs,
    mergeMs,
    sizeBytes: sizes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    pageP50Ms: pages.p50,
    pageP99Ms: pages.p99,
    totalP50Ms: totals.p50,
    totalP99Ms: totals.p99,
    idleBytes: processMemory().anonymousBytes,
  }
  await opened.close()
  await store.close()
  process.stdout.write(JSON.stringify(report))
}

await main(process.argv.slice(2))
