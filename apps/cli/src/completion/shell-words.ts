import type { DescribedCommand } from '../described-command.js'

/** A command and the words that lead to it, with spaces between: `service install`; empty for the program. */
export interface PlacedCommand {
  readonly path: string
  readonly command: DescribedCommand
}

/** The program and all commands below it. */
export function allCommands(program: DescribedCommand): PlacedCommand[] {
  const below = (command: DescribedCommand, path: string): PlacedCommand[] => [
    { path, command },
    ...command.commands.flatMap(one => below(one, path === '' ? one.name : `${path} ${one.name}`)),
  ]
  return below(program, '')
}

/** A word for a POSIX shell (and zsh), whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
