import { LogFiles } from './log-files.js'
import { type Recovered, Recovery } from './recovery.js'
import type { RootState } from './root-state.js'
import { Roots } from './roots.js'
import type { OpenedFiles, StoreCore } from './store-core.js'
import { DAMAGED_SUFFIX, isStoreFile, MANIFEST_NAME, segmentName, tombstoneName, walName } from './store-files.js'
import { StoreNumbers } from './store-numbers.js'
import type { OpenReport, StoreOptions } from './store-types.js'
import { WalWriter } from './wal-writer.js'
import { WriterState } from './writer-state.js'

/**
 * Opening, in two halves. The first only reads (Recovery): what it makes can answer queries. The second, when a store is
 * built around that, repairs what was found, begins a log file (the last one anew if it holds no record), makes durable
 * what was read of damaged files and removes what nothing names. Until its manifest is on disk nothing that was good is
 * removed, so that an opening that dies can be done again; where the disk takes nothing, the second half can be left undone.
 */

export interface ReadFiles extends OpenedFiles {
  readonly recovered: Recovered
  readonly report: OpenReport
}

/** The first half. @throws UnsupportedVersionError, or the error of a file call */
export async function readFiles(options: StoreOptions): Promise<ReadFiles> {
  const { fs, directory } = options
  const recovered = await new Recovery(fs, options.backend, directory, options.followed).run()
  const { damaged, replayedRecords, replayedRows } = recovered
  const numbers = StoreNumbers.after(recovered.manifest, await fs.list(directory))
  const writer = new WriterState()
  const wal = new WalWriter(fs, directory, numbers.storeId, recovered.nextWal, error => writer.fail(error))
  // Damaged log files are set aside, not removed.
  const aside = new Set(damaged.map(({ name }) => name))
  const sealed = [...recovered.walNumbers, ...gapsOf(recovered)].filter(number => !aside.has(walName(number)))
  return {
    recovered,
    roots: new Roots(recovered.roots),
    numbers,
    writer,
    wal,
    logs: new LogFiles(fs, directory, wal, sealed),
    report: { damaged, removedOrphans: [], replayedRecords, replayedRows },
  }
}

/** Numbers of log files that were given out, but that were never made: they would look like lost files later. */
function gapsOf({ firstWal, nextWal, walNumbers }: Recovered): number[] {
  const first = Math.max(firstWal, ...walNumbers.map(number => number + 1))
  return Array.from({ length: Math.max(0, nextWal - first) }, (_, i) => first + i)
}

/** The second half. `flush` makes a root's view durable. @throws the error of a file call: nothing may be written then */
export async function settleFiles(
  core: Pick<StoreCore, 'options' | 'log' | 'roots' | 'numbers' | 'wal' | 'logs' | 'manifest'>,
  { recovered, report }: Pick<ReadFiles, 'recovered' | 'report'>,
  flush: (root: RootState) => Promise<void>,
): Promise<void> {
  const { fs, directory } = core.options
  for (const repair of recovered.repairs) await repair()
  for (const number of gapsOf(recovered)) await makeLogFile(core, number)
  await core.wal.begin()
  const pending = report.damaged.filter(file => file.pending)
  if (pending.length > 0) {
    for (const root of core.roots) if (root.active) await flush(root)
    for (const { name } of pending) await fs.rename(`${directory}/${name}`, `${directory}/${name}${DAMAGED_SUFFIX}`)
  }
  await core.manifest.write()
  report.removedOrphans.push(...(await removeOrphans(core)))
  for (const { name, reason } of report.damaged) core.log.warn('damaged file set aside', { file: name, reason })
}

/** Makes a log file without records. */
async function makeLogFile(
  { options, numbers }: Pick<StoreCore, 'options' | 'numbers'>,
  number: number,
): Promise<void> {
  const file = new WalWriter(options.fs, options.directory, numbers.storeId, number, error => error)
  try {
    await file.begin()
  } finally {
    await file.close()
  }
}

/** Removes files of ours that neither the manifest nor the log names. @returns their names */
async function removeOrphans({
  options,
  roots,
  logs,
}: Pick<StoreCore, 'options' | 'roots' | 'logs'>): Promise<string[]> {
  const { fs, directory } = options
  const kept = new Set([MANIFEST_NAME, ...logs.names()])
  for (const { durable } of roots) {
    for (const segment of durable?.segments ?? []) {
      kept.add(segmentName(segment.id))
      if (segment.deadGeneration > 0) kept.add(tombstoneName(segment.id, segment.deadGeneration))
    }
  }
  const removed = (await fs.list(directory)).filter(name => !kept.has(name) && isStoreFile(name))
  for (const name of removed) await fs.remove(`${directory}/${name}`)
  await fs.syncDirectory(directory)
  return removed
}
