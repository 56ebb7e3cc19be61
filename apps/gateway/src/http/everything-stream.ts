import { QueryError, type SearchAnswer, type SearchBackend } from '../search-backend.js'
import { EVERYTHING_END, EVERYTHING_HEAD, type EverythingRequest, everythingRows } from './everything-dialect.js'

/**
 * Rows of one search: an answer may have millions, of which a page is in memory. Smaller pages would have the store order the
 * hits more often.
 */
const PAGE_ROWS = 20_000

export interface EverythingAnswer {
  /** UTF-8, a page at a time: the next one is asked for when the last one was taken. */
  readonly body: ReadableStream<Uint8Array>
  /** The query could not be understood: Everything finds nothing then, and so does this answer. */
  readonly error: QueryError | undefined
}

/**
 * Answers in Everything's dialect. The first page is there when this resolves.
 * Rejects as `SearchBackend.search` does, but for queries that cannot be understood.
 */
export async function everythingAnswer(
  request: EverythingRequest,
  backend: Pick<SearchBackend, 'search'>,
  signal: AbortSignal,
): Promise<EverythingAnswer> {
  const ask = (offset: number, left: number, signal: AbortSignal) =>
    backend.search({ ...request.search, offset, limit: Math.min(left, PAGE_ROWS) }, signal)
  let answer: SearchAnswer | undefined
  let error: QueryError | undefined
  try {
    answer = await ask(request.offset, request.count, signal)
  } catch (failure) {
    if (!(failure instanceof QueryError)) throw failure
    error = failure
  }
  const gone = new AbortController()
  let { offset, count: left } = request
  let isFirst = true
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (answer === undefined) {
          controller.enqueue(encoder.encode(EVERYTHING_HEAD(0) + EVERYTHING_END))
          controller.close()
          return
        }
        const head = isFirst ? EVERYTHING_HEAD(answer.total) : ''
        const rows = everythingRows(answer, request.columns, isFirst)
        isFirst = false
        offset += answer.rows.length
        left -= answer.rows.length
        const isLast = answer.rows.length === 0 || left <= 0 || offset >= answer.total
        controller.enqueue(encoder.encode(head + rows + (isLast ? EVERYTHING_END : '')))
        if (isLast) controller.close()
        else answer = await ask(offset, left, gone.signal)
      },
      cancel: () => gone.abort(),
    },
    // Nothing is made before it is wanted.
    { highWaterMark: 0 },
  )
  return { body, error }
}
