import { platform } from 'node:os'
import { Errno, errnoName } from './errno.js'
import { koffi } from './foreign.js'
import { errno, nativeProblem } from './libc.js'
import { takeBackgroundPriority } from './windows/background-priority.js'

const SCHED_BATCH = 3
const SCHED_IDLE = 5
const IOPRIO_WHO_PROCESS = 1
const IOPRIO_CLASS_IDLE = 3
const IOPRIO_CLASS_SHIFT = 13
/** Number of ioprio_set(2), which no C library wraps. */
const SYS_IOPRIO_SET: Partial<Record<NodeJS.Architecture, number>> = { x64: 251, arm64: 30 }

/**
 * Has the calling thread, alone of its process, take a processor from nobody when it wakes up (SCHED_BATCH): it starts when one is free, or
 * when its turn comes. Not to be taken back by it. Does nothing where the system is not Linux or refuses it.
 */
export function giveWayOnWaking(): void {
  if (platform() !== 'linux' || nativeProblem() !== null) return
  koffi().load(null).func('int sched_setscheduler(int pid, int policy, const int *param)')(
    0,
    SCHED_BATCH,
    new Int32Array(1),
  )
}

/**
 * Makes the calling thread, alone of its process, run and read only when nobody else wants to (SCHED_IDLE and
 * IOPRIO_CLASS_IDLE, on Windows background mode); on Linux new threads that it starts inherit that. Returns what was refused, for
 * people: the thread goes on all the same. Not to be taken back. Cost: two system calls.
 */
export function takeIdlePriority(): string[] {
  if (platform() === 'win32') return takeBackgroundPriority()
  const problem = nativeProblem()
  if (problem !== null) return [problem.message]
  const library = koffi().load(null)
  const refused: string[] = []
  const note = (call: string, result: number) => {
    if (result === -1) refused.push(`${call}: ${errnoName(errno())}`)
  }
  const setScheduler = library.func('int sched_setscheduler(int pid, int policy, const int *param)')
  note('sched_setscheduler', setScheduler(0, SCHED_IDLE, new Int32Array(1)))
  const call = SYS_IOPRIO_SET[process.arch]
  if (call === undefined) return [...refused, `ioprio_set: ${errnoName(Errno.EOPNOTSUPP)} on ${process.arch}`]
  const setPriority = library.func('long syscall(long call, long which, long who, long priority)')
  note('ioprio_set', setPriority(call, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT))
  return refused
}
