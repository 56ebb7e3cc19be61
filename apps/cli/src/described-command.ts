import type { Command, Option } from 'commander'

/** What a value is, as far as a shell can complete it. */
export type ValueKind = 'directory' | 'file' | 'text' | readonly string[]

export interface DescribedOption {
  /** With dashes: `--sort`. */
  readonly long: string
  /** `-n`; undefined where there is none. */
  readonly short: string | undefined
  /** `KEY`; undefined of a switch. */
  readonly valueName: string | undefined
  readonly value: ValueKind | undefined
  readonly description: string
}

export interface DescribedArgument {
  readonly name: string
  readonly value: ValueKind
  readonly isRequired: boolean
  readonly isRepeated: boolean
}

export interface DescribedCommand {
  readonly name: string
  readonly description: string
  readonly arguments: readonly DescribedArgument[]
  readonly options: readonly DescribedOption[]
  /** Commands below it (`service install`). */
  readonly commands: readonly DescribedCommand[]
}

const HELP: DescribedOption = {
  long: '--help',
  short: '-h',
  valueName: undefined,
  value: undefined,
  description: 'show the flags',
}

/** The table of commands as plain data. */
export function describeCommand(command: Command): DescribedCommand {
  return {
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map(argument => ({
      name: argument.name(),
      value: argument.argChoices ?? kindOf(argument.name()),
      isRequired: argument.required,
      isRepeated: argument.variadic,
    })),
    options: [...command.options.map(describeOption), HELP],
    commands: command.commands.map(describeCommand),
  }
}

function describeOption({ flags, long, short, argChoices, description, required }: Option): DescribedOption {
  const valueName = required ? /<([^>]+)>/.exec(flags)?.[1] : undefined
  return {
    long: long!,
    short: short ?? undefined,
    valueName,
    value: valueName === undefined ? undefined : (argChoices ?? kindOf(valueName)),
    description,
  }
}

function kindOf(placeholder: string): ValueKind {
  if (placeholder === 'DIR') return 'directory'
  return placeholder === 'FILE' || placeholder === 'DEVICE' ? 'file' : 'text'
}
