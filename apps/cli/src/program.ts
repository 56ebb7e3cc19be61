import { ConfigError } from '@hotpath/service'
import { CommanderError } from 'commander'
import { buildProgram } from './command-table.js'
import { type CommandContext, CommandExit, note } from './context.js'

/**
 * Runs a command that asks a running system and prints (everything but `start` and the single stages). Returns its
 * exit code: 0 found, 1 nothing found, 2 error. Each command is loaded only when it is used.
 */
export async function runCommand(argv: readonly string[], context: CommandContext): Promise<number> {
  let exitCode: number = CommandExit.error
  const own = readsItself(argv)
  const program = buildProgram(context, code => {
    exitCode = code
  })
  try {
    if (own === undefined) await program.parseAsync([...argv], { from: 'user' })
    else exitCode = await own(context)
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? CommandExit.found : CommandExit.error
    for (const line of messageOf(error).split('\n')) note(context, line)
    return CommandExit.error
  }
}

/** Commands whose flags are all the settings there are, read as `start` reads them. */
function readsItself([first, second, ...rest]: readonly string[]):
  | ((context: CommandContext) => Promise<number>)
  | undefined {
  if (first === 'config') {
    const argv = second === undefined ? [] : [second, ...rest]
    return async context => (await import('./commands/config.js')).showConfig(argv, context)
  }
  if (first !== 'service' || second !== 'install') return undefined
  return async context => (await import('./commands/service.js')).installService(rest, context)
}

function messageOf(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.map(({ where, message }) => `${where}: ${message}`).join('\n')
  return error instanceof Error ? error.message : String(error)
}
