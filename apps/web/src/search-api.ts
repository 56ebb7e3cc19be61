import type { FailureReply, Hit, SearchReply } from './api-replies.js'
import { type SearchState, sortParameter } from './search-state.js'

/** The gateway answered that it will not or cannot. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Index into the query text; undefined where the failure is not about a place in it. */
    readonly position: number | undefined,
    readonly expected: string,
  ) {
    super(message)
  }
}

/** Rows `offset` … `offset + limit` of what a state asks for. Rejects with ApiError, TypeError (no connection) or AbortError. */
export async function fetchHits(
  state: SearchState,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<SearchReply> {
  const params = new URLSearchParams({
    q: state.text,
    sort: sortParameter(state),
    match: 'auto',
    offset: String(offset),
    limit: String(limit),
  })
  const response = await fetch(`/api/search?${params}`, { signal, credentials: 'same-origin', cache: 'no-store' })
  if (!response.ok) throw await failureOf(response)
  return (await response.json()) as SearchReply
}

/** Says that a person took a hit, so that it ranks higher. What becomes of that is nothing that a person waits for. */
export async function reportOpen({ id }: Hit): Promise<void> {
  const request = { method: 'POST', credentials: 'same-origin', body: JSON.stringify({ id }) } as const
  try {
    await fetch('/api/open', { ...request, headers: { 'content-type': 'application/json' }, keepalive: true })
  } catch {
    // No connection: the page says so already, and one open more or less changes little.
  }
}

async function failureOf(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as FailureReply
    return new ApiError(response.status, error.code, error.message, error.position, error.expected ?? '')
  } catch {
    return new ApiError(response.status, 'UNKNOWN', `the gateway answered ${response.status}`, undefined, '')
  }
}
