import { resolveConfig } from '@hotpath/service'
import type { CommandContext } from './context.js'

/** The context of this process: its streams, its working directory, the systems of this machine. */
export function processContext(): CommandContext {
  return {
    out: process.stdout,
    err: process.stderr,
    in: process.stdin,
    isTerminal: process.stdout.isTTY === true,
    workingDirectory: process.cwd(),
    get interrupted() {
      return interruption()
    },
    async configure(dataDir) {
      const { config } = await resolveConfig(dataDir === undefined ? {} : { flags: new Map([['dataDir', [dataDir]]]) })
      return config
    },
    async connect(config) {
      const { connectIndex } = await import('./connect.js')
      return connectIndex(config)
    },
  }
}

/** Aborted at the first SIGINT, SIGTERM or SIGBREAK (Ctrl-Break on Windows). Who does not ask for it is ended by them, as usual. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  process.once('SIGINT', () => controller.abort())
  process.once('SIGTERM', () => controller.abort())
  if (process.platform === 'win32') process.once('SIGBREAK', () => controller.abort())
  return controller.signal
}
