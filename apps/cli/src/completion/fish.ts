import type { DescribedArgument, DescribedCommand, ValueKind } from '../described-command.js'
import { allCommands, type PlacedCommand } from './shell-words.js'

/** Completion for fish. */
export function fishCompletion(program: DescribedCommand): string {
  const lines = allCommands(program).flatMap(linesOf)
  return `# fish completion of hotpath:
#   hotpath completion fish > ~/.config/fish/completions/hotpath.fish
complete -c hotpath -f
${lines.join('\n')}
`
}

function linesOf({ path, command }: PlacedCommand): string[] {
  const condition = conditionOf(path, command)
  const line = (...parts: string[]) => ['complete -c hotpath', `-n ${quoted(condition)}`, ...parts].join(' ')
  return [
    ...command.commands.map(one => line(`-a ${quoted(one.name)}`, `-d ${quoted(one.description)}`)),
    ...command.options.map(({ long, short, value, description }) =>
      line(
        ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
        `-l ${long.slice(2)}`,
        ...(value === undefined ? [] : [optionValue(value)]),
        `-d ${quoted(description)}`,
      ),
    ),
    ...command.arguments.flatMap(argument => argumentOf(argument).map(part => line(part))),
  ]
}

function conditionOf(path: string, { commands }: DescribedCommand): string {
  if (path === '') return '__fish_use_subcommand'
  const seen = path.split(' ').map(word => `__fish_seen_subcommand_from ${word}`)
  const others = commands.map(({ name }) => name).join(' ')
  return [...seen, ...(others === '' ? [] : [`not __fish_seen_subcommand_from ${others}`])].join('; and ')
}

function optionValue(value: ValueKind): string {
  if (value === 'directory') return "-x -a '(__fish_complete_directories)'"
  if (value === 'file') return '-r -F'
  return value === 'text' ? '-x' : `-x -a ${quoted(value.join(' '))}`
}

function argumentOf({ value }: DescribedArgument): string[] {
  if (value === 'text') return []
  if (value === 'file') return ['-F']
  return value === 'directory' ? ["-a '(__fish_complete_directories)'"] : [`-a ${quoted(value.join(' '))}`]
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
