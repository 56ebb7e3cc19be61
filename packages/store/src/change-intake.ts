import { checkChangeBatch, encodeChangeBatch, WalRecordType } from '@hotpath/index-format'
import { type ChangeBatch, type EngineOp, UnavailableError } from '@hotpath/model'
import { applyInSteps, STEP_ROWS } from './apply.js'
import type { Steps } from './apply-queue.js'
import type { IgnoredCounts } from './batch-applier.js'
import type { CheckpointSchedule } from './checkpoint-schedule.js'
import type { DamagedSegments } from './damaged-segments.js'
import { joinRequests, listRequestsOf } from './list-requests.js'
import type { RootState } from './root-state.js'
import type { ScanGenerations } from './scan-generations.js'
import type { StoreCore } from './store-core.js'
import type { AppliedBatch, ListRequest } from './store-types.js'
import type { View } from './view.js'

const NOTHING_IGNORED: IgnoredCounts = { unknownDirectory: 0, outdated: 0, cycle: 0 }

/**
 * Takes change batches in: applies each to every live view of its root, and appends it to the log.
 *
 * A batch counts once, by source and sequence. Batches are applied one after the other, each in steps with turns of the
 * event loop between them (ApplyQueue); queries see all of a batch or nothing, because its operations are told at its end.
 * That may be before it is in the log: what queries see is ahead of what is durable, and `durable` of the answer says when
 * the log has caught up. Only what is in the log is acknowledged as durable. Every batch moves the clock, also one that
 * changes nothing.
 */
export class ChangeIntake {
  constructor(
    private readonly core: Pick<StoreCore, 'options' | 'writer' | 'roots' | 'wal' | 'clock' | 'ops' | 'queue'>,
    private readonly scans: Pick<ScanGenerations, 'drop'>,
    private readonly schedule: Pick<CheckpointSchedule, 'noteChange'>,
    private readonly damaged: Pick<DamagedSegments, 'setBrokenAside'>,
  ) {}

  /**
   * Resolves when queries see the batch. Cost: a few lookups a row.
   * @throws InvalidInputError if the batch breaks its contract (nothing was applied)
   */
  async apply(batch: ChangeBatch): Promise<AppliedBatch> {
    this.core.writer.check()
    checkChangeBatch(batch)
    return await this.core.queue.run(() => this.steps(batch))
  }

  private *steps(batch: ChangeBatch): Steps<AppliedBatch> {
    const { options, writer, roots, wal, clock, ops } = this.core
    writer.check()
    const root = roots.get(batch.root)
    const last = root.applied.get(batch.source) ?? 0
    if (batch.sequence <= last) return this.again()
    const { active, scan } = root
    const written = active || root.switching ? encodeChangeBatch(batch) : undefined
    // It is synced while it is being applied.
    const durable = written ? wal.append(WalRecordType.changes, written) : undefined
    durable?.catch(() => {})
    const views = [active, scan?.live ? scan.view : undefined].filter(view => view !== undefined)
    if (scan && !scan.live && !scan.keep(batch)) {
      this.scans.drop(root, scan.failure ?? new UnavailableError('scan failed'))
    }
    let ignored = NOTHING_IGNORED
    const toList: [View, Set<number>][] = []
    for (const view of views) {
      const result = yield* applyInSteps(view, batch, options.stepRows ?? STEP_ROWS)
      ignored = result.ignored
      toList.push([view, result.toList])
    }
    const list: EngineOp[] = []
    const requests: ListRequest[] = []
    for (const [view, dirIds] of toList) {
      const told = view.takeOps()
      if (!isKept(root, view)) continue
      list.push(...told)
      joinRequests(requests, listRequestsOf(view, dirIds))
    }
    root.noteApplied(batch.source, batch.sequence)
    const step = clock.advance(durable)
    ops.emit(list)
    this.damaged.setBrokenAside(root)
    this.schedule.noteChange(root, written?.length ?? 0)
    return {
      clock: step,
      duplicate: false,
      gap: last > 0 && batch.sequence > last + 1,
      ignored,
      listRequests: requests,
      durable: durable ?? clock.whenDurable(step),
    }
  }

  /** A batch that was here before is acknowledged again, when everything before now is durable. */
  private again(): AppliedBatch {
    const { applied } = this.core.clock
    const durable = this.core.clock.whenDurable(applied)
    durable.catch(() => {})
    return { clock: applied, duplicate: true, gap: false, ignored: NOTHING_IGNORED, listRequests: [], durable }
  }
}

/** A view can go while a batch is applied to it: queries do not know it then. */
function isKept(root: RootState, view: View): boolean {
  return root.active === view || root.scan?.view === view
}
