import { SOCKET_NAMES } from '@hotpath/protocol'
import { Command, InvalidArgumentError, Option } from 'commander'
import { SORT_NAMES } from './commands/sort-names.js'
import type { CommandContext } from './context.js'
import { addPassedOnCommands, describeSettings } from './passed-on-commands.js'
import { INSTALL_FLAGS } from './service/install-flags.js'
import { VERSION } from './version.js'

/**
 * Every command with its arguments and flags: what is parsed, what `--help` says, what shells complete and what the manual page is made
 * of. Placeholders say what a value is: `<DIR>` and `<FILE>` are completed as such.
 *
 * @param finish takes the exit code of the command that ran
 */
export function buildProgram(context: CommandContext, finish: (exitCode: number) => void): Command {
  const program = new Command('hotpath')
    .description('Finds any file by any part of its name. Alone, on a terminal, it finds as you type.')
    .configureOutput({ writeOut: text => context.out.write(text), writeErr: text => context.err.write(text) })
    .exitOverride()
    .version(VERSION, '-V, --version', 'print the version')
    .addHelpText('after', '\nExit codes: 0 found, 1 nothing found, 2 error.')
  const plain = (usage: string, description: string) => program.command(usage).description(description)
  /** A command of a data directory. */
  const command = (usage: string, description: string) =>
    plain(usage, description).option('--data <DIR>', 'data directory of the system')
  /** A command that asks a running system, and starts one if none runs. */
  const asking = (usage: string, description: string) =>
    command(usage, description).option(
      '--no-start',
      'fail if no system runs, instead of starting one (HOTPATH_NO_START=1)',
    )

  asking('find [query]', 'find as you type, on the whole terminal; Enter prints the path').action(
    async (query: string | undefined, flags) => {
      const { find } = await import('./commands/find.js')
      finish(await find({ ...flags, ...(query === undefined ? {} : { query }) }, context))
    },
  )

  asking('search <query>', 'print what a query finds')
    .option('-n, --limit <N>', 'print at most so many', wholeNumber(0))
    .option('--offset <N>', 'leave out the first so many', wholeNumber(0), 0)
    .addOption(sortOption('how hits are sorted; hot: what is opened often and lately; -desc: the other way round'))
    .option('--json', 'one JSON object')
    .option('--ndjson', 'one JSON object a line')
    .option('-0, --print0', 'byte-exact paths, each with a NUL after it')
    .option('--csv', 'CSV with a row of headings')
    .option('--efu', "Everything's file list")
    .option(
      '--format <TEMPLATE>',
      'a line for each hit, with {path} {name} {dir} {ext} {size} {modified} … filled in; \\t \\n \\0',
    )
    .option('--count', 'only the number of hits')
    .addOption(
      new Option('--color <WHEN>', 'colours; auto: on a terminal, unless NO_COLOR is set')
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .option(
      '--rows <N>',
      'at most so many rows of followed databases whose text matches, after the hits (5 on a terminal, else 0)',
      wholeNumber(0, 1_000),
    )
    .option('--fuzzy', 'hits that a mistake in the query keeps from matching follow the others')
    .option('--explain', 'say how the query ran, and of each hit why it stands where it stands')
    .option('--no-cache', 'compute the answer anew')
    .addOption(caseOption())
    .option('--under <DIR>', 'only below this directory')
    .option('--wait-clock', 'wait until every change made so far is seen')
    .action(async (query: string, flags) => {
      const { search } = await import('./commands/search.js')
      finish(await search(query, flags, context))
    })

  asking('watch <query>', 'print what a query finds, then what is added (+), removed (-) and changed (~)')
    .option('-n, --limit <N>', 'watch the first so many, at most 1000', wholeNumber(0, 1_000), 1_000)
    .addOption(sortOption('which hits are the first: as for search'))
    .option('--ndjson', 'one JSON object a line')
    .option('-0, --print0', 'byte-exact paths, a NUL after each line')
    .option('--fuzzy', 'hits that a mistake in the query keeps from matching follow the others')
    .addOption(caseOption())
    .option('--under <DIR>', 'only below this directory')
    .option('--wait-clock', 'wait until every change made so far is seen')
    .action(async (query: string, flags) => {
      const { watch } = await import('./commands/watch.js')
      finish(await watch(query, flags, context))
    })

  asking(
    'follow [FILE]',
    'print what is inserted (+), changed (~) and deleted (-) in rows of a SQLite database, or of one that is followed, by its name',
  )
    .option('--table <NAME>', 'only this table, or those of a glob; can be given several times', collected, [])
    .option('--key-file <FILE>', 'file with the key of an encrypted database')
    .option('--audit', 'each step in between, from the audit that your triggers keep (hotpath audit-sql)')
    .option(
      '--cursor <CURSOR>',
      'go on behind this line of --ndjson; can be given once for each database',
      collected,
      [],
    )
    .option('--initial', 'all rows first, and again after changes were missed')
    .option('--ndjson', 'one JSON object a line, as it is into a pipe')
    .option('-n, --limit <N>', 'end after so many transactions', wholeNumber(0))
    .action(async (database: string | undefined, flags) => {
      const { follow } = await import('./commands/follow.js')
      finish(await follow(database, flags, context))
    })

  plain(
    'audit-sql',
    'print the SQL with which a SQLite database of yours keeps each change of its rows (install), for `sqlite3 FILE`, or keeps none (remove)',
  )
    .addArgument(program.createArgument('<action>', 'what the SQL does').choices(['install', 'remove']))
    .addArgument(program.createArgument('<FILE>', 'the database; nothing is written to it'))
    .option('--table <NAME>', 'only this table, or those of a glob; can be given several times', collected, [])
    .option('--key-file <FILE>', 'file with the key of an encrypted database')
    .action(async (action: 'install' | 'remove', file: string, flags) => {
      const { printAuditSql } = await import('./commands/audit-sql.js')
      finish(await printAuditSql(action, file, flags, context))
    })

  command('status', 'what runs, what is indexed, how fresh it is')
    .option('--json', 'one JSON object')
    .option('--watch', 'show it again each second, on a terminal')
    .action(async flags => {
      const { status } = await import('./commands/status.js')
      finish(await status(flags, context))
    })

  command('stop', 'stop the running system').action(async flags => {
    const { stop } = await import('./commands/stop.js')
    finish(await stop(flags, context))
  })

  command('doctor', 'look for what is wrong')
    .option('--sizes', 'what takes how many bytes in the index')
    .option('--verify', 'read every checksum of the index')
    .action(async flags => {
      const { doctor } = await import('./commands/doctor.js')
      finish(await doctor(flags, context))
    })

  asking('rescan [DIR...]', 'read these roots (or all) again').action(async (roots: string[], flags) => {
    const { rescan } = await import('./commands/sources.js')
    finish(await rescan(roots, flags, context))
  })

  asking('open <FILE>', 'record that this entry was opened').action(async (path: string, flags) => {
    const { open } = await import('./commands/open.js')
    finish(await open(path, flags, context))
  })

  asking('opens', 'print what was opened, the last first: when, how often, which')
    .option('-n, --limit <N>', 'print at most so many', wholeNumber(0))
    .addOption(new Option('--json', 'one JSON object').conflicts('ndjson'))
    .option('--ndjson', 'one JSON object a line')
    .action(async flags => {
      const { opens } = await import('./commands/opens.js')
      finish(await opens(flags, context))
    })

  asking('forget [FILE]', 'forget that this entry was opened')
    .option('--all', 'forget everything that was opened')
    .action(async (path: string | undefined, flags) => {
      const { forget } = await import('./commands/open.js')
      finish(await forget(path, flags, context))
    })

  asking('import <FILE>', 'add a file list to the index; - is standard input').action(async (file: string, flags) => {
    const { importList } = await import('./commands/sources.js')
    finish(await importList(file, flags, context))
  })

  asking('export <FILE>', 'write every entry as a file list (EFU); - is standard output').action(
    async (file: string, flags) => {
      const { exportList } = await import('./commands/export.js')
      finish(await exportList(file, flags, context))
    },
  )

  command('tap', 'show the messages of a socket (store-ingest) or a process (store) as they pass')
    .addArgument(program.createArgument('<endpoint>', 'socket or process').choices(TAPPED))
    .action(async (endpoint: string, flags) => {
      const { tap } = await import('./commands/tap.js')
      finish(await tap(endpoint, flags, context))
    })

  addServiceCommands(plain('service', 'run hotpath as a service of systemd'), context, finish)

  plain('completion', 'print what a shell needs to complete commands, flags and values')
    .addArgument(program.createArgument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completion } = await import('./commands/completion.js')
      finish(completion(shell, program, context))
    })

  plain('man', 'print the manual page, for `man -l -`').action(async () => {
    const { manual } = await import('./commands/manual.js')
    finish(manual(program, context))
  })

  addPassedOnCommands(program)
  return program
}

/** Processes and their sockets. */
const TAPPED = [
  ...new Set(SOCKET_NAMES.map(name => name.split('-')[0]!)),
  ...SOCKET_NAMES.filter(name => name.includes('-')),
]

function addServiceCommands(service: Command, context: CommandContext, finish: (exitCode: number) => void): void {
  // Its flags are those of `start`, read as `start` reads them (`program.ts`).
  describeSettings(
    service.command('install').description('install a service that starts hotpath with these flags, and start it'),
    INSTALL_FLAGS,
  )
  const scoped = (name: string, description: string) =>
    service.command(name).description(description).option('--system', 'the service of the system')
  scoped('uninstall', 'stop the service and take it away; the index stays').action(async flags => {
    const { uninstallService } = await import('./commands/service.js')
    finish(await uninstallService(flags, context))
  })
  scoped('status', 'whether the service is installed and runs').action(async flags => {
    const { serviceStatus } = await import('./commands/service.js')
    finish(await serviceStatus(flags, context))
  })
}

function sortOption(description: string): Option {
  return new Option('--sort <KEY>', description).choices(SORT_NAMES)
}

function caseOption(): Option {
  return new Option('--case <MODE>', 'whether capitals and small letters differ').choices(['ignore', 'smart', 'match'])
}

/** A value beside those that were given before. */
function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return text => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Expected a whole number ${range}.`)
    return value
  }
}
