import { type CommandContext, CommandError } from '../context.js'
import { type FinderFlags, runFinder } from '../finder/run-finder.js'
import { isInteractive } from '../finder/terminal.js'

/** `hotpath find [QUERY]`: the finder, with flags. */
export async function find(flags: FinderFlags, context: CommandContext): Promise<number> {
  if (!isInteractive(process, context.environment.TERM))
    throw new CommandError('find needs a terminal that can address its cursor; `hotpath search` needs none')
  return runFinder(flags, process, context.environment, async () => context)
}
