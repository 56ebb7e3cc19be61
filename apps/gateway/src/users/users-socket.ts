import { once } from 'node:events'
import { chmod, lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import type { Logger } from '@hotpath/service'

/** Everybody may connect: who it is says the kernel. */
const SOCKET_MODE = 0o666
const SEARCH_BY_OTHERS = 0o001

/**
 * Listens on a Unix socket that all users may connect to. What a killed run left there is replaced. Throws UnavailableError if
 * something else is there, or somebody answers.
 */
export async function listenForAll(server: Server, path: string, log: Logger): Promise<void> {
  await removeStale(path)
  server.listen(path)
  await once(server, 'listening').catch(cause => {
    throw new UnavailableError(`cannot listen on ${JSON.stringify(path)}: ${String(cause)}`, { cause })
  })
  await chmod(path, SOCKET_MODE)
  const directory = await lstat(dirname(path))
  if ((directory.mode & SEARCH_BY_OTHERS) === 0) {
    log.warn('other users cannot reach the socket: its directory is closed to them', { path })
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw new UnavailableError(`${JSON.stringify(path)} is there and is no socket`)
  if (await answers(path)) throw new UnavailableError(`somebody else listens on ${JSON.stringify(path)}`)
  await unlink(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
