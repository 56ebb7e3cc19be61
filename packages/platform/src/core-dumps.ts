import { platform } from 'node:os'
import { checked, libc } from './libc.js'

const PR_GET_DUMPABLE = 3
const PR_SET_DUMPABLE = 4

/**
 * From here on this process leaves no core dump, wherever those go, and no other process of this user reads its memory; its own view of /proc
 * stays. Not to be taken back. Does nothing where the system is not Linux. Throws SystemCallError, NativeUnavailableError.
 */
export function forbidCoreDumps(): void {
  if (platform() !== 'linux') return
  checked('prctl', libc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 'PR_SET_DUMPABLE')
}

/** Whether this process would leave a core dump, as far as it decides that itself. */
export function leavesCoreDumps(): boolean {
  return platform() === 'linux' && libc().prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) !== 0
}
