import type { Readable, Writable } from 'node:stream'
import type { Config } from '@hotpath/service'
import type { IndexClient } from './index-client.js'

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
  readonly workingDirectory: string
  /** Aborted by Ctrl-C, for commands that go on until then. */
  readonly interrupted: AbortSignal
  /** The configuration, with `--data` of the command line. */
  configure(dataDir: string | undefined): Promise<Config>
  /** Connects to the running system of a data directory. */
  connect(config: Config): Promise<IndexClient>
}

/** A command ends with this message and exit code 2. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Runs `work` with a connection that is closed afterwards. */
export async function withClient<T>(
  context: CommandContext,
  dataDir: string | undefined,
  work: (client: IndexClient, config: Config) => Promise<T>,
): Promise<T> {
  const config = await context.configure(dataDir)
  const client = await context.connect(config)
  try {
    return await work(client, config)
  } finally {
    await client.close()
  }
}

/** Writes a line for people to standard error. */
export function note(context: CommandContext, text: string): void {
  context.err.write(`hotpath: ${text}\n`)
}
