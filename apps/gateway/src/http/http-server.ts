import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Logger } from '@hotpath/service'
import { type AccessRequest, type AccessRules, allowedHosts, judge, pathOf } from './access.js'
import { type AppParts, createApp } from './app.js'
import { MAX_BODY_BYTES } from './json-body.js'
import { refusalBody } from './refusal-page.js'
import { SECURITY_HEADERS } from './security-headers.js'
import { tokenVerifier } from './session-token.js'

/** A query of 2,048 characters, percent-encoded, and a path. */
export const MAX_TARGET_LENGTH = 16_384
/** Above the target: a few cookies and what browsers add. */
const MAX_HEADER_BYTES = 32_768
/** Six per browser, a stream per window, some scripts. */
const MAX_CONNECTIONS = 256
/** Whoever sends a request byte by byte holds a connection for this long. */
const HEADERS_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_TIMEOUT_MS = 10_000
const MAX_HEADERS = 64

export interface HttpServerOptions extends AppParts {
  /** 0 takes a free one. */
  readonly port: number
  readonly token: string
  readonly openRead: boolean
}

interface Refused {
  readonly status: number
  readonly reason: string
}

/** The HTTP side of the gateway. Listens on 127.0.0.1 and nowhere else. */
export class HttpServer {
  readonly #server: Server
  readonly #log: Logger
  #rules: AccessRules | undefined

  constructor(readonly options: HttpServerOptions) {
    this.#log = options.log
    const app = createApp(options)
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, hostname: '127.0.0.1' })
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      },
      (request, response) => this.#handle(request, response, listener),
    )
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
    return address.port
  }

  /** Requests that run may finish within `graceMs`; then their connections are cut. */
  async stop(graceMs = 1_000): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeIdleConnections()
    const cut = setTimeout(() => this.#server.closeAllConnections(), graceMs)
    await closed
    clearTimeout(cut)
  }

  #handle(request: IncomingMessage, response: ServerResponse, listener: ReturnType<typeof getRequestListener>): void {
    const started = performance.now()
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    const target = request.url ?? ''
    const { metrics } = this.options
    const route = routeLabel(pathOf(target), this.options)
    response.once('close', () => {
      metrics.requests.inc({ route, status: response.writableFinished ? response.statusCode : 499 })
      // A stream lasts as long as its window is open: that is no latency.
      if (route !== '/api/events') metrics.requestSeconds.observe({ route }, (performance.now() - started) / 1000)
    })
    const admission = this.#admit(request)
    if ('reason' in admission) this.#refuse(request, response, admission)
    else if (admission.login !== undefined) this.#logIn(response, admission.login)
    else void listener(request, response)
  }

  #admit(request: IncomingMessage): Refused | { readonly login: string | undefined } {
    if ((request.url ?? '').length > MAX_TARGET_LENGTH) return { status: 414, reason: 'target-length' }
    if (this.#rules === undefined) return { status: 503, reason: 'starting' }
    const verdict = judge(accessRequest(request), this.#rules)
    if (!verdict.allowed) return verdict
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return { status: 413, reason: 'body-size' }
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
    this.options.metrics.refusals.inc({ reason })
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

function accessRequest(request: IncomingMessage): AccessRequest {
  const { headers, headersDistinct } = request
  const site = headers['sec-fetch-site']
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    hosts: headersDistinct.host ?? [],
    origins: headersDistinct.origin ?? [],
    secFetchSite: Array.isArray(site) ? site.join(', ') : site,
    authorization: headers.authorization,
    cookie: headers.cookie,
    remoteAddress: request.socket.remoteAddress,
  }
}

function routeLabel(path: string, { pageFiles }: AppParts): string {
  if (ROUTES.has(path)) return path
  return pageFiles.has(path) ? 'page' : 'other'
}

const ROUTES = new Set([
  '/api/search',
  '/api/status',
  '/api/clock',
  '/api/rescan',
  '/api/open',
  '/api/events',
  '/health',
  '/metrics',
])
