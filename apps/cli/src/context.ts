import type { Readable, Writable } from 'node:stream'
import { type Config, escapeForTerminal } from '@hotpath/service'
import type { IndexClient } from './index-client.js'
import type { StageReport } from './stage-reports.js'

/** Exit codes of commands that ask and print, as of grep and locate. Long-running ones have those of sysexits.h. */
export const CommandExit = { found: 0, nothingFound: 1, error: 2 } as const

/** Where a command runs: everything it may touch, so that a test can stand in for it. */
export interface CommandContext {
  /** Data and nothing else. */
  readonly out: Writable
  readonly err: Writable
  readonly in: Readable
  /** Whether a person reads `out`: then what a terminal could obey is escaped. */
  readonly isTerminal: boolean
  /** Whether that person wants colours (`NO_COLOR`), on a terminal that has some. */
  readonly wantsColours: boolean
  readonly workingDirectory: string
  /** Variables. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborted by Ctrl-C, for commands that go on until then. */
  readonly interrupted: AbortSignal
  /** The configuration, with `--data` of the command line. */
  configure(dataDir: string | undefined): Promise<Config>
  /** Connects to the system of a data directory. */
  connect(config: Config, options: ConnectOptions): Promise<IndexClient>
  /** Asks every process of the system how it is. */
  stages(config: Config): Promise<readonly StageReport[]>
}

export interface ConnectOptions {
  /** Start a system if none runs. */
  readonly start: boolean
  /** Tells a person what is waited for. */
  say(text: string): void
}

export interface DataFlags {
  readonly data?: string
}

/** Flags of every command that asks a system. */
export interface ClientFlags extends DataFlags {
  /** False: do not start a system if none runs. */
  readonly start?: boolean
}

/** A command ends with this message and exit code 2. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Runs `work` with a connection that is closed afterwards. A system is started if none runs, unless the flags say no. */
export async function withClient<T>(
  context: CommandContext,
  flags: ClientFlags,
  work: (client: IndexClient, config: Config) => Promise<T>,
): Promise<T> {
  const config = await context.configure(flags.data)
  const client = await context.connect(config, { start: flags.start ?? true, say: text => note(context, text) })
  try {
    return await work(client, config)
  } finally {
    await client.close()
  }
}

/** Writes a line for people to standard error, escaped: it may hold names. */
export function note(context: CommandContext, text: string): void {
  context.err.write(`hotpath: ${escapeForTerminal(text)}\n`)
}
