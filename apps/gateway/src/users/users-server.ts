import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { UnavailableError } from '@hotpath/model'
import { nativeProblem, type PeerCredentials, peerCredentials, SUPERUSER } from '@hotpath/platform'
import type { Viewer } from '@hotpath/protocol'
import type { Logger } from '@hotpath/service'
import { pathOf } from '../http/access.js'
import { failureReply } from '../http/failure-reply.js'
import { MAX_TARGET_LENGTH } from '../http/limits.js'
import { parseSearchParams } from '../http/search-params.js'
import { type ShowName, searchReply } from '../http/search-reply.js'
import { SECURITY_HEADERS } from '../http/security-headers.js'
import type { Barrier, SearchAnswer, SearchRequest } from '../search-backend.js'
import { MAX_CONNECTIONS, UserLimits } from './user-limits.js'
import { listenForAll } from './users-socket.js'

/** What other users may ask for: reading, and nothing that speaks of all entries together. */
export interface UsersBackend {
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer>
  searchAs(viewer: Viewer, request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer>
  clock(signal: AbortSignal): Promise<Barrier>
}

export interface UsersServerOptions {
  /** Of the Unix socket. */
  readonly path: string
  readonly backend: UsersBackend
  readonly highlighter: (request: SearchRequest) => ShowName
  readonly log: Logger
  /** Who connected; given by tests. */
  readonly peerOf?: (socket: Socket) => PeerCredentials
}

export interface UsersServer {
  stats(): { readonly connections: number; readonly refused: number }
  stop(): Promise<void>
}

const DEADLINE_MS = 10_000
const MAX_HEADER_BYTES = 32_768
const MAX_HEADERS = 64
const HEADERS_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_TIMEOUT_MS = 10_000
const STOP_MS = 1_000

interface Reply {
  readonly status: number
  readonly body: unknown
}

/**
 * Answers searches of other users of this machine over a Unix socket: HTTP as on the loopback address, but reading only and without
 * a token, because the kernel says who is there. Resolves when it listens. Throws UnavailableError if it cannot.
 */
export async function startUsersServer(options: UsersServerOptions): Promise<UsersServer> {
  const { backend, highlighter, log, peerOf = peerOfSocket } = options
  const problem = nativeProblem()
  if (problem !== null) throw new UnavailableError(`users.listen: ${problem.message}`, { cause: problem })
  const limits = new UserLimits()
  const peers = new WeakMap<Socket, PeerCredentials>()

  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    (request, response) => void handle(request, response),
  )
  server.maxHeadersCount = MAX_HEADERS
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', socket => {
    try {
      const peer = peerOf(socket)
      if (!limits.enter(peer.user)) {
        socket.destroy()
        return
      }
      peers.set(socket, peer)
      socket.once('close', () => limits.leave(peer.user))
    } catch (error) {
      // Nobody in particular gets nothing.
      log.warn('who connected cannot be said', { error })
      socket.destroy()
    }
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    const peer = peers.get(request.socket)
    if (peer === undefined) {
      request.socket.destroy()
      return
    }
    const refusal = refusalOf(request)
    if (refusal !== undefined) return send(request, response, refusal, true)
    if (!limits.begin(peer.user)) {
      response.setHeader('retry-after', '1')
      return send(request, response, failure(429, 'BUSY', 'too many requests of one user; try again'))
    }
    const gone = new AbortController()
    const onClose = () => gone.abort()
    response.once('close', onClose)
    try {
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(DEADLINE_MS)])
      send(request, response, await answer(peer, request.url ?? '', signal))
    } catch (error) {
      const { status, body } = failureReply(error)
      if (status === 500) log.error('request of another user failed', { error })
      send(request, response, { status: status === 499 ? 503 : status, body })
    } finally {
      response.off('close', onClose)
      limits.end(peer.user)
    }
  }

  async function answer(peer: PeerCredentials, target: string, signal: AbortSignal): Promise<Reply> {
    const queryStart = target.indexOf('?')
    const query = queryStart < 0 ? '' : target.slice(queryStart + 1)
    switch (pathOf(target)) {
      case '/api/search': {
        const request = parseSearchParams(query)
        const { user, groups } = peer
        const found = isOwner(user)
          ? await backend.search(request, signal)
          : await backend.searchAs({ user, groups }, request, signal)
        return { status: 200, body: searchReply(found, highlighter(request)) }
      }
      case '/api/clock':
        if (query !== '') return failure(400, 'INVALID_INPUT', 'there are no parameters here')
        // Which roots are not covered would name them.
        return { status: 200, body: { clock: (await backend.clock(signal)).clock } }
      default:
        return failure(404, 'NOT_FOUND', 'other users can ask for /api/search and /api/clock')
    }
  }

  await listenForAll(server, options.path, log)
  log.info('answering other users', { path: options.path })
  return {
    stats: () => ({ connections: limits.connections, refused: limits.refused }),
    stop: () => stop(server),
  }
}

/** Root may read everything, and we are who the index belongs to: what these see is all of it. */
function isOwner(user: number): boolean {
  return user === SUPERUSER || user === process.geteuid?.()
}

function peerOfSocket(socket: Socket): PeerCredentials {
  // Not in the types, but what Node has for every connected socket.
  const { fd } = (socket as Socket & { readonly _handle?: { readonly fd: number } })._handle ?? {}
  if (fd === undefined || fd < 0) throw new TypeError('the connection has no descriptor')
  return peerCredentials(fd)
}

function refusalOf(request: IncomingMessage): Reply | undefined {
  const { headers, method, url = '' } = request
  if (method !== 'GET' && method !== 'HEAD') return failure(405, 'METHOD_NOT_ALLOWED', 'other users may only read')
  if (url.length > MAX_TARGET_LENGTH) return failure(414, 'URL_TOO_LONG', `at most ${MAX_TARGET_LENGTH} characters`)
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) {
    return failure(413, 'BODY_TOO_LARGE', 'no request here has a body')
  }
  // No browser can connect; whatever looks like one is something else.
  return headers.origin === undefined ? undefined : failure(403, 'FORBIDDEN', 'no page of a browser may ask here')
}

function failure(status: number, code: string, message: string): Reply {
  return { status, body: { error: { code, message } } }
}

function send(request: IncomingMessage, response: ServerResponse, { status, body }: Reply, isLast = false): void {
  if (response.destroyed) return
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...(isLast ? { connection: 'close' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), STOP_MS)
  await closed
  clearTimeout(cut)
}
