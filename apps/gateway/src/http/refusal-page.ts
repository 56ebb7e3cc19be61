import { type IncomingMessage, STATUS_CODES } from 'node:http'
import { pathOf } from './access.js'

export interface RefusalBody {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  target: 'the request must name a path',
  'target-length': 'the address is too long',
  'body-size': 'the body is too large',
  upgrade: 'the headers do not open a WebSocket of version 13, or this address has none',
  'too-many-sockets': 'too many WebSockets are open',
  starting: 'the gateway is starting',
  method: 'only GET, HEAD and POST are served',
  remote: 'only this machine is served',
  host: 'the Host header does not name this server',
  origin: 'requests of other origins are not served',
  'cross-site': 'requests of other sites are not served',
  'token-missing': 'a token is needed; it is in the file "token" of the data directory',
  'token-wrong': 'the token is not the one of the running gateway; it changes with every start',
  'origin-missing': 'an action or a WebSocket with a cookie must say its Origin',
}

/** Fixed text only: nothing of the request is repeated. */
const LOGIN_PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>hotpath: not signed in</title>
<meta name="color-scheme" content="light dark"><meta name="viewport" content="width=device-width">
<h1>Not signed in</h1>
<p>Open the address that <code>hotpath start</code> printed (it ends in <code>?token=…</code>), or reload this page and
give the content of the file <code>token</code> in the data directory as the password.
<p>The token changes whenever hotpath is started again.
</html>
`

/** What a refused client is told. A browser that opens the page without a token may ask its user for it. */
export function refusalBody(status: number, reason: string, request: IncomingMessage): RefusalBody {
  const isPage =
    status === 401 && pathOf(request.url ?? '') === '/' && (request.headers.accept ?? '').includes('text/html')
  if (isPage) {
    return {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'www-authenticate': 'Basic realm="hotpath (the password is the token)", charset="UTF-8"',
      },
      body: LOGIN_PAGE,
    }
  }
  const error = { code: codeOf(status, reason), message: EXPLANATIONS[reason] ?? STATUS_CODES[status] ?? 'refused' }
  return {
    headers: {
      'content-type': 'application/json',
      // Bearer, not Basic: a browser would open its password window over the page.
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="hotpath"' } : {}),
      ...(status === 503 ? { 'retry-after': '5' } : {}),
      ...(status === 405 ? { allow: 'GET, HEAD, POST' } : {}),
    },
    body: `${JSON.stringify({ error })}\n`,
  }
}

function codeOf(status: number, reason: string): string {
  if (reason === 'too-many-sockets') return 'BUSY'
  if (status === 401) return 'UNAUTHORIZED'
  if (status === 403) return 'FORBIDDEN'
  if (status === 405) return 'METHOD_NOT_ALLOWED'
  if (status === 413) return 'BODY_TOO_LARGE'
  if (status === 414) return 'URL_TOO_LONG'
  if (status === 503) return 'UNAVAILABLE'
  return 'BAD_REQUEST'
}
