import { BusyError, CancelledError, HotpathError, InvalidInputError, UnavailableError } from '@hotpath/model'
import type { ErrorReply, RefusalCode } from './messages/handshake.js'

/** The server will not talk to this program. Asking again does not help until one of the two is replaced. */
export class RefusedError extends HotpathError {
  readonly code = 'REFUSED'
  constructor(
    readonly reason: RefusalCode,
    message: string,
    readonly supportedVersion: number,
  ) {
    super(`refused (${reason}): ${message}`)
  }
}

/** The connection ended before the answer came; whether the request was carried out is not known. */
export class PeerLostError extends UnavailableError {}

/** A failure of the other side that has no class of its own here. */
export class RemoteError extends HotpathError {
  readonly code = 'REMOTE'
  constructor(
    readonly remoteCode: string,
    message: string,
  ) {
    super(message)
  }
}

/** What the asker is told. */
export function errorToReply(error: unknown): ErrorReply {
  const message = error instanceof Error ? error.message : String(error)
  const reply = {
    code: error instanceof HotpathError ? error.code : 'INTERNAL',
    message,
    what: '',
    expected: '',
    found: '',
  }
  if (error instanceof InvalidInputError)
    return { ...reply, what: error.what, expected: error.expected, found: error.found }
  if (error instanceof BusyError) return { ...reply, what: error.what }
  // A failure that was passed on keeps the code of its origin.
  if (error instanceof RemoteError) return { ...reply, code: error.remoteCode }
  return reply
}

/** The error that the asker gets. */
export function replyToError(reply: ErrorReply): HotpathError {
  switch (reply.code) {
    case 'INVALID_INPUT':
      return new InvalidInputError(reply.what, reply.expected, reply.found)
    case 'UNAVAILABLE':
      return new UnavailableError(reply.message)
    case 'CANCELLED':
      return new CancelledError(reply.message)
    case 'BUSY':
      return new BusyError(reply.what)
    default:
      return new RemoteError(reply.code, reply.message)
  }
}
