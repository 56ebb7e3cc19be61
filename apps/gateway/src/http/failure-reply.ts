import { CancelledError, HotpathError, InvalidInputError, UnavailableError } from '@hotpath/model'
import { RateLimitError } from '../limits/rate-limiter.js'
import { DeadlineError, QueryError } from '../search-backend.js'
import { ReplacedError } from './search-sessions.js'

export interface FailureBody {
  readonly error: {
    /** Stable, for programs. */
    readonly code: string
    /** For people. */
    readonly message: string
    /** Index into `q` in UTF-16 units, for errors of the query text. */
    readonly position?: number
    readonly expected?: string
  }
}

export interface FailureReply {
  readonly status: 400 | 403 | 404 | 409 | 413 | 429 | 499 | 500 | 503 | 504
  readonly body: FailureBody
}

/** The body of a request is larger than any action needs. */
export class BodyTooLargeError extends HotpathError {
  readonly code = 'BODY_TOO_LARGE'
}

/** Nothing of the id or path that a request names is indexed. */
export class NotFoundError extends HotpathError {
  readonly code = 'NOT_FOUND'
}

/** The gateway is not set up to do it. */
export class DisabledError extends HotpathError {
  readonly code = 'DISABLED'
}

/** What a failure looks like to a client. Messages of unknown errors stay in the log: they may name files. */
export function failureReply(error: unknown): FailureReply {
  if (error instanceof QueryError) {
    const { code, message, position, expected } = error
    const where = position === undefined ? {} : { position }
    return { status: 400, body: { error: { code, message, ...where, expected } } }
  }
  if (error instanceof InvalidInputError) {
    return { status: 400, body: { error: { code: error.code, message: error.message, expected: error.expected } } }
  }
  if (error instanceof DisabledError) return reply(403, error)
  if (error instanceof NotFoundError) return reply(404, error)
  if (error instanceof BodyTooLargeError) return reply(413, error)
  if (error instanceof ReplacedError) return reply(409, error)
  if (error instanceof RateLimitError) return reply(429, error)
  // 499: the client went away; nobody reads this, but the request is counted under it.
  if (error instanceof CancelledError) return reply(499, error)
  if (error instanceof DeadlineError) return reply(504, error)
  if (error instanceof UnavailableError) return reply(503, error)
  return {
    status: 500,
    body: { error: { code: 'INTERNAL', message: 'the request failed; the log of the gateway says why' } },
  }
}

function reply(status: FailureReply['status'], error: HotpathError): FailureReply {
  return { status, body: { error: { code: error.code, message: error.message } } }
}
