/**
 * Who may ask what: the whole rule in one pure function, so that the matrix of Host × Origin × token × method can be
 * tested row by row. Nothing here reads a body or a clock.
 */

export interface AccessRules {
  /** Exact values of `Host`, with the port. */
  readonly hosts: ReadonlySet<string>
  /** Reading from the loopback address needs no token. */
  readonly openRead: boolean
  /** Name of the cookie that carries the token. */
  readonly cookieName: string
  readonly isToken: (presented: string) => boolean
}

/** What of a request decides about access; header values as they came, undefined where absent. */
export interface AccessRequest {
  readonly method: string
  /** It asks for a WebSocket, over which no header comes any more. */
  readonly isUpgrade: boolean
  /** Path and query as sent in the request line. */
  readonly target: string
  /** Every `Host` line: more than one is refused. */
  readonly hosts: readonly string[]
  readonly origins: readonly string[]
  readonly secFetchSite: string | undefined
  readonly authorization: string | undefined
  readonly cookie: string | undefined
  readonly remoteAddress: string | undefined
}

export type Refusal =
  | 'target'
  | 'method'
  | 'host'
  | 'origin'
  | 'cross-site'
  | 'remote'
  | 'token-missing'
  | 'token-wrong'
  | 'origin-missing'

export type Verdict =
  | { readonly allowed: true; readonly by: 'public' | 'open-read' | 'token' | 'cookie' | 'login' }
  | { readonly allowed: false; readonly status: 400 | 401 | 403 | 405; readonly reason: Refusal }

/** Files themselves: for whoever has the token, never by `openRead`. */
export const DOWNLOAD_PATH = '/api/file'
/** What is in databases, also encrypted ones: the same. */
export const CHANGES_PATH = '/api/changes'
export const ROWS_PATH = '/api/rows'
const NEVER_OPEN = new Set([DOWNLOAD_PATH, CHANGES_PATH, ROWS_PATH])

const READING = new Set(['GET', 'HEAD'])
const METHODS = new Set(['GET', 'HEAD', 'POST'])

/** `Host` values under which a server on 127.0.0.1 may be addressed. Browsers leave port 80 out. */
export function allowedHosts(port: number): ReadonlySet<string> {
  const names = ['127.0.0.1', 'localhost']
  return new Set(names.flatMap(name => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`])))
}

export function judge(request: AccessRequest, rules: AccessRules): Verdict {
  // An absolute-form target ("GET http://elsewhere/") would bring a second host; only paths are served.
  if (!request.target.startsWith('/') || request.target.startsWith('//')) return refuse(400, 'target')
  if (!METHODS.has(request.method)) return refuse(405, 'method')
  if (!isLoopback(request.remoteAddress)) return refuse(403, 'remote')
  // DNS rebinding: a foreign name that resolves to 127.0.0.1 arrives with that name here.
  const host = request.hosts[0]
  if (request.hosts.length !== 1 || host === undefined || !rules.hosts.has(host)) return refuse(403, 'host')
  const ownOrigin = request.origins.length === 1 && request.origins[0] === `http://${host}`
  if (request.origins.length > 0 && !ownOrigin) return refuse(403, 'origin')
  // "same-site" is refused too: another port of localhost is the same site, and it is not us.
  const site = request.secFetchSite
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return refuse(403, 'cross-site')

  const path = pathOf(request.target)
  const reading = READING.has(request.method)
  if (path === '/health' && reading) return allow('public')

  // One right token is enough: browsers go on sending the password of an earlier start beside a fresh login.
  const login = path === '/' && reading ? loginToken(request.target) : undefined
  if (login !== undefined && rules.isToken(login)) return allow('login')
  const presented = presentedToken(request.authorization)
  if (presented !== undefined && rules.isToken(presented)) return allow('token')
  const cookies = cookieValues(request.cookie, rules.cookieName)
  if (cookies.some(rules.isToken)) {
    // A browser adds the cookie by itself, so an action must prove that our own page sent it; a WebSocket, too, because
    // no same-origin rule keeps another page from reading what comes over it.
    if ((!reading || request.isUpgrade) && !ownOrigin) return refuse(403, 'origin-missing')
    return allow('cookie')
  }
  const wrong = presented !== undefined || login !== undefined
  // A cookie of an earlier start is no attempt to be somebody.
  if (reading && rules.openRead && !wrong && !NEVER_OPEN.has(path)) return allow('open-read')
  return refuse(401, wrong || cookies.length > 0 ? 'token-wrong' : 'token-missing')
}

/** The `token` parameter of a login address (`/?token=…`), if there is exactly one. */
export function loginToken(target: string): string | undefined {
  const query = target.indexOf('?')
  if (query < 0) return undefined
  const values = new URLSearchParams(target.slice(query + 1)).getAll('token')
  return values.length === 1 ? values[0] : undefined
}

export function pathOf(target: string): string {
  const end = target.search(/[?#]/)
  return end < 0 ? target : target.slice(0, end)
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (/^127\.\d+\.\d+\.\d+$/.test(address) || address === '::1')
}

/** Token of `Authorization: Bearer TOKEN` or the password of `Basic`; an empty string where the header is something else. */
function presentedToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +([A-Za-z0-9._~+/=-]+) *$/.exec(authorization) ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() !== 'basic') return ''
  const credentials = Buffer.from(value, 'base64').toString('utf8')
  const colon = credentials.indexOf(':')
  return colon < 0 ? '' : credentials.slice(colon + 1)
}

function cookieValues(header: string | undefined, name: string): string[] {
  if (header === undefined) return []
  return header
    .split(';')
    .map(part => part.trim())
    .filter(part => part.startsWith(`${name}=`))
    .map(part => part.slice(name.length + 1))
}

function allow(by: Extract<Verdict, { allowed: true }>['by']): Verdict {
  return { allowed: true, by }
}

function refuse(status: 400 | 401 | 403 | 405, reason: Refusal): Verdict {
  return { allowed: false, status, reason }
}
