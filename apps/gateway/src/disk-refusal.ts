import { systemFailureOf } from '@hotpath/model'

const REFUSALS: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EROFS']

/** True if the disk takes nothing: it is full, or read-only. What was there before is there still. */
export function isDiskRefusal(error: unknown): boolean {
  return REFUSALS.includes(systemFailureOf(error)?.code)
}
