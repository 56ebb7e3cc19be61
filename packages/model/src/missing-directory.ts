import type { NodeRef } from './entry-row.js'

/** Upper half of refs of directories that stand for missing ones: no node of a volume has such a number. */
export const MISSING = 0xffff0000

/** The directory of a volume that holds those that stand for missing ones. */
export const ORPHANED_REF: NodeRef = { low: 0, high: MISSING, birth: 0 }
