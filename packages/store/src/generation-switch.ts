import type { ManifestView, ScanFacts } from '@hotpath/index-format'
import type { EngineOp } from '@hotpath/model'
import { UnavailableError } from '@hotpath/model'
import type { CheckpointSchedule } from './checkpoint-schedule.js'
import type { Checkpointer } from './checkpointer.js'
import { freezeView } from './flush.js'
import { followScan } from './follow-scan.js'
import { listRequestsOf } from './list-requests.js'
import type { RootState } from './root-state.js'
import type { ScanSession } from './scan-session.js'
import type { StoreCore } from './store-core.js'
import type { EndScanOptions, FinishedScan } from './store-types.js'
import { activateView } from './view-ops.js'

/**
 * The step in which a scan's view takes the place of the active one.
 *
 * It happens on disk first, in one manifest, and in memory after that: until the manifest is written the old view
 * answers and is what a restart finds; from then on it is the new one. Changes that arrive meanwhile go to both views
 * and to the log, which the new view replays from the moment at which it was frozen.
 */
export class GenerationSwitch {
  constructor(
    private readonly core: Pick<StoreCore, 'options' | 'logs' | 'ops' | 'queue' | 'clock' | 'manifest'>,
    private readonly checkpointer: Pick<Checkpointer, 'write' | 'announce' | 'retire'>,
    private readonly schedule: Pick<CheckpointSchedule, 'noteSwitch' | 'removeOldLogs'>,
  ) {}

  /**
   * Runs as a job of the root, when all slices of the scan are in its view.
   * @throws what broke or aborted the scan, or the error of a file call: the root then has what it had before
   */
  async run(root: RootState, session: ScanSession, options: EndScanOptions): Promise<FinishedScan> {
    const { logs, ops, queue, manifest } = this.core
    const { view } = session
    root.switching = true
    ops.emit(view.takeOps())
    await session.drain(() => ops.emit(view.takeOps()))
    const bootId = view.boots[view.observedFrom.boot]
    const frozen = await queue.whole(() => {
      const broken = view.brokenSegments()[0]?.broken
      if (broken) throw broken
      view.listedAt = undefined
      return freezeView(view, logs.rotate(), [...root.applied])
    })
    const { durable, lastScan, scanReason, partial, wholeUntilMs, journal } = root
    const target: { durable: ManifestView | null } = { durable: null }
    const obsolete = await this.checkpointer.write(target, view, frozen)
    if (session.aborted) throw session.failure ?? new UnavailableError('the scan was aborted')
    root.durable = target.durable
    root.lastScan = this.factsOf(session, bootId, options)
    root.scanReason = ''
    root.partial = false
    root.journal = session.journal ?? null
    if (!root.isWhole) root.wholeUntilMs = root.scanBeganMs
    try {
      await manifest.write()
    } catch (error) {
      Object.assign(root, { durable, lastScan, scanReason, partial, wholeUntilMs, journal })
      throw error
    }
    const clock = this.activate(root, session, partial)
    for (const file of obsolete) await this.core.options.fs.remove(file)
    await this.schedule.removeOldLogs()
    this.schedule.noteSwitch(root)
    return { clock, entries: view.entryCount, listRequests: listRequestsOf(view, view.unlisted) }
  }

  /** The manifest names the view: now queries do, too, and the files of the old one may go. @returns the clock of that */
  private activate(root: RootState, { view }: ScanSession, wasPartial: boolean): number {
    const { clock, ops } = this.core
    const old = root.active
    if (old && view.options.followed) followScan(old, view, view.options.followed)
    root.active = view
    root.closeScan()
    const list: EngineOp[] = [activateView(view, false)]
    if (wasPartial) list.push({ op: 'markPartial', root: root.spec.id, partial: false })
    const step = clock.advance()
    this.checkpointer.announce(old?.segments ?? [])
    ops.emit(list)
    view.endFreeze()
    for (const segment of old?.segments ?? []) this.checkpointer.retire(segment)
    return step
  }

  private factsOf({ view, skippedRows }: ScanSession, bootId: string, options: EndScanOptions): ScanFacts {
    return {
      bootId,
      startedAt: view.observedFrom.time,
      finishedAtMs: (this.core.options.now ?? Date.now)(),
      entries: view.entryCount,
      skipped: (options.skipped ?? 0) + skippedRows,
      listFile: options.listFile ?? null,
    }
  }
}
