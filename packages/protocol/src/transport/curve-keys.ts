import { InvalidInputError } from '@hotpath/model'
import { curveKeyPair } from 'zeromq'

/**
 * Keys of CURVE (CurveZMQ, RFC 26), as Z85 text of 40 characters. A server never sends its public key: who does not know it gets no
 * connection, so that it is as secret as the others. All of them are in one file that only the user can read.
 */
export interface CurveKeys {
  readonly serverPublic: string
  readonly serverSecret: string
  readonly clientPublic: string
  readonly clientSecret: string
}

export const KEY_NAMES = ['serverPublic', 'serverSecret', 'clientPublic', 'clientSecret'] as const

export function createCurveKeys(): CurveKeys {
  const server = curveKeyPair()
  const client = curveKeyPair()
  return {
    serverPublic: server.publicKey,
    serverSecret: server.secretKey,
    clientPublic: client.publicKey,
    clientSecret: client.secretKey,
  }
}

/** Keys by the address that they belong to. */
const keysByAddress = new Map<string, CurveKeys>()

/** From here on sockets of this process use the keys at these addresses. */
export function keepKeys(addresses: Iterable<string>, keys: CurveKeys): void {
  for (const address of addresses) keysByAddress.set(address, keys)
}

interface ServerSecurity {
  readonly curveServer?: boolean
  readonly curveSecretKey?: string
}

interface ClientSecurity {
  readonly curveServerKey?: string
  readonly curvePublicKey?: string
  readonly curveSecretKey?: string
}

/** Options of a socket that binds to an address. Throws InvalidInputError for a tcp address without keys: anybody could connect. */
export function serverSecurity(endpoint: string): ServerSecurity {
  const keys = keysOf(endpoint)
  return keys === undefined ? {} : { curveServer: true, curveSecretKey: keys.serverSecret }
}

/** Options of a socket that connects to an address. Throws InvalidInputError for a tcp address without keys: anybody could answer. */
export function clientSecurity(endpoint: string): ClientSecurity {
  const keys = keysOf(endpoint)
  if (keys === undefined) return {}
  return { curveServerKey: keys.serverPublic, curvePublicKey: keys.clientPublic, curveSecretKey: keys.clientSecret }
}

/** A box (16), the rest of a nonce (8), the name of the command (8) and flags: RFC 26, "MESSAGE command". */
const SEALED_BYTES = 33
/** INITIATE, the longest step of the handshake, has some 300 bytes with its metadata. */
const HANDSHAKE_BYTES = 1_024

/** What a socket must let in so that messages of `bytes` arrive: where there are keys they come sealed, after a handshake. */
export function largestFrame(endpoint: string, bytes: number): number {
  return keysOf(endpoint) === undefined ? bytes : Math.max(HANDSHAKE_BYTES, bytes + SEALED_BYTES)
}

/** Undefined where the file system guards the address. */
function keysOf(endpoint: string): CurveKeys | undefined {
  if (endpoint.startsWith('ipc://')) return undefined
  const keys = keysByAddress.get(endpoint)
  if (keys === undefined) throw new InvalidInputError('endpoint', 'an ipc address, or one with keys', endpoint)
  return keys
}
