import { CancelledError, HotpathError, UnavailableError } from '@hotpath/model/errors'
import type { SearchError } from '@hotpath/protocol'

/** The query cannot be run as it stands. */
export class QueryError extends HotpathError {
  readonly code = 'QUERY'
  /** What the server calls it: SYNTAX, UNSUPPORTED … */
  readonly reason: string
  /** Byte of the query (UTF-8) where it went wrong; undefined if it is not about a place. */
  readonly position: number | undefined
  /** What was expected there; may be empty. */
  readonly expected: string

  constructor(error: SearchError) {
    super(error.message)
    this.reason = error.code
    this.position = Number.isNaN(error.position) ? undefined : error.position
    this.expected = error.expected
  }
}

/** The error of a search that was not carried out. */
export function searchFailure(error: SearchError): HotpathError {
  if (error.code === 'CANCELLED') return new CancelledError(error.message)
  if (error.code === 'UNAVAILABLE' || error.code === 'DEADLINE') return new UnavailableError(error.message)
  return new QueryError(error)
}
