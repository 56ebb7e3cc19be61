import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from '@hotpath/service'
import type { WebSocket } from 'ws'
import type { LiveHub } from '../live/live-hub.js'
import { LiveSocket } from '../live/live-socket.js'
import { isHandshake, LiveSockets } from '../live/live-sockets.js'
import { ChangesSocket } from '../rows/changes-socket.js'
import {
  type AccessRequest,
  type AccessRules,
  allowedHosts,
  CHANGES_PATH,
  DOWNLOAD_PATH,
  judge,
  pathOf,
  ROWS_PATH,
} from './access.js'
import type { AppParts } from './app.js'
import { MAX_BODY_BYTES } from './json-body.js'
import { MAX_TARGET_LENGTH } from './limits.js'
import { refusalBody } from './refusal-page.js'
import type { RequestListener } from './request-listener.js'
import { SECURITY_HEADERS } from './security-headers.js'
import { tokenVerifier } from './session-token.js'

/** Above the target: a few cookies and what browsers add. */
const MAX_HEADER_BYTES = 32_768
/** Six per browser, a stream per window, some scripts. */
const MAX_CONNECTIONS = 256
/** Whoever sends a request byte by byte holds a connection for this long. */
const HEADERS_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_TIMEOUT_MS = 10_000
const MAX_HEADERS = 64
/** By then native clients have had their first answers. */
const LOAD_AFTER_MS = 1_000

export interface HttpServerOptions extends Omit<AppParts, 'hasToken'> {
  readonly live: LiveHub
  /** 0 takes a free one. */
  readonly port: number
  readonly token: string
  readonly openRead: boolean
}

const LIVE_PATH = '/api/live'

interface Refused {
  readonly status: number
  readonly reason: string
}

/** The HTTP side of the gateway. Listens on 127.0.0.1 and nowhere else. */
export class HttpServer {
  readonly #server: Server
  readonly #log: Logger
  readonly #sockets = new LiveSockets()
  #listener: Promise<RequestListener> | undefined
  #loading: NodeJS.Timeout | undefined
  #rules: AccessRules | undefined
  /** Requests that came with the token. */
  readonly #known = new WeakSet<IncomingMessage>()

  constructor(readonly options: HttpServerOptions) {
    this.#log = options.log
    const { metrics } = options
    metrics.gauge('hotpath_live_sockets', 'Open WebSockets', () => this.#sockets.all.size)
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      },
      (request, response) => this.#handle(request, response),
    )
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.maxHeadersCount = MAX_HEADERS
  }

  /** Resolves with the port when connections are accepted. */
  async start(): Promise<number> {
    this.#server.listen({ host: '127.0.0.1', port: this.options.port, exclusive: true })
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    this.#rules = {
      hosts: allowedHosts(address.port),
      openRead: this.options.openRead,
      cookieName: cookieName(address.port),
      isToken: tokenVerifier(this.options.token),
    }
    this.#server.on('error', error => this.#log.error('http server failed', { error }))
    this.#loading = setTimeout(() => void this.#load(), LOAD_AFTER_MS).unref()
    return address.port
  }

  /** Open WebSockets. */
  get sockets(): ReadonlySet<WebSocket> {
    return this.#sockets.all
  }

  /** Requests that run may finish within `graceMs`; then their connections are cut. */
  async stop(graceMs = 1_000): Promise<void> {
    clearTimeout(this.#loading)
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeIdleConnections()
    this.#sockets.close()
    const cut = setTimeout(() => {
      this.#server.closeAllConnections()
      this.#sockets.cut()
    }, graceMs)
    await closed
    clearTimeout(cut)
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const started = performance.now()
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    const target = request.url ?? ''
    const { metrics } = this.options
    const route = routeLabel(pathOf(target), this.options)
    response.once('close', () => {
      metrics.request(route, response.writableFinished ? response.statusCode : 499)
      // A stream lasts as long as its window is open: that is no latency.
      if (route !== '/api/events') metrics.requestTook(route, (performance.now() - started) / 1000)
    })
    const admission = this.#admit(request, false)
    if ('reason' in admission) this.#refuse(request, response, admission)
    else if (admission.login !== undefined) this.#logIn(response, admission.login)
    else void this.#load().then(listener => listener(request, response))
  }

  /** What answers requests is loaded after the start, or with the first request: it takes 100 ms of a processor. */
  #load(): Promise<RequestListener> {
    this.#listener ??= import('./request-listener.js').then(({ createListener }) =>
      createListener({ ...this.options, hasToken: request => this.#known.has(request) }),
    )
    return this.#listener
  }

  /** What wants to be anything but a WebSocket (curl offers HTTP/2 so) is answered as if it had not asked. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Whoever leaves now leaves without an answer.
    const onError = () => socket.destroy()
    socket.on('error', onError)
    const path = pathOf(request.url ?? '')
    const hasSockets = path === LIVE_PATH || path === CHANGES_PATH
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    if (!hasSockets && isReading) {
      this.#handle(request, responseOn(request, socket))
      return
    }
    const admission = this.#admit(request, true)
    const refused = 'reason' in admission ? admission : this.#socketRefusal(request, hasSockets)
    if (refused !== undefined) {
      const response = responseOn(request, socket)
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
      this.#refuse(request, response, refused)
      this.#count(request, refused.status)
      return
    }
    socket.off('error', onError)
    this.#count(request, 101)
    const { live: hub, backend, highlighter, rows } = this.options
    this.#sockets.accept(request, socket, head, opened => {
      if (path === LIVE_PATH) new LiveSocket(opened, { hub, backend, highlighter })
      else new ChangesSocket(opened, (request.url ?? '').slice(CHANGES_PATH.length + 1), rows)
    })
  }

  #socketRefusal(request: IncomingMessage, hasSockets: boolean): Refused | undefined {
    const hasParameters = pathOf(request.url ?? '') === LIVE_PATH && request.url !== LIVE_PATH
    if (!hasSockets || !isHandshake(request) || hasParameters) return { status: 400, reason: 'upgrade' }
    return this.#sockets.isFull ? { status: 503, reason: 'too-many-sockets' } : undefined
  }

  #count(request: IncomingMessage, status: number): void {
    const route = routeLabel(pathOf(request.url ?? ''), this.options)
    this.options.metrics.request(route, status)
  }

  #admit(request: IncomingMessage, isUpgrade: boolean): Refused | { readonly login: string | undefined } {
    if ((request.url ?? '').length > MAX_TARGET_LENGTH) return { status: 414, reason: 'target-length' }
    if (this.#rules === undefined) return { status: 503, reason: 'starting' }
    const verdict = judge(accessRequest(request, isUpgrade), this.#rules)
    if (!verdict.allowed) return verdict
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return { status: 413, reason: 'body-size' }
    if (verdict.by === 'token' || verdict.by === 'cookie') this.#known.add(request)
    return { login: verdict.by === 'login' ? this.#rules.cookieName : undefined }
  }

  /** The token leaves the address bar (and the history) at once and stays in a cookie that scripts cannot read. */
  #logIn(response: ServerResponse, cookie: string): void {
    response.writeHead(303, {
      location: '/',
      'set-cookie': `${cookie}=${this.options.token}; Path=/; HttpOnly; SameSite=Strict`,
      'cache-control': 'no-store',
    })
    response.end()
  }

  #refuse(request: IncomingMessage, response: ServerResponse, { status, reason }: Refused): void {
    this.options.metrics.refusal(reason)
    this.#log.debug('request refused', { status, reason, method: request.method })
    const { headers, body } = refusalBody(status, reason, request)
    // What the client still sends is not read, so the connection cannot be used again.
    response.writeHead(status, { ...headers, 'cache-control': 'no-store', connection: 'close' })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
}

/** Cookies know no ports: without the port in the name, two gateways would log each other out. */
export function cookieName(port: number): string {
  return `hotpath-${port}`
}

/** A response on a connection that Node has let go of for an upgrade; the connection ends with it. */
function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  // An HTTP server hands out nothing else; the type is that of any stream.
  if (!(socket instanceof Socket)) throw new TypeError('the connection is no socket')
  response.assignSocket(socket)
  response.once('finish', () => socket.destroySoon())
  return response
}

function accessRequest(request: IncomingMessage, isUpgrade: boolean): AccessRequest {
  const { headers, headersDistinct } = request
  const site = headers['sec-fetch-site']
  return {
    method: request.method ?? '',
    isUpgrade,
    target: request.url ?? '',
    hosts: headersDistinct.host ?? [],
    origins: headersDistinct.origin ?? [],
    secFetchSite: Array.isArray(site) ? site.join(', ') : site,
    authorization: headers.authorization,
    cookie: headers.cookie,
    remoteAddress: request.socket.remoteAddress,
  }
}

function routeLabel(path: string, { pageFiles }: Pick<AppParts, 'pageFiles'>): string {
  if (ROUTES.has(path)) return path
  return pageFiles.has(path) ? 'page' : 'other'
}

const ROUTES = new Set([
  '/api/search',
  '/api/status',
  '/api/clock',
  '/api/statistics',
  '/api/sizes',
  '/api/rescan',
  '/api/open',
  '/api/forget',
  '/api/launch',
  DOWNLOAD_PATH,
  '/api/events',
  LIVE_PATH,
  CHANGES_PATH,
  '/api/databases',
  ROWS_PATH,
  '/health',
  '/metrics',
])
