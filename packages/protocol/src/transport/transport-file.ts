import { randomBytes, randomInt } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { InvalidInputError, UnavailableError } from '@hotpath/model'
import { codeOf } from '../socket/common.js'
import { SOCKET_NAMES, type SocketName } from '../socket-names.js'
import { type CurveKeys, createCurveKeys, KEY_NAMES } from './curve-keys.js'

const FILE_NAME = 'transport.json'
const MAX_FILE_BYTES = 16_384
/** Below the ports that systems give away by themselves: from 32768 on Linux, from 49152 on Windows. */
const FIRST_PORT = 20_000
const END_PORT = 32_768
const KEY = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/
const TRIES = 20

/** Where the sockets of a system are where they have no names in the file system, and the keys that open them. */
export interface TransportFile {
  /** Layout of the file: 1. */
  readonly version: 1
  readonly keys: CurveKeys
  /** On 127.0.0.1, all different. */
  readonly ports: Readonly<Record<SocketName, number>>
}

/**
 * Reads `<runtimeDir>/transport.json` (on Windows that is the data directory), or makes it (mode 0600, in one step) if there is none. The directory must be there and its
 * owner's alone. Throws UnavailableError, or InvalidInputError if the file is not what it should be.
 */
export function openTransportFile(runtimeDir: string): TransportFile {
  const path = join(runtimeDir, FILE_NAME)
  const known = read(path)
  if (known !== undefined) return known
  write(path, { version: 1, keys: createCurveKeys(), ports: randomPorts() }, false)
  // Another process may have made one at the same time: the first counts.
  const made = read(path)
  if (made === undefined) throw new UnavailableError(`cannot make ${JSON.stringify(path)}`)
  return made
}

/** The keys of a system that runs. Throws as openTransportFile, and makes nothing. */
export function readKeys(runtimeDir: string): CurveKeys {
  const path = join(runtimeDir, FILE_NAME)
  const known = read(path)
  if (known === undefined) throw new UnavailableError(`there are no keys in ${JSON.stringify(path)}`)
  return known.keys
}

/**
 * Chooses other ports if another program has one of them. Only for who starts the whole system, before any part of it runs.
 */
export async function settlePorts(runtimeDir: string): Promise<void> {
  let file = openTransportFile(runtimeDir)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (await areFree(Object.values(file.ports))) return
    file = { ...file, ports: randomPorts() }
    write(join(runtimeDir, FILE_NAME), file, true)
  }
  throw new UnavailableError(`no free ports from ${FIRST_PORT} to ${END_PORT - 1} on 127.0.0.1`)
}

function randomPorts(): Record<SocketName, number> {
  const first = randomInt(FIRST_PORT, END_PORT - SOCKET_NAMES.length)
  return Object.fromEntries(SOCKET_NAMES.map((name, i) => [name, first + i])) as Record<SocketName, number>
}

async function areFree(ports: readonly number[]): Promise<boolean> {
  const answers = await Promise.all(ports.map(isFree))
  return answers.every(free => free)
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Readers see no file or a whole one. A file that is there stays, unless `replaces`. */
function write(path: string, content: TransportFile, replaces: boolean): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeFileSync(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
    if (replaces) renameSync(temporary, path)
    else linkSync(temporary, path)
  } catch (error) {
    if (!replaces && codeOf(error) === 'EEXIST') return
    throw new UnavailableError(`cannot write ${JSON.stringify(path)}: ${codeOf(error)}`, { cause: error })
  } finally {
    rmSync(temporary, { force: true })
  }
}

function read(path: string): TransportFile | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new UnavailableError(`cannot read ${JSON.stringify(path)}: ${codeOf(error)}`, { cause: error })
  }
  const content = text.length > MAX_FILE_BYTES ? undefined : parse(text)
  // What is in it is secret: it is not shown.
  if (content === undefined)
    throw new InvalidInputError(path, 'keys and ports (remove the file: a new one is made)', 'something else')
  return content
}

function parse(text: string): TransportFile | undefined {
  try {
    const { version, keys, ports: found } = JSON.parse(text) as TransportFile
    if (version !== 1 || !KEY_NAMES.every(name => typeof keys[name] === 'string' && KEY.test(keys[name])))
      return undefined
    const ports = withNewSockets(found)
    const numbers = SOCKET_NAMES.map(name => ports[name])
    const isPort = (port: unknown) => Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536
    return numbers.every(isPort) && new Set(numbers).size === numbers.length ? { version, keys, ports } : undefined
  } catch {
    return undefined
  }
}

/** A file of an older version lacks sockets that came later: they get the numbers behind all others, in each process the same. */
function withNewSockets(found: TransportFile['ports']): TransportFile['ports'] {
  const ports: Partial<Record<SocketName, number>> = { ...found }
  let last = Math.max(...Object.values(found))
  for (const name of SOCKET_NAMES) ports[name] ??= ++last
  return ports as TransportFile['ports']
}
