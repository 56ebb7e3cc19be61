import { CancelledError, HotpathError, UnavailableError } from '@hotpath/model/errors'
import { QueryError } from '../query-error.js'

/** The gateway refused: no query is at fault, and asking again would not help. */
export class RequestError extends HotpathError {
  readonly code = 'REQUEST'

  /**
   * @param status of HTTP; 0 where a subscription was refused
   * @param reason what the server calls it: UNAUTHORIZED, NOT_FOUND, DISABLED …
   */
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message)
  }
}

export interface FailureReply {
  readonly code: string
  readonly message: string
  /** UTF-16 units of the query. */
  readonly position?: number
  readonly expected?: string
}

/** Codes of 400 that are about parameters and not about what was typed. */
const NO_QUERY = ['INVALID_INPUT', 'BAD_REQUEST']
const PASSING = ['UNAVAILABLE', 'BUSY', 'DEADLINE']
const encoder = new TextEncoder()

/** The error behind what the gateway said. @param query what was searched for: positions count its bytes */
export function requestFailure(status: number, failure: FailureReply, query = ''): HotpathError {
  const { code, message, position, expected = '' } = failure
  if (PASSING.includes(code) || status >= 502) return new UnavailableError(message)
  if (code === 'CANCELLED') return new CancelledError(message)
  const isQuery = status === 400 && !NO_QUERY.includes(code)
  if (!isQuery && position === undefined) return new RequestError(status, code, message)
  const bytes = position === undefined ? Number.NaN : encoder.encode(query.slice(0, position)).length
  return new QueryError({ code, message, position: bytes, expected })
}

/** The failure in a body; what is none is named by its status. */
export function failureIn(body: unknown, status: number): FailureReply {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) return error as FailureReply
  return { code: status >= 500 ? 'UNAVAILABLE' : 'REQUEST', message: `the server answered with status ${status}` }
}
