import { checkChangeBatch, encodeChangeBatch, WalRecordType } from '@hotpath/index-format'
import { type ChangeBatch, type EngineOp, UnavailableError } from '@hotpath/model'
import { applyBatch, type IgnoredCounts } from './apply.js'
import type { CheckpointSchedule } from './checkpoint-schedule.js'
import type { DamagedSegments } from './damaged-segments.js'
import { joinRequests, listRequestsOf } from './list-requests.js'
import type { ScanGenerations } from './scan-generations.js'
import type { StoreCore } from './store-core.js'
import type { AppliedBatch, ListRequest } from './store-types.js'

const NOTHING_IGNORED: IgnoredCounts = { unknownDirectory: 0, outdated: 0, cycle: 0 }

/**
 * Takes change batches in: applies each to every live view of its root, and appends it to the log.
 *
 * A batch counts once, by source and sequence. It is applied at once and in one step, before it is in the log: what
 * queries see is ahead of what is durable, and `durable` of the answer says when the log has caught up. Only what is in
 * the log is acknowledged as durable. Every batch moves the clock, also one that changes nothing.
 */
export class ChangeIntake {
  constructor(
    private readonly core: Pick<StoreCore, 'writer' | 'roots' | 'wal' | 'clock' | 'ops'>,
    private readonly scans: Pick<ScanGenerations, 'drop'>,
    private readonly schedule: Pick<CheckpointSchedule, 'noteChange'>,
    private readonly damaged: Pick<DamagedSegments, 'setBrokenAside'>,
  ) {}

  /**
   * Cost: a few lookups a row.
   * @throws InvalidInputError if the batch breaks its contract (nothing was applied)
   */
  apply(batch: ChangeBatch): AppliedBatch {
    const { writer, roots, wal, clock, ops } = this.core
    writer.check()
    checkChangeBatch(batch)
    const root = roots.get(batch.root)
    const last = root.applied.get(batch.source) ?? 0
    if (batch.sequence <= last) return this.again()
    const { active, scan } = root
    const written = active || root.switching ? encodeChangeBatch(batch) : undefined
    const list: EngineOp[] = []
    const requests: ListRequest[] = []
    let ignored = NOTHING_IGNORED
    for (const view of [active, scan?.live ? scan.view : undefined]) {
      if (!view) continue
      const result = applyBatch(view, batch)
      ignored = result.ignored
      list.push(...view.takeOps())
      joinRequests(requests, listRequestsOf(view, result.toList))
    }
    if (scan && !scan.live && !scan.keep(batch)) {
      this.scans.drop(root, scan.failure ?? new UnavailableError('scan failed'))
    }
    root.noteApplied(batch.source, batch.sequence)
    const durable = written ? wal.append(WalRecordType.changes, written) : undefined
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
