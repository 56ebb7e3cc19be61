import type { Lack } from './system-failure.js'

/** Every failure that a caller can react to is one class with a stable `code`; messages are for people. */
export abstract class HotpathError extends Error {
  abstract readonly code: string
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
  }
}

/** Bytes of a file of ours are not what its format says. */
export class CorruptFileError extends HotpathError {
  readonly code = 'CORRUPT_FILE'
  constructor(
    readonly file: string,
    readonly offset: number,
    readonly expected: string,
    readonly found: string,
    options?: { cause?: unknown },
  ) {
    super(`${JSON.stringify(file)} at byte ${offset}: expected ${expected}, found ${found}`, options)
  }
}

/** A file or a peer speaks a version that this program does not. */
export class UnsupportedVersionError extends HotpathError {
  readonly code = 'UNSUPPORTED_VERSION'
  constructor(
    readonly what: string,
    readonly found: number,
    readonly supported: string,
  ) {
    super(`${what} has version ${found}; this program supports ${supported}`)
  }
}

/** Input from outside (a message, a row of a list, a parameter) breaks its contract. */
export class InvalidInputError extends HotpathError {
  readonly code = 'INVALID_INPUT'
  constructor(
    readonly what: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(`${what}: expected ${expected}, found ${found}`)
  }
}

/** Another process holds the lock that this one needs. */
export class BusyError extends HotpathError {
  readonly code = 'BUSY'
  constructor(readonly what: string) {
    super(`${what} is in use by another process`)
  }
}

/** The work was cancelled by its caller or passed its deadline. */
export class CancelledError extends HotpathError {
  readonly code = 'CANCELLED'
  constructor(why = 'cancelled') {
    super(why)
  }
}

/** The peer cannot answer now; the same request may succeed later. */
export class UnavailableError extends HotpathError {
  readonly code = 'UNAVAILABLE'
}

/**
 * The index cannot be written: changes and scans are refused, searches go on. `full`: there is no room, and when there is, it
 * can be written again. `failed`: what the disk holds is unknown, or it refuses to be written. With `lack` a new process can
 * write when that is back; without, somebody has to look at the disk.
 */
export class StorageError extends UnavailableError {
  readonly lack: Lack | undefined
  constructor(
    readonly state: 'full' | 'failed',
    message: string,
    options?: { cause?: unknown; lack?: Lack | undefined },
  ) {
    super(message, options)
    this.lack = options?.lack
  }
}
