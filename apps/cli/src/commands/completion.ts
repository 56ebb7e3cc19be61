import type { Command } from 'commander'
import { bashCompletion } from '../completion/bash.js'
import { fishCompletion } from '../completion/fish.js'
import { zshCompletion } from '../completion/zsh.js'
import { type CommandContext, CommandExit } from '../context.js'
import { describeCommand } from '../described-command.js'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

/** `hotpath completion SHELL`: prints what the shell needs to complete the commands of `program`. */
export function completion(shell: keyof typeof SHELLS, program: Command, context: CommandContext): number {
  context.out.write(SHELLS[shell](describeCommand(program)))
  return CommandExit.found
}
