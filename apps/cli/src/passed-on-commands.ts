import { CONFIG_KEYS, type ExtraFlags, SETTINGS, type Setting, STAGE_NAMES } from '@hotpath/service'
import { START_FLAGS } from '@hotpath/supervisor'
import { type Command, Option } from 'commander'

/**
 * Commands that read their flags themselves (`parseFlags`): they are described here for help, completion and the manual, and run
 * elsewhere (`main.ts`; `config` in `program.ts`).
 */
export function addPassedOnCommands(program: Command): void {
  const add = (name: string, description: string, extra: ExtraFlags) =>
    describeSettings(program.command(name).description(description), extra)
  add('start', 'start everything, and keep it running until Ctrl-C', START_FLAGS)
  add('config', 'print each setting and where it comes from', { json: { type: 'boolean', help: 'one JSON object' } })
  for (const stage of STAGE_NAMES) add(stage, `run one stage alone: the ${stage.replace('-', ' ')}`, {})
  program
    .command('bench')
    .description('measure, and print the figures beside those of other programs')
    .allowUnknownOption()
}

/** Gives a command the flags of all settings and some more. */
export function describeSettings(command: Command, extra: ExtraFlags): void {
  addSettings(command)
  addExtra(command, extra)
}

function addSettings(command: Command): void {
  for (const key of CONFIG_KEYS) {
    const { flag, valueName, help, type } = SETTINGS[key] as Setting<unknown>
    const option = new Option(flagText(flag, valueName), help)
    command.addOption(type.choices === undefined ? option : option.choices(type.choices))
  }
  command.option('--config <FILE>', 'read this file (default: $XDG_CONFIG_HOME/hotpath/config.toml)')
}

function addExtra(command: Command, extra: ExtraFlags): void {
  for (const [flag, { valueName, help }] of Object.entries(extra)) command.option(flagText(flag, valueName), help)
}

function flagText(flag: string, valueName: string | undefined): string {
  return `--${flag}${valueName === undefined ? '' : ` <${valueName}>`}`
}
