import { readFileSync } from 'node:fs'
import type { Account } from './accounts.js'
import { checked, libc } from './libc.js'

/** Numbers of capabilities (linux/capability.h) that this program has to do with. */
export const Capability = {
  dacReadSearch: 2,
  sysAdmin: 21,
} as const

const PR_SET_KEEPCAPS = 8
const PR_CAP_AMBIENT = 47
const PR_CAP_AMBIENT_CLEAR_ALL = 4
const CAPABILITY_VERSION_3 = 0x20080522

/** Sets of capabilities, bit by bit. */
export interface Capabilities {
  readonly permitted: bigint
  readonly effective: bigint
  /** What programs get that this one starts, if it does not run as root. */
  readonly ambient: bigint
}

/** Of a process; of this one by default. Throws the error of node:fs (ENOENT: there is no such process). */
export function capabilitiesOf(pid: number | 'self' = 'self'): Capabilities {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`)
  return { permitted: field('CapPrm'), effective: field('CapEff'), ambient: field('CapAmb') }
}

/** From here on programs that this thread starts get no capabilities (unless it runs as root). Our own stay. Throws SystemCallError. */
export function clearAmbientCapabilities(): void {
  checked('prctl', libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
}

/**
 * Makes this process one of another user, for good: all its threads, with the groups of that user. The main thread, which must
 * be the caller, keeps of its capabilities those that are given here; programs that it starts get none. Needs root. Throws
 * SystemCallError or the error of node:process.
 *
 * @param gid of its first group
 */
export function becomeUser({ name, uid }: Account, gid: number, keep: readonly number[]): void {
  const wanted = keep.reduce((bits, capability) => bits | (1n << BigInt(capability)), 0n)
  checked('prctl', libc().prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
  const { initgroups } = process as NodeJS.Process & { initgroups(user: string, group: number): void }
  initgroups(name, gid)
  process.setgid!(gid)
  process.setuid!(uid)
  setCapabilities(wanted & capabilitiesOf().permitted)
  checked('prctl', libc().prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0))
}

/** Permitted and effective; nothing is inheritable. */
function setCapabilities(bits: bigint): void {
  const header = new Uint32Array([CAPABILITY_VERSION_3, 0])
  const [low, high] = [Number(bits & 0xffffffffn), Number(bits >> 32n)]
  // Effective, permitted, inheritable: of the lower 32 capabilities, then of the others.
  const data = new Uint32Array([low, low, 0, high, high, 0])
  checked('capset', libc().capset(new Uint8Array(header.buffer), new Uint8Array(data.buffer)))
}
