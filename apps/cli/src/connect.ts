import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, ended, type StartSystem, UnavailableError } from '@hotpath/client'
import { type Config, makePrivateDirectory, stageDirectories } from '@hotpath/service'
import type { ConnectOptions } from './context.js'
import type { IndexClient } from './index-client.js'
import { planStart } from './start-plan.js'

/** A running gateway answers within milliseconds; a file that a dead one left must not make a person wait for long. */
const CONNECT_TIMEOUT_MS = 3_000

const PROGRAM = fileURLToPath(new URL('../bin/hotpath.mjs', import.meta.url))

/**
 * A connection to the gateway of the system that runs for this data directory, or, where none does, to the socket that somebody's
 * service has for all users, if the configuration says where it is. If neither answers a system is started, apart from this process, where
 * that is wanted and clear what it would index. Else rejects with UnavailableError.
 */
export async function connectIndex(config: Config, { start, say }: ConnectOptions): Promise<IndexClient> {
  const { dataDir, usersListen } = config
  if (usersListen !== '') {
    const running = await connectRunning(dataDir, usersListen)
    if (!(running instanceof UnavailableError)) return running
    if (!start) throw running
  }
  if (!start) return connect({ dataDir, timeoutMs: CONNECT_TIMEOUT_MS })
  const plan = await planStart(dataDir)
  if ('reason' in plan) {
    try {
      return await connect({ dataDir, timeoutMs: CONNECT_TIMEOUT_MS })
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      throw new UnavailableError(`${error.message}; ${plan.reason}`, { cause: error })
    }
  }
  return connect({
    dataDir,
    start: startApart(plan.flags, () =>
      say(`starting hotpath, which indexes ${plan.sources}; \`hotpath stop\` ends it`),
    ),
  })
}

/** The own system, or that of all users, or why neither answers. */
async function connectRunning(dataDir: string, usersListen: string): Promise<IndexClient | UnavailableError> {
  try {
    return await connect({ dataDir, timeoutMs: CONNECT_TIMEOUT_MS })
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
  }
  try {
    const { connectAsUser } = await import('./users-client.js')
    return await connectAsUser(usersListen)
  } catch (error) {
    if (error instanceof UnavailableError) return error
    throw error
  }
}

/** Starts a system that goes on without this process and its terminal. What it says at its start is kept for who asks why it failed. */
function startApart(flags: readonly string[], say: () => void): StartSystem {
  return dataDir => {
    const { logs } = stageDirectories(dataDir)
    makePrivateDirectory(dataDir)
    makePrivateDirectory(logs)
    const file = join(logs, 'start.log')
    const fd = openSync(file, 'w', 0o600)
    try {
      say()
      const child = spawn(process.execPath, [PROGRAM, 'start', ...flags], {
        detached: true,
        stdio: ['ignore', 'ignore', fd],
        cwd: '/',
      })
      return ended(child, code => {
        const lines = readFileSync(file, 'utf8').trim().split('\n')
        return lines.at(-1)?.replace(/^hotpath: /, '') || `exit code ${code}`
      })
    } finally {
      closeSync(fd)
    }
  }
}
