/** Where the stages meet. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { platform } from 'node:os'
import { join } from 'node:path'
import { InvalidInputError, UnavailableError } from '@hotpath/model'
import { codeOf } from './socket/common.js'
import { SOCKET_NAMES, type SocketName } from './socket-names.js'
import { keepKeys } from './transport/curve-keys.js'
import { openTransportFile, readKeys } from './transport/transport-file.js'

export type { SocketName } from './socket-names.js'
export { SOCKET_NAMES } from './socket-names.js'

export type Endpoints = Readonly<Record<SocketName, string>>

/** Size of `sun_path` on Linux without its NUL; on other systems it is smaller still, and bind says so. */
export const MAX_SOCKET_PATH_BYTES = 107

/**
 * The ipc address of one socket in `runtimeDir`, a private directory (mode 0700). Never an abstract name: any user of
 * the machine could connect to that. Throws InvalidInputError if the path is too long for a socket.
 */
export function socketEndpoint(runtimeDir: string, name: SocketName): string {
  const path = join(runtimeDir, `${name}.sock`)
  const length = Buffer.byteLength(path)
  if (!path.startsWith('/')) throw new InvalidInputError('runtime directory', 'an absolute path', JSON.stringify(path))
  if (length > MAX_SOCKET_PATH_BYTES)
    throw new InvalidInputError(
      `path of the socket ${JSON.stringify(path)}`,
      `at most ${MAX_SOCKET_PATH_BYTES} bytes (choose a shorter data directory, or set XDG_RUNTIME_DIR)`,
      `${length} bytes`,
    )
  return `ipc://${path}`
}

/** What sockets are made of: files (`ipc`), or ports of 127.0.0.1 with keys (`tcp`). */
export type Transport = 'ipc' | 'tcp'

/** ZeroMQ has no ipc on Windows. */
export const TRANSPORT: Transport = platform() === 'win32' ? 'tcp' : 'ipc'

/**
 * All addresses of the system with this runtime directory, a private one that is there. With `tcp` the keys are made the first time, and
 * sockets of this process use them from here on. Throws InvalidInputError if one of the paths is too long for a socket,
 * UnavailableError if the keys cannot be read.
 */
export function socketEndpoints(runtimeDir: string, transport: Transport = TRANSPORT): Endpoints {
  return transport === 'ipc' ? ipcEndpoints(runtimeDir) : tcpEndpoints(runtimeDir)
}

function ipcEndpoints(runtimeDir: string): Endpoints {
  return endpointsOf(name => socketEndpoint(runtimeDir, name))
}

function tcpEndpoints(runtimeDir: string): Endpoints {
  const { keys, ports } = openTransportFile(runtimeDir)
  const endpoints = endpointsOf(name => `tcp://127.0.0.1:${ports[name]}`)
  keepKeys(Object.values(endpoints), keys)
  return endpoints
}

function endpointsOf(addressOf: (name: SocketName) => string): Endpoints {
  const endpoints: Partial<Record<SocketName, string>> = {}
  for (const name of SOCKET_NAMES) endpoints[name] = addressOf(name)
  return endpoints as Endpoints
}

/** Content of `<data>/endpoints.json`. */
export interface EndpointsFile {
  /** Layout of the file: 1. */
  readonly version: 1
  readonly pid: number
  readonly sockets: Readonly<Partial<Record<SocketName, string>>>
  /** `http://127.0.0.1:7717`, without a token. */
  readonly http?: string
}

const FILE_NAME = 'endpoints.json'
const MAX_FILE_BYTES = 65_536
const CONNECTABLE = /^(ipc:\/\/\/|tcp:\/\/(127\.0\.0\.1|\[::1\]):\d+$)/

/** Writes `<dataDir>/endpoints.json` (mode 0600) in one step: readers see the old file or the new one. */
export function writeEndpointsFile(dataDir: string, content: EndpointsFile): void {
  const path = join(dataDir, FILE_NAME)
  const temporary = `${path}.${process.pid}.tmp`
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 })
    // The mode of writeFileSync is subject to the umask only when it creates the file.
    chmodSync(temporary, 0o600)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Removes the file if `pid` wrote it: a successor's file stays. */
export function removeEndpointsFile(dataDir: string, pid: number): void {
  try {
    if (readEndpointsFile(dataDir).pid === pid) rmSync(join(dataDir, FILE_NAME), { force: true })
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
  }
}

/** Throws UnavailableError if there is no file, InvalidInputError if it is not what it should be. */
export function readEndpointsFile(dataDir: string): EndpointsFile {
  const path = join(dataDir, FILE_NAME)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new UnavailableError(`nothing runs for ${JSON.stringify(dataDir)}`)
    throw new UnavailableError(`cannot read ${JSON.stringify(path)}: ${codeOf(error)}`, { cause: error })
  }
  if (text.length > MAX_FILE_BYTES)
    throw new InvalidInputError(path, `at most ${MAX_FILE_BYTES} bytes`, `${text.length}`)
  return checkFile(parseJson(text, path), path)
}

/**
 * Lets sockets of this process connect to these addresses, where that takes keys: they are in the data directory. Throws
 * UnavailableError if this user cannot read them.
 */
export function keepKeysFor(dataDir: string, { sockets }: EndpointsFile): void {
  const guarded = Object.values(sockets).filter(address => !address.startsWith('ipc://'))
  if (guarded.length > 0) keepKeys(guarded, readKeys(dataDir))
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidInputError(path, 'JSON', error instanceof Error ? error.message : 'something else')
  }
}

function checkFile(value: unknown, path: string): EndpointsFile {
  const refuse = (what: string, expected: string, found: unknown): never => {
    throw new InvalidInputError(`${path}: ${what}`, expected, JSON.stringify(found) ?? 'nothing')
  }
  if (!isRecord(value)) return refuse('content', 'an object', value)
  const { version, pid, sockets, http } = value
  if (version !== 1) return refuse('version', '1', version)
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1) return refuse('pid', 'a process id', pid)
  if (!isRecord(sockets)) return refuse('sockets', 'an object', sockets)
  const known: Partial<Record<SocketName, string>> = {}
  for (const name of SOCKET_NAMES) {
    const address = sockets[name]
    if (address === undefined) continue
    if (typeof address !== 'string' || !CONNECTABLE.test(address))
      return refuse(`sockets.${name}`, 'an ipc path or a loopback tcp address', address)
    known[name] = address
  }
  if (http !== undefined && typeof http !== 'string') return refuse('http', 'a URL', http)
  return { version, pid, sockets: known, ...(http === undefined ? {} : { http }) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
