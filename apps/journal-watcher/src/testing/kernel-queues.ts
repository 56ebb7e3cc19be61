import { readdirSync, readlinkSync } from 'node:fs'
import koffi from 'koffi'

/** ioctl(2): bytes that can be read. */
const FIONREAD = 0x541b
const POLL_MS = 1

const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request, _Out_ int *value)')

const QUEUES = ['anon_inode:inotify', 'anon_inode:[fanotify]']

/** Resolves when all that the kernel has queued for this process, of inotify and fanotify, is read: on a busy machine not at once. */
export async function queuesAreRead(): Promise<void> {
  while (queueFds().some(fd => waitingBytes(fd) > 0)) await new Promise(resolve => setTimeout(resolve, POLL_MS))
}

function waitingBytes(fd: number): number {
  const bytes = [0]
  if (ioctl(fd, FIONREAD, bytes) === -1) throw new Error(`descriptor ${fd} cannot be asked: errno ${koffi.errno()}`)
  return bytes[0]!
}

function queueFds(): number[] {
  return readdirSync('/proc/self/fd')
    .filter(fd => isQueue(fd))
    .map(Number)
}

function isQueue(fd: string): boolean {
  try {
    return QUEUES.includes(readlinkSync(`/proc/self/fd/${fd}`))
  } catch {
    // The descriptor of the listing itself is closed by now.
    return false
  }
}
