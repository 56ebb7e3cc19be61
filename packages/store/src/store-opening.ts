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
 * Opening, in two halves. The first reads what is there (Recovery) and begins a new log file; the second, when a store is
 * built around that, makes durable what was read of damaged files and removes what nothing names. Until the second
 * half's manifest is on disk nothing is removed, so that an opening that dies can be done again.
 */

/** @throws UnsupportedVersionError, or the error of a file call */
export async function openFiles(options: StoreOptions): Promise<OpenedFiles & { readonly report: OpenReport }> {
  const { fs, directory } = options
  const recovered = await new Recovery(fs, options.backend, directory, options.followed).run()
  const { damaged, replayedRecords, replayedRows } = recovered
  const numbers = StoreNumbers.after(recovered.manifest, await fs.list(directory))
  const writer = new WriterState()
  const filled = await fillGaps(options, numbers.storeId, recovered)
  const wal = await WalWriter.create(fs, directory, numbers.storeId, recovered.nextWal, error => writer.fail(error))
  // Damaged log files are set aside, not removed.
  const aside = new Set(damaged.map(({ name }) => name))
  const sealed = [...recovered.walNumbers, ...filled].filter(number => !aside.has(walName(number)))
  return {
    roots: new Roots(recovered.roots),
    numbers,
    writer,
    wal,
    logs: new LogFiles(fs, directory, wal, sealed),
    report: { damaged, removedOrphans: [], replayedRecords, replayedRows },
  }
}

/** Log files whose numbers were given out but that were never made would look like lost ones later. @returns their numbers */
async function fillGaps({ fs, directory }: StoreOptions, storeId: string, recovered: Recovered): Promise<number[]> {
  const { firstWal, nextWal, walNumbers } = recovered
  const made: number[] = []
  for (let number = Math.max(firstWal, ...walNumbers.map(n => n + 1)); number < nextWal; number++) {
    await (await WalWriter.create(fs, directory, storeId, number, () => {})).close()
    made.push(number)
  }
  return made
}

/** The second half. `flush` makes a root's view durable. @throws the error of a file call */
export async function settleFiles(
  core: Pick<StoreCore, 'options' | 'log' | 'roots' | 'logs' | 'manifest'>,
  report: OpenReport,
  flush: (root: RootState) => Promise<void>,
): Promise<void> {
  const { fs, directory } = core.options
  const pending = report.damaged.filter(file => file.pending)
  if (pending.length > 0) {
    for (const root of core.roots) if (root.active) await flush(root)
    for (const { name } of pending) await fs.rename(`${directory}/${name}`, `${directory}/${name}${DAMAGED_SUFFIX}`)
  }
  await core.manifest.write()
  report.removedOrphans.push(...(await removeOrphans(core)))
  for (const { name, reason } of report.damaged) core.log.warn('damaged file set aside', { file: name, reason })
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
