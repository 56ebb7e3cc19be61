import type { Command } from 'commander'
import { allCommands } from '../completion/shell-words.js'
import { type CommandContext, CommandExit } from '../context.js'
import { type DescribedCommand, type DescribedOption, describeCommand } from '../described-command.js'
import { FINDER_KEYS } from '../finder/key-help.js'

/** `hotpath man`: prints the manual page. */
export function manual(program: Command, context: CommandContext): number {
  context.out.write(manualPage(describeCommand(program)))
  return CommandExit.found
}

const EXIT_CODES = [
  ['0', 'found, or done'],
  ['1', 'nothing found, nothing chosen, nothing runs'],
  ['2', 'error'],
  [
    '64, 69, 70, 75',
    'of start and single stages: wrong flags; something outside is missing; a bug; the data directory is in use',
  ],
  ['130, 143', 'the finder was ended by Ctrl-C, by SIGTERM'],
] as const

const ENVIRONMENT = [
  ['HOTPATH_…', 'settings; hotpath config lists them'],
  ['HOTPATH_NO_START', '1: commands start nothing'],
  ['NO_COLOR', 'if it is set, no colours'],
  ['XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_RUNTIME_DIR', 'where index, configuration and sockets are'],
] as const

const FILES = [
  ['~/.config/hotpath/config.toml', 'settings'],
  ['~/.local/share/hotpath', 'index, logs, token, endpoints.json'],
] as const

/** The page in roff, with the macros of man(7). */
export function manualPage(program: DescribedCommand): string {
  const commands = allCommands(program).filter(({ command }) => command !== program && command.commands.length === 0)
  const lines = [
    '.TH HOTPATH 1 "" hotpath "User Commands"',
    '.SH NAME',
    'hotpath \\- find any file by any part of its name',
    '.SH SYNOPSIS',
    '.B hotpath',
    ...commands.flatMap(({ path, command }) => ['.br', `.B hotpath ${roff(path)}`, ...synopsisOf(command)]),
    '.SH DESCRIPTION',
    'One index of directory trees, file lists and NTFS volumes answers at once, follows changes as they happen, and says how true each answer is.',
    'Alone, on a terminal, hotpath finds as you type and prints what is chosen, also as',
    '.BR $(hotpath) .',
    'Data goes to standard output, everything else to standard error.',
    'What a terminal could obey is escaped where standard output is one.',
    '.SH COMMANDS',
    ...commands.flatMap(({ path, command }) => [
      `.SS ${quote(`hotpath ${path}`)}`,
      sentence(command.description),
      ...command.options.filter(({ long }) => long !== '--help').flatMap(optionLines),
    ]),
    '.SH KEYS OF THE FINDER',
    ...FINDER_KEYS.flatMap(tagged),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(tagged),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(tagged),
    '.SH FILES',
    ...FILES.flatMap(tagged),
    '.SH SEE ALSO',
    '.BR locate (1),',
    '.BR fd (1),',
    '.BR fzf (1)',
  ]
  return `${lines.join('\n')}\n`
}

function synopsisOf({ arguments: args, options }: DescribedCommand): string[] {
  const shown = args.map(({ name, isRequired, isRepeated }) => {
    const text = `\\fI${roff(name)}\\fP${isRepeated ? '\\ ...' : ''}`
    return isRequired ? text : `[${text}]`
  })
  const words = [...(options.length > 1 ? ['[\\fIflags\\fP]'] : []), ...shown]
  return words.length > 0 ? [words.join(' ')] : []
}

function optionLines({ long, short, valueName, value, description }: DescribedOption): string[] {
  const names = [short, long].filter(name => name !== undefined).map(name => `\\fB${roff(name)}\\fP`)
  const values = Array.isArray(value) ? ` One of ${value.join(', ')}.` : ''
  return [
    '.TP',
    `${names.join(', ')}${valueName === undefined ? '' : ` \\fI${roff(valueName)}\\fP`}`,
    `${sentence(description)}${roff(values)}`,
  ]
}

function tagged([tag, text]: readonly [string, string]): string[] {
  return ['.TP', `\\fB${roff(tag)}\\fP`, sentence(text)]
}

function sentence(text: string): string {
  const shown = roff(text)
  return `${shown.charAt(0).toUpperCase()}${shown.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}

/** Text that roff shows as it is. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('…', '...')
    .replace(/^\./, '\\&.')
}

function quote(text: string): string {
  return `"${roff(text).replaceAll('"', '\\(dq')}"`
}
