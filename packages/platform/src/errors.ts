import { HotpathError } from '@hotpath/model'
import { errnoName } from './errno.js'

/** A system call failed. `errnoName` is the symbolic name (`ENOENT`), as in the `code` of errors of node:fs. */
export class SystemCallError extends HotpathError {
  readonly code = 'SYSTEM_CALL'
  readonly errnoName: string
  constructor(
    readonly call: string,
    readonly errno: number,
    readonly subject = '',
  ) {
    super(`${call} failed: ${errnoName(errno)}${subject === '' ? '' : ` (${subject})`}`)
    this.errnoName = errnoName(errno)
  }
}

/** Native calls cannot be made here: another operating system, no add-on for this machine, or a libc without the function. */
export class NativeUnavailableError extends HotpathError {
  readonly code = 'NATIVE_UNAVAILABLE'
}

/** One view would be longer than Node can make without aborting the process. */
export class ViewTooLargeError extends HotpathError {
  readonly code = 'VIEW_TOO_LARGE'
  constructor(
    readonly what: string,
    readonly sizeBytes: number,
    readonly limitBytes: number,
  ) {
    super(`${what} has ${sizeBytes} bytes; one view holds at most ${limitBytes}`)
  }
}

/** The kernel handed over bytes that are not what its documentation says. */
export class MalformedKernelDataError extends HotpathError {
  readonly code = 'MALFORMED_KERNEL_DATA'
  constructor(
    readonly what: string,
    readonly offset: number,
    detail: string,
  ) {
    super(`${what} at byte ${offset}: ${detail}`)
  }
}
