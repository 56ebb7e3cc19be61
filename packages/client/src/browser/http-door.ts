import { CancelledError, UnavailableError } from '@hotpath/model/errors'
import type { CallOptions } from '../search-params.js'
import { type BackOff, pause, pauseMs } from './back-off.js'
import { failureIn, requestFailure } from './failures.js'

/** As for native clients. */
export const REQUEST_TIMEOUT_MS = 10_000

export interface DoorAddress {
  /** Where the gateway is, `http://127.0.0.1:7717`. */
  readonly origin: string
  /** Undefined: the cookie of the page. */
  readonly token: string | undefined
}

export type Fetch = typeof fetch

/** Asks over HTTP. What only reads is asked again, with pauses, while the gateway is away, within its time. */
export class HttpDoor {
  constructor(
    private readonly address: DoorAddress,
    private readonly fetch: Fetch,
    private readonly backOff: BackOff,
  ) {}

  /** @param query what is searched for, for the positions of errors */
  async get<T>(path: string, options: CallOptions = {}, query = ''): Promise<T> {
    const { signal, stop } = bounded(options)
    try {
      for (let failures = 1; ; failures++) {
        try {
          return (await this.ask(path, { signal }, query)) as T
        } catch (error) {
          if (!(error instanceof UnavailableError)) throw error
          // Time that runs out says what it waited for.
          await pause(pauseMs(this.backOff, failures), signal).catch(() => {
            throw options.signal?.aborted ? new CancelledError() : error
          })
        }
      }
    } finally {
      stop()
    }
  }

  /** Once: nobody knows whether what was lost on the way was done. */
  async post<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    const { signal, stop } = bounded(options)
    const headers = { 'content-type': 'application/json' }
    try {
      return (await this.ask(path, { method: 'POST', body: JSON.stringify(body), headers, signal }, '')) as T
    } finally {
      stop()
    }
  }

  private async ask(path: string, init: RequestInit, query: string): Promise<unknown> {
    const { origin, token } = this.address
    const headers = { ...init.headers, ...authorization(token) }
    let response: Response
    let text: string
    try {
      response = await this.fetch(`${origin}${path}`, { ...init, headers })
      text = await response.text()
    } catch (cause) {
      if (init.signal?.aborted) throw cancelled(init.signal)
      throw new UnavailableError('hotpath does not answer', { cause })
    }
    const body = parsed(text)
    if (!response.ok) throw requestFailure(response.status, failureIn(body, response.status), query)
    if (body === undefined) throw new UnavailableError('the answer is no JSON')
    return body
  }
}

export function authorization(token: string | undefined): { authorization?: string } {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function cancelled({ reason }: AbortSignal): Error {
  return reason instanceof UnavailableError ? reason : new CancelledError()
}

/** A signal that also ends after the time. */
function bounded({ signal, timeoutMs = REQUEST_TIMEOUT_MS }: CallOptions): { signal: AbortSignal; stop(): void } {
  const bound = new AbortController()
  const stopped = (): void => bound.abort(new CancelledError())
  if (signal?.aborted) stopped()
  else signal?.addEventListener('abort', stopped, { once: true })
  const late = new UnavailableError(`no answer within ${timeoutMs} ms`)
  const timer = setTimeout(() => bound.abort(late), timeoutMs)
  return {
    signal: bound.signal,
    stop: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stopped)
    },
  }
}
