import { HotpathError, InvalidInputError } from '@hotpath/model'

/** Names what a search is for: a newer one with the same name replaces it. */
export const SESSION_HEADER = 'hotpath-session'
export const MAX_SESSION_LENGTH = 64

/** A newer search of the same session came. */
export class ReplacedError extends HotpathError {
  readonly code = 'REPLACED'
  constructor() {
    super('a newer search of the session has replaced this one')
  }
}

/** The search under way of each session. Nothing is kept of sessions that ask nothing. */
export class SearchSessions {
  readonly #running = new Map<string, AbortController>()

  /** Runs `search` with a signal that is aborted with ReplacedError when the next one of the session begins. */
  async run<T>(session: string | undefined, search: (replaced: AbortSignal) => Promise<T>): Promise<T> {
    const own = new AbortController()
    if (session === undefined) return await search(own.signal)
    if (!/^[\x21-\x7e]+$/.test(session) || session.length > MAX_SESSION_LENGTH) {
      const expected = `1 to ${MAX_SESSION_LENGTH} characters of ASCII`
      throw new InvalidInputError(SESSION_HEADER, expected, JSON.stringify(session.slice(0, MAX_SESSION_LENGTH)))
    }
    this.#running.get(session)?.abort(new ReplacedError())
    this.#running.set(session, own)
    try {
      return await search(own.signal)
    } catch (error) {
      throw own.signal.aborted ? own.signal.reason : error
    } finally {
      if (this.#running.get(session) === own) this.#running.delete(session)
    }
  }
}
