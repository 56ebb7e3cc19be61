import { lstat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { InvalidInputError } from '@hotpath/model'
import type { Logger } from '@hotpath/service'
import { type Context, Hono } from 'hono'
import type { Desktop } from '../desktop/desktop.js'
import { HTTP_RATE, KEPT_COST, type Rate, RateLimitError, RateLimiter } from '../limits/rate-limiter.js'
import type { RowsLink } from '../rows/rows-link.js'
import type { SearchBackend, SearchRequest } from '../search-backend.js'
import { CHANGES_PATH, DOWNLOAD_PATH, ROWS_PATH } from './access.js'
import { databaseSeries, databasesReply } from './databases-reply.js'
import { downloadReply, parseDownloadPath } from './download.js'
import type { EventHub } from './event-hub.js'
import { isEverythingRequest, parseEverythingRequest } from './everything-dialect.js'
import { everythingAnswer } from './everything-stream.js'
import { DisabledError, failureReply, NotFoundError } from './failure-reply.js'
import { readJsonBody } from './json-body.js'
import type { GatewayMetrics } from './metrics.js'
import { forgottenEntry, launchOf, openedEntry } from './open-body.js'
import type { PageFile } from './page-files.js'
import { parseRowParams, rowReply } from './row-search.js'
import { parseSearchParams, parseSizesParams } from './search-params.js'
import { type ShowName, searchReply } from './search-reply.js'
import { SESSION_HEADER, SearchSessions } from './search-sessions.js'
import { sizesReply, statisticsReply } from './statistics-reply.js'
import { statusReply } from './status-reply.js'

export interface AppParts {
  readonly backend: SearchBackend
  readonly hub: EventHub
  readonly pageFiles: ReadonlyMap<string, PageFile>
  readonly metrics: GatewayMetrics
  /** Compiles a query to a function that shows a name with what the query matched of it. */
  readonly highlighter: (request: SearchRequest) => ShowName
  readonly version: string
  /** Whether this request came with the token; others may read as far as that needs none. */
  readonly hasToken: (request: IncomingMessage) => boolean
  /** How much may be asked; HTTP_RATE if missing. */
  readonly rate?: Rate
  readonly log: Logger
  readonly desktop: Desktop | undefined
  readonly download: boolean
  /** Followed databases. */
  readonly rows: Pick<RowsLink, 'open' | 'databases' | 'isReady'>
}

type Env = { Bindings: HttpBindings }
type GatewayContext = Context<Env>

/** The longest wait for any answer: a person has long given up, and a full barrier takes well under a second. */
const DEADLINE_MS = 10_000
/** For probes, which ask often and want to know quickly. */
const HEALTH_DEADLINE_MS = 1_000
/** Answers that are computed at the same time; the engine has a few workers, more only wait in line. */
export const MAX_CONCURRENT_REQUESTS = 64

/** Routes and their answers. Access was decided before a request comes here. */
export function createApp(parts: AppParts): Hono<Env> {
  const { backend, hub, metrics, log } = parts
  const app = new Hono<Env>()
  const sessions = new SearchSessions()
  const limiter = new RateLimiter(parts.rate ?? HTTP_RATE)
  let running = 0

  /** An endpoint that asks the backend: bounded in number and time, cancelled when the client goes away. */
  const endpoint =
    (answer: (c: GatewayContext, signal: AbortSignal) => Promise<Response>, deadlineMs = DEADLINE_MS) =>
    async (c: GatewayContext): Promise<Response> => {
      if (running >= MAX_CONCURRENT_REQUESTS) {
        const busy = { error: { code: 'BUSY', message: 'too many requests at once; try again' } }
        return c.json(busy, 503, { 'retry-after': '1' })
      }
      running++
      const gone = new AbortController()
      const onClose = () => gone.abort()
      c.env.outgoing.once('close', onClose)
      try {
        return await answer(c, AbortSignal.any([gone.signal, AbortSignal.timeout(deadlineMs)]))
      } finally {
        running--
        c.env.outgoing.off('close', onClose)
      }
    }

  metrics.gauge('hotpath_http_running_requests', 'Requests that are being answered', () => running)
  metrics.gauge('hotpath_event_streams', 'Open event streams', () => hub.streamCount)
  metrics.gauge('hotpath_event_resyncs', 'Event streams told to start afresh because they were slow', () => hub.resyncs)

  app.use(async (c, next) => {
    await next()
    c.header('cache-control', c.res.headers.get('cache-control') ?? 'no-store')
  })

  app.use('/api/*', async (c, next) => {
    limiter.take(c.req.path === '/api/search' ? KEPT_COST : 1)
    await next()
  })

  app.get(
    '/api/search',
    endpoint(async (c, signal) => {
      const request = parseSearchParams(queryOf(c))
      const answer = await sessions.run(c.req.header(SESSION_HEADER), replaced =>
        backend.search(request, AbortSignal.any([signal, replaced])),
      )
      if (!answer.cached) {
        limiter.charge(1 - KEPT_COST)
        metrics.engineTook(answer.engineMs / 1000)
      }
      return c.json(searchReply(answer, parts.highlighter(request)))
    }),
  )
  app.get(
    '/api/status',
    endpoint(async (c, signal) => {
      refuseParameters(c)
      const features = { launch: parts.desktop !== undefined, download: parts.download }
      return c.json({ ...statusReply(await backend.status(signal), parts.version), features })
    }),
  )
  app.get(
    '/api/clock',
    endpoint(async (c, signal) => {
      refuseParameters(c)
      return c.json(await backend.clock(signal))
    }),
  )
  app.get(
    '/api/statistics',
    endpoint(async (c, signal) => {
      refuseParameters(c)
      const statistics = await backend.statistics(signal)
      return c.json(statisticsReply(statistics, await metrics.engineLatency()))
    }),
  )
  app.get(
    '/api/sizes',
    endpoint(async (c, signal) => {
      const sizes = await backend.sizes(parseSizesParams(queryOf(c)), signal)
      if (sizes === undefined) throw new NotFoundError('no directory of that path is indexed')
      return c.json(sizesReply(sizes))
    }),
  )
  app.post(
    '/api/rescan',
    endpoint(async (c, signal) => {
      refuseParameters(c)
      const root = rescanRoot(await readJsonBody(c.env.incoming))
      return c.json({ roots: await backend.rescan(root, signal) }, 202)
    }),
  )
  app.post(
    '/api/open',
    endpoint(async (c, signal) => {
      refuseParameters(c)
      const entry = openedEntry(await readJsonBody(c.env.incoming))
      if (!(await backend.open(entry, signal))) throw new NotFoundError('nothing of that name is indexed')
      return c.json({ recorded: true })
    }),
  )
  app.post(
    '/api/forget',
    endpoint(async (c, signal) => {
      refuseParameters(c)
      const forgotten = await backend.forget(forgottenEntry(await readJsonBody(c.env.incoming)), signal)
      if (forgotten === undefined) throw new NotFoundError('nothing of that name is indexed')
      return c.json({ forgotten })
    }),
  )
  app.post(
    '/api/launch',
    endpoint(async (c, signal) => {
      refuseParameters(c)
      const { path, action } = launchOf(await readJsonBody(c.env.incoming))
      const { desktop } = parts
      if (desktop === undefined)
        throw new DisabledError('this gateway opens no files: there is no desktop, or it is not to')
      await recordedOpen(path, signal)
      // What is listed may be on another machine, and what was here may be gone.
      await lstat(Buffer.from(path)).catch(cause => {
        throw new NotFoundError('nothing of that name is on this machine', { cause })
      })
      await desktop[action](path)
      return c.json({ launched: true })
    }),
  )
  app.get(
    DOWNLOAD_PATH,
    endpoint(async (c, signal) => {
      if (!parts.download) throw new DisabledError('downloads are not switched on (http.download)')
      const path = parseDownloadPath(queryOf(c))
      await recordedOpen(path, signal)
      return await downloadReply(path, c.req.header('range'), c.req.method === 'HEAD')
    }),
  )
  app.get('/api/events', c => {
    refuseParameters(c)
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream; charset=utf-8' })
    if (hub.open(c.env.outgoing, parts.hasToken(c.env.incoming))) return RESPONSE_ALREADY_SENT
    return c.json({ error: { code: 'BUSY', message: 'too many event streams' } }, 503, { 'retry-after': '5' })
  })
  for (const path of ['/api/live', CHANGES_PATH]) {
    app.get(path, c => {
      const error = { code: 'UPGRADE_REQUIRED', message: 'this address speaks WebSocket only' }
      return c.json({ error }, 426, { upgrade: 'websocket', connection: 'upgrade' })
    })
  }
  app.get(
    ROWS_PATH,
    endpoint(async (c, signal) => {
      const answer = await backend.searchRows(parseRowParams(queryOf(c)), signal)
      return c.body(rowReply(answer), 200, { 'content-type': 'application/json' })
    }),
  )
  app.get(
    '/api/databases',
    endpoint(async (c, signal) => {
      refuseParameters(c)
      return c.json(databasesReply(await parts.rows.databases({ signal })))
    }),
  )
  app.get(
    '/health',
    endpoint(async (c, signal) => {
      // Whoever asks without a token learns this one bit and nothing else.
      const ok = await backend.status(signal).then(
        () => true,
        () => false,
      )
      return ok ? c.text('ok\n') : c.text('not ok\n', 503)
    }, HEALTH_DEADLINE_MS),
  )
  app.get(
    '/metrics',
    endpoint(async (c, signal) => {
      refuseParameters(c)
      // A scrape must not wait for a store that is away: that it is away is what it wants to know.
      const soon = AbortSignal.any([signal, AbortSignal.timeout(HEALTH_DEADLINE_MS)])
      const [{ figures, caches }, databases] = await Promise.all([
        backend.status(soon).then(
          status => ({ figures: { ...status.figures, index_up: 1 }, caches: status.caches }),
          () => ({ figures: { index_up: 0 }, caches: [] }),
        ),
        parts.rows.isReady ? parts.rows.databases({ signal: soon }).catch(() => []) : [],
      ])
      const { text, contentType } = await metrics.scrape(figures, caches)
      return c.body(text + databaseSeries(databases), 200, { 'content-type': contentType })
    }),
  )
  const everything = endpoint(async (c, signal) => {
    const { body, error } = await everythingAnswer(parseEverythingRequest(queryOf(c)), backend, signal)
    // Its clients know no errors of a query; people who look at the answer do.
    if (error !== undefined) c.header('x-hotpath-error', encodeURIComponent(error.message))
    return c.body(body, 200, { 'content-type': 'application/json' })
  })
  app.get('/', async (c, next) => (isEverythingRequest(queryOf(c)) ? await everything(c) : await next()))
  app.get('*', c => pageFile(c, parts.pageFiles.get(c.req.path)) ?? c.notFound())

  app.notFound(c => c.json({ error: { code: 'NOT_FOUND', message: 'there is nothing at this address' } }, 404))
  /** Only what is indexed is opened or sent, and whoever asks for it has opened it. */
  async function recordedOpen(path: Uint8Array, signal: AbortSignal): Promise<void> {
    if (!(await backend.open({ path }, signal))) throw new NotFoundError('nothing of that name is indexed')
  }

  app.onError((error, c) => {
    const { status, body } = failureReply(error)
    if (error instanceof RateLimitError) c.header('retry-after', `${Math.ceil(error.retryAfterMs / 1000)}`)
    if (status === 500) log.error('request failed', { path: c.req.path, error })
    // 499 never reaches anybody: the socket is closed.
    return c.json(body, status === 499 ? 503 : status)
  })
  return app
}

function queryOf(c: GatewayContext): string {
  const target = c.env.incoming.url ?? ''
  const at = target.indexOf('?')
  return at < 0 ? '' : target.slice(at + 1)
}

function refuseParameters(c: GatewayContext): void {
  const query = queryOf(c)
  if (query !== '') throw new InvalidInputError('parameters', 'none', JSON.stringify(query))
}

function rescanRoot(body: unknown): string | undefined {
  if (body === undefined) return undefined
  const expected = 'an object with at most "root", the id of a root'
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidInputError('body', expected, JSON.stringify(body).slice(0, 100))
  }
  const unknown = Object.keys(body).find(key => key !== 'root')
  if (unknown !== undefined) throw new InvalidInputError('body', expected, `the key ${JSON.stringify(unknown)}`)
  const root = 'root' in body ? body.root : undefined
  if (root === undefined) return undefined
  if (typeof root !== 'string' || root === '') throw new InvalidInputError('root', 'the id of a root', typeof root)
  return root
}

/** The page changes only with the program: browsers keep it and ask whether it is still the same. */
function pageFile(c: GatewayContext, file: PageFile | undefined): Response | undefined {
  if (file === undefined) return undefined
  const headers = { etag: file.etag, 'cache-control': 'no-cache' }
  if (c.req.header('if-none-match') === file.etag) return c.body(null, 304, headers)
  return c.body(file.bytes, 200, { ...headers, 'content-type': file.type })
}
