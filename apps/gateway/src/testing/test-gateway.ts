import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { UnavailableError } from '@hotpath/model'
import { silentLogger } from '@hotpath/service'
import type { WebSocket } from 'ws'
import type { Desktop } from '../desktop/desktop.js'
import { EventHub } from '../http/event-hub.js'
import { HttpServer } from '../http/http-server.js'
import { GatewayMetrics } from '../http/metrics.js'
import { loadPageFiles } from '../http/page-files.js'
import type { ShowName } from '../http/search-reply.js'
import { createToken } from '../http/session-token.js'
import type { Rate } from '../limits/rate-limiter.js'
import { LiveHub } from '../live/live-hub.js'
import type { RowsLink } from '../rows/rows-link.js'
import type { SearchBackend, SearchRequest } from '../search-backend.js'

/** The HTTP side on a free port of 127.0.0.1, with any backend. */
export interface TestGateway {
  readonly port: number
  readonly origin: string
  readonly token: string
  readonly metrics: GatewayMetrics
  readonly hub: EventHub
  readonly live: LiveHub
  /** The server's side of open WebSockets. */
  sockets(): WebSocket[]
  stop(): Promise<void>
}

export interface TestGatewayParts {
  readonly desktop?: Desktop
  readonly download?: boolean
  readonly rate?: Rate
  readonly rows?: Pick<RowsLink, 'open' | 'databases' | 'isReady'>
}

/** No watcher answers. */
const NO_ROWS: Pick<RowsLink, 'open' | 'databases' | 'isReady'> = {
  isReady: false,
  open: () => Promise.reject(new UnavailableError('the journal watcher does not answer')),
  databases: () => Promise.reject(new UnavailableError('the journal watcher does not answer')),
}

export async function startTestGateway(
  backend: SearchBackend,
  openRead = false,
  { desktop, download = false, rate, rows = NO_ROWS }: TestGatewayParts = {},
): Promise<TestGateway> {
  const token = createToken()
  const metrics = new GatewayMetrics()
  const hub = new EventHub(backend, 'test', silentLogger)
  const live = new LiveHub(backend, silentLogger)
  const server = new HttpServer({
    backend,
    hub,
    live,
    rows,
    metrics,
    pageFiles: await loadPageFiles(),
    highlighter: substringHighlighter,
    version: 'test',
    ...(rate === undefined ? {} : { rate }),
    log: silentLogger,
    port: 0,
    token,
    openRead,
    desktop,
    download,
  })
  const port = await server.start()
  hub.start()
  live.start()
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    token,
    metrics,
    hub,
    live,
    sockets: () => [...server.sockets],
    async stop() {
      hub.stop()
      live.stop()
      await server.stop(0)
    },
  }
}

/** Finds the whole query in a name: enough for a fake index that does the same. */
function substringHighlighter(request: SearchRequest): ShowName {
  const needle = request.query.toLowerCase()
  return name => {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(name)
    const at = needle === '' ? -1 : text.toLowerCase().indexOf(needle)
    return { text, matched: at < 0 ? [] : [[at, needle.length]] }
  }
}

export interface RawReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A request with exactly these headers (fetch would correct Host and Origin). An array repeats a header. */
export function rawRequest(
  port: number,
  target: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const headers = { host: `127.0.0.1:${port}`, ...options.headers }
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path: target,
        method: options.method ?? 'GET',
        setHost: false,
        headers: Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap(one => [name, one])),
        agent: false,
      },
      response => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(pieces).toString('utf8'),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(options.body)
  })
}
