import type { ChangeBatch } from '@hotpath/model'
import { applyInSteps } from './apply.js'
import { turn } from './apply-queue.js'
import { presentDirectories } from './batch-contents.js'
import type { View } from './view.js'

/**
 * Change batches that wait while a scan builds its view: only when every directory's listing time is known can be said
 * which of scan and change saw a name last. They are applied in the order in which they came, each once; a batch either
 * waits here or, from the moment on at which `areApplied` is true, is for the view itself. None is in between.
 */
export class WaitingChanges {
  private readonly batches: ChangeBatch[] = []
  private rows = 0
  private applied = false

  /**
   * @param maxRows rows that are kept at most, over all batches
   * @param stepRows rows that are applied in one turn of the event loop
   */
  constructor(
    private readonly maxRows: number,
    private readonly stepRows: number,
  ) {}

  /** All batches are in the view, and none may be kept any more. */
  get areApplied(): boolean {
    return this.applied
  }

  /** @returns false if there are too many now */
  keep(batch: ChangeBatch): boolean {
    this.batches.push(batch)
    this.rows += batch.changes.entries.count
    return this.rows <= this.maxRows
  }

  clear(): void {
    this.batches.length = 0
  }

  /**
   * Applies all batches to a view, at most one a turn of the event loop, also those that are kept meanwhile; `applied` is
   * called after each in the same turn, `check` may stop it by throwing, also within a batch.
   */
  async applyTo(view: View, applied: () => void, check: () => void): Promise<void> {
    const { batches } = this
    /** Where a directory is called present last: what it leaves before that is a move. */
    const last = new Map<string, readonly [batch: number, row: number]>()
    for (let next = 0, indexed = 0; next < batches.length; next++) {
      for (; indexed < batches.length; indexed++) {
        for (const [ref, row] of presentDirectories(batches[indexed].changes)) last.set(ref, [indexed, row])
      }
      const steps = applyInSteps(view, batches[next], this.stepRows, (ref, row) => {
        const at = last.get(ref)
        return at !== undefined && (at[0] > next || (at[0] === next && at[1] > row))
      })
      while (!steps.next().done) {
        await turn()
        check()
      }
      applied()
      await turn()
      check()
    }
    this.clear()
    // In the turn in which no batch was left: one that comes before the promise is seen to resolve would be lost.
    this.applied = true
  }
}
