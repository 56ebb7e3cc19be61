import { request } from 'node:http'
import { type FoundRows, QueryError, type SearchParams, SearchResult, UnavailableError } from '@hotpath/client'
import { type HitRank, ID_BYTES, Kind, parsedInstant, rankColumns, timeColumn } from '@hotpath/model'
import type { ClockReply, HitColumns, SearchReply } from '@hotpath/protocol'
import type { IndexClient } from './index-client.js'

/** Rows of a page, as `/api/search` has it. */
const MAX_ROWS = 1_000
const TIMEOUT_MS = 15_000
/** Who asks too often is answered after a moment. */
const BUSY_MS = 100
const BUSY_TRIES = 100

/** A hit as it comes (docs/http-api.md). */
interface JsonHit {
  readonly id: string
  readonly path: string
  readonly pathBytes?: string
  readonly name: string
  readonly type: keyof typeof Kind
  readonly size: number | null
  readonly modified: string | null
  readonly created: string | null
  readonly accessed: string | null
  readonly hot: number
  readonly opens: number
  readonly opened: string | null
  readonly rank?: HitRank
}

interface JsonAnswer {
  readonly total: number
  readonly fuzzyTotal: number | null
  readonly clock: string
  readonly fresh: { readonly state: SearchReply['fresh']['state']; readonly lagMs: number | null }
  readonly partial: boolean
  readonly tookMs: number
  readonly hits: readonly JsonHit[]
  /** For whoever may see everything. */
  readonly explain?: unknown
}

interface JsonFailure {
  readonly code: string
  readonly message: string
  readonly position?: number
  readonly expected?: string
}

/**
 * A service that somebody else runs for all users of this machine, behind the socket `users.listen`: it answers searches with what
 * this user may list, and nothing else. Rejects with UnavailableError if nothing answers there.
 */
export async function connectAsUser(socketPath: string): Promise<IndexClient> {
  const client = new UsersClient(socketPath)
  await client.clock()
  return client
}

class UsersClient implements IndexClient {
  constructor(private readonly socketPath: string) {}

  async search(params: SearchParams): Promise<SearchResult> {
    const text = Buffer.from(params.query)
    const parameters = parametersOf(params, text)
    const { status, body } = await this.get(`/api/search?${parameters}`)
    if (status !== 200) throw failureOf(status, body, text)
    return new SearchResult(replyOf(body as JsonAnswer), params.offset ?? 0)
  }

  async clock(): Promise<ClockReply> {
    const { status, body } = await this.get('/api/clock')
    if (status !== 200) throw failureOf(status, body, Buffer.alloc(0))
    return { clock: (body as { clock: string }).clock, unwatchedRoots: [] }
  }

  forgetOpens(): Promise<never> {
    return refused()
  }

  live(): Promise<never> {
    return refused()
  }

  changes(): Promise<never> {
    return refused()
  }

  /** Rows are for the user whose index it is. */
  async searchRows(): Promise<FoundRows> {
    return { total: 0, tookMs: 0, rows: [] }
  }

  databases(): Promise<never> {
    return refused()
  }

  status(): Promise<never> {
    return refused()
  }

  rescan(): Promise<never> {
    return refused()
  }

  recordOpen(): Promise<never> {
    return refused()
  }

  importList(): Promise<never> {
    return refused()
  }

  async close(): Promise<void> {}

  private async get(path: string): Promise<{ status: number; body: unknown }> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.getOnce(path)
      if (answer.status !== 429 || attempt === BUSY_TRIES) return answer
      await new Promise(resolve => setTimeout(resolve, BUSY_MS))
    }
  }

  private getOnce(path: string): Promise<{ status: number; body: unknown }> {
    const { socketPath } = this
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath, path, headers: { host: 'hotpath' }, timeout: TIMEOUT_MS }, response => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('error', reject)
        response.on('end', () => {
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(pieces).toString('utf8')) })
          } catch (cause) {
            reject(new UnavailableError(`what answers on ${JSON.stringify(socketPath)} is no hotpath`, { cause }))
          }
        })
      })
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')))
      sent.once('error', cause => {
        const why = `nothing answers on ${JSON.stringify(socketPath)} (${cause.message})`
        reject(new UnavailableError(why, { cause }))
      })
      sent.end()
    })
  }
}

function refused(): Promise<never> {
  return Promise.reject(new UnavailableError('the service of another user only answers searches'))
}

function parametersOf(params: SearchParams, text: Buffer): string {
  const pairs: [string, string][] = [['q', encoded(text)]]
  const { sort, descending, under, minClock, match, caseMode, countOnly, fuzzy, explain } = params
  const sortName = sort === 'extension' ? 'ext' : sort
  if (countOnly) pairs.push(['count', '1'])
  else {
    pairs.push(['limit', String(Math.min(params.limit ?? 100, MAX_ROWS))], ['offset', String(params.offset ?? 0)])
    if (sortName !== undefined && sortName !== 'default')
      pairs.push(['sort', `${sortName}${descending ? '-desc' : ''}`])
  }
  if (under !== undefined) pairs.push(['under', encoded(Buffer.from(under))])
  if (minClock !== undefined) pairs.push(['minClock', encodeURIComponent(minClock)])
  if (match !== undefined) pairs.push(['match', match])
  if (caseMode !== undefined) pairs.push(['case', caseMode])
  if (fuzzy) pairs.push(['fuzzy', 'auto'])
  if (explain) pairs.push(['explain', '1'])
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}

/** Each byte that is no letter or digit as %XX: names need not be UTF-8. */
function encoded(bytes: Buffer): string {
  let text = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    text += /[A-Za-z0-9]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
  }
  return text
}

function failureOf(status: number, body: unknown, query: Buffer): Error {
  const { error } = body as { error?: JsonFailure }
  const { code, message, position, expected = '' } = error ?? { code: '', message: `status ${status}` }
  if (status !== 400) return new UnavailableError(message)
  const before = position === undefined ? undefined : query.toString('utf8').slice(0, position)
  const bytes = before === undefined ? Number.NaN : Buffer.byteLength(before)
  return new QueryError({ code, message, position: bytes, expected })
}

function replyOf(answer: JsonAnswer): SearchReply {
  const { total, fuzzyTotal, clock, fresh, partial, tookMs, hits, explain } = answer
  return {
    total,
    fuzzyTotal: fuzzyTotal ?? Number.NaN,
    clock,
    fresh: { state: fresh.state, lagMs: fresh.lagMs ?? 0, dirty: 0, dirtySubtrees: [] },
    partial,
    tookMs,
    rows: columnsOf(hits),
    explain: explain === undefined ? '' : JSON.stringify(explain),
  }
}

function columnsOf(hits: readonly JsonHit[]): HitColumns {
  const paths = hits.map(({ path, pathBytes }) =>
    Buffer.from(pathBytes ?? path, pathBytes === undefined ? 'utf8' : 'base64'),
  )
  const pathOffsets = new Uint32Array(hits.length + 1)
  for (const [i, path] of paths.entries()) pathOffsets[i + 1] = pathOffsets[i]! + path.length
  const modified = timeColumn(hits.map(hit => parsedInstant(hit.modified)))
  const created = timeColumn(hits.map(hit => parsedInstant(hit.created)))
  const accessed = timeColumn(hits.map(hit => parsedInstant(hit.accessed)))
  return {
    count: hits.length,
    ids: Buffer.concat(hits.map(({ id }) => Buffer.from(id, 'base64url'))).subarray(0, hits.length * ID_BYTES),
    pathOffsets,
    paths: Buffer.concat(paths),
    // The name is what follows the last slash; of the path `/` it is empty.
    nameStart: Uint32Array.from(paths, path => path.lastIndexOf(0x2f) + 1),
    kind: Uint8Array.from(hits, ({ type }) => Kind[type]),
    size: Float64Array.from(hits, ({ size }) => size ?? Number.NaN),
    ...(modified && { modified }),
    ...(created && { created }),
    ...(accessed && { accessed }),
    ...(hits.some(({ opens }) => opens > 0) && usesOf(hits)),
    ...(hits[0]?.rank && { rank: rankColumns(hits.flatMap(({ rank }) => rank ?? [])) }),
  }
}

function usesOf(hits: readonly JsonHit[]) {
  return {
    hot: Float64Array.from(hits, ({ hot }) => hot),
    opens: Uint32Array.from(hits, ({ opens }) => opens),
    opened: Float64Array.from(hits, ({ opened }) => parsedInstant(opened)?.seconds ?? Number.NaN),
  }
}
