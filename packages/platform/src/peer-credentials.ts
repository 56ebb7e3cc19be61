import { Errno } from './errno.js'
import { SystemCallError } from './errors.js'
import { checked, errno, libc } from './libc.js'
import type { Credentials } from './may-access.js'

const SOL_SOCKET = 1
const SO_PEERCRED = 17
const SO_PEERGROUPS = 59
/** Most supplementary groups that a process can have (NGROUPS_MAX). */
const MAX_GROUPS = 65_536
const FIRST_GROUPS = 64

/** Who connected a Unix stream socket. */
export interface PeerCredentials extends Credentials {
  readonly pid: number
}

/**
 * The process at the other end of a connected Unix socket, as it was when it connected: nothing that it says itself. Cost: two
 * calls, some microseconds. Throws SystemCallError, above all where the kernel does not tell the groups (before Linux 4.13).
 */
export function peerCredentials(fd: number): PeerCredentials {
  const credentials = new Uint32Array(3)
  const length = new Uint32Array([credentials.byteLength])
  const bytes = new Uint8Array(credentials.buffer)
  checked('getsockopt', libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, bytes, length), 'SO_PEERCRED')
  const [pid, user, group] = credentials
  return { pid: pid!, user: user!, groups: [...new Set([group!, ...peerGroups(fd)])] }
}

function peerGroups(fd: number): number[] {
  for (let room = FIRST_GROUPS; ; room = MAX_GROUPS) {
    const groups = new Uint32Array(room)
    const length = new Uint32Array([groups.byteLength])
    const result = libc().getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, new Uint8Array(groups.buffer), length)
    if (result === 0) return [...groups.subarray(0, length[0]! / 4)]
    const reason = errno()
    if (reason !== Errno.ERANGE || room === MAX_GROUPS) throw new SystemCallError('getsockopt', reason, 'SO_PEERGROUPS')
  }
}
