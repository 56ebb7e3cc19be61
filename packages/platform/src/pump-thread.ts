import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { EventJournal } from './event-journal.js'
import { EventReader } from './event-reader.js'
import { errno, libc } from './libc.js'
import { createArena } from './memory.js'
import { PumpControl, type PumpedFd } from './pump-control.js'

export interface PumpThreadData {
  readonly control: SharedArrayBuffer
  readonly journalFd: number
  /** An eventfd that is written when there is news in `control`. */
  readonly commandFd: number
  /** /proc/self/mountinfo. */
  readonly mountsFd: number
}

const POLLIN = 0x1
const POLLPRI = 0x2
const POLLERR = 0x8
/** fd (4), events (2), revents (2). */
const POLL_BYTES = 8
const MAX_POLLED = 512
/**
 * After events were read others are left where they are for so long, and then read without being waited for, until so many reads in a row bring nothing. Whoever writes all the time then wakes
 * nobody, which took a writer of small transactions a fifth of his time, and what he does again and again becomes one event.
 */
const REST = { forMs: 5, idleReads: 3 }

/**
 * Waits for events and reads them into the journal until it is told to stop. It sleeps in poll(2) without a time-out once nothing has come for
 * a while: where nothing happens it costs nothing. `wake` is called once until the other thread says that it has woken up.
 */
export function runPump({ control: memory, journalFd, commandFd, mountsFd }: PumpThreadData, wake: () => void): void {
  const control = new PumpControl(memory)
  const journal = new EventJournal(journalFd)
  const reader = new EventReader(journal, control)
  const polled = createArena(POLL_BYTES * MAX_POLLED)
  const command = createArena(8)
  control.begin()
  const put = (index: number, fd: number, events: number) => {
    polled.view.setInt32(index * POLL_BYTES, fd, true)
    polled.view.setUint32(index * POLL_BYTES + 4, events, true)
  }
  const happened = (index: number) => polled.view.getUint16(index * POLL_BYTES + 6, true)
  let idleReads = Number.POSITIVE_INFINITY
  while (!control.isStopped) {
    const rests = idleReads < REST.idleReads && !control.isFull
    // One that is not read stays readable: it would keep poll from sleeping.
    const mustWait = ({ isLimited }: PumpedFd) => control.isFull && !isLimited
    const queues = rests ? [] : control.queues().filter(queue => !mustWait(queue))
    put(0, commandFd, POLLIN)
    put(1, mountsFd, POLLPRI)
    queues.forEach(({ fd }, i) => {
      put(i + 2, fd, POLLIN)
    })
    if (libc().poll(polled.address, queues.length + 2, rests ? REST.forMs : -1) === -1) {
      const reason = errno()
      if (reason === Errno.EINTR) continue
      throw new SystemCallError('poll', reason)
    }
    if (control.isStopped) break
    if (happened(0) !== 0) libc().read(commandFd, command.address, 8)
    const mountsChanged = (happened(1) & (POLLPRI | POLLERR)) !== 0
    if (mountsChanged) control.noteMounts()
    const isReadable = rests || queues.some((_, i) => happened(i + 2) !== 0)
    const wasRead = isReadable && control.locked(() => reader.read(true))
    if (isReadable) idleReads = wasRead ? 0 : idleReads + 1
    // A ring that is full waits for the other thread, even if nothing was read.
    if ((wasRead || mountsChanged || control.isFull) && control.wake()) wake()
  }
  journal.unmap()
}
