import { CorruptFileError } from './errors.js'

/** What the kernel said to a file call that failed. */
export interface SystemFailure {
  /** Symbolic name of the error number: `ENOSPC`, `EIO` … */
  readonly code: string
  /** The call: `open`, `fsync` …; empty if that is not known. */
  readonly call: string
}

/** Not `ERR_INVALID_ARG_TYPE` and the like, which are Node's own. */
const ERRNO_NAME = /^E[A-Z0-9]+$/

/**
 * Reads the errors of node:fs (`code`, `syscall`), of packages/platform (`errnoName`, `call`), and those that crossed
 * threads (`systemCode`, `systemCall`). Undefined: the error is not that of a system call.
 */
export function systemFailureOf(error: unknown): SystemFailure | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, syscall, errnoName, call, systemCode, systemCall } = error as Error & Record<string, unknown>
  const name = systemCode ?? errnoName ?? code
  if (typeof name !== 'string' || !ERRNO_NAME.test(name)) return undefined
  const what = systemCall ?? call ?? syscall
  return { code: name, call: typeof what === 'string' ? what : '' }
}

/**
 * True if a file of ours is not what it must be: its bytes are wrong, or it is gone. Any other failure (no descriptor or
 * memory left, a disk that does not answer) says nothing about the file.
 */
export function isDamage(error: unknown): boolean {
  return error instanceof CorruptFileError || systemFailureOf(error)?.code === 'ENOENT'
}

/** What was missing when a call failed, and comes back without anybody looking at the disk. */
export type Lack = 'room' | 'descriptors' | 'memory'

const LACKS: Readonly<Record<string, Lack | undefined>> = {
  ENOSPC: 'room',
  EMFILE: 'descriptors',
  ENFILE: 'descriptors',
  ENOMEM: 'memory',
}

/** Calls whose failure leaves open what the disk holds: a second one may report success for data that is gone. */
const SYNC_CALLS: readonly string[] = ['fsync', 'fdatasync']

/** What a failed call had too little of, where it did no harm and can be made again. */
export function lackOf(error: unknown): Lack | undefined {
  const failure = systemFailureOf(error)
  return failure && !SYNC_CALLS.includes(failure.call) ? LACKS[failure.code] : undefined
}
