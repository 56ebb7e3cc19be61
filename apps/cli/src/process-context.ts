import { NO_START_VARIABLE, resolveConfig } from '@hotpath/service'
import type { CommandContext } from './context.js'
import { hasColours } from './finder/palette.js'

/** The context of this process: its streams, its working directory, the systems of this machine. */
export function processContext(): CommandContext {
  return {
    out: process.stdout,
    err: process.stderr,
    in: process.stdin,
    isTerminal: process.stdout.isTTY === true,
    wantsColours: process.stdout.isTTY === true && hasColours(process.env),
    workingDirectory: process.cwd(),
    environment: process.env,
    get interrupted() {
      return interruption()
    },
    async configure(dataDir) {
      const { config } = await resolveConfig(dataDir === undefined ? {} : { flags: new Map([['dataDir', [dataDir]]]) })
      return config
    },
    async connect(config, options) {
      const { connectIndex } = await import('./connect.js')
      return connectIndex(config, { ...options, start: options.start && !isOn(process.env[NO_START_VARIABLE]) })
    },
    async stages(config) {
      const { stageReports } = await import('./stage-reports.js')
      return stageReports(config)
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

/** A variable that is set is on, but for what people write to turn one off. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false', 'no', 'off'].includes(value.toLowerCase())
}
