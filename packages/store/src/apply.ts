import type { ChangeBatch } from '@hotpath/model'
import type { Steps } from './apply-queue.js'
import { type ApplyResult, BatchApplier } from './batch-applier.js'
import type { FollowedLater } from './removals.js'
import type { View } from './view.js'

/**
 * Applies a batch of observations to a view. Applying it again changes nothing.
 * Cost: a few lookups a row; deleting a directory costs ranges, not entries.
 */
export function applyBatch(view: View, batch: ChangeBatch, followed?: FollowedLater): ApplyResult {
  const steps = applyInSteps(view, batch, Number.POSITIVE_INFINITY, followed)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * Rows that are applied in one turn of the event loop: a millisecond or two where they have to be looked for in ten
 * segments.
 */
export const STEP_ROWS = 128

/** As `applyBatch`, `stepRows` rows a step. Until the last one the view holds half of the batch. */
export function applyInSteps(
  view: View,
  batch: ChangeBatch,
  stepRows: number,
  followed?: FollowedLater,
): Steps<ApplyResult> {
  return new BatchApplier(view, batch, followed).run(stepRows)
}
