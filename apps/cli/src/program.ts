import { ConfigError } from '@hotpath/service'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { type CommandContext, CommandExit, note } from './context.js'

/**
 * Runs a command that asks a running system and prints (everything but `start` and the single stages). Returns its
 * exit code: 0 found, 1 nothing found, 2 error. Each command is loaded only when it is used.
 */
export async function runCommand(argv: readonly string[], context: CommandContext): Promise<number> {
  let exitCode: number = CommandExit.error
  // Its flags are all the settings there are, read as `start` reads them.
  const isConfig = argv[0] === 'config'
  const program = buildProgram(context, code => {
    exitCode = code
  })
  try {
    if (!isConfig) await program.parseAsync([...argv], { from: 'user' })
    else exitCode = await (await import('./commands/config.js')).showConfig(argv.slice(1), context)
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? CommandExit.found : CommandExit.error
    for (const line of messageOf(error).split('\n')) note(context, line)
    return CommandExit.error
  }
}

function messageOf(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.map(({ where, message }) => `${where}: ${message}`).join('\n')
  return error instanceof Error ? error.message : String(error)
}

function buildProgram(context: CommandContext, finish: (exitCode: number) => void): Command {
  const program = new Command('hotpath')
    .description('Finds any file by any part of its name.')
    .configureOutput({ writeOut: text => context.out.write(text), writeErr: text => context.err.write(text) })
    .exitOverride()
    .addHelpText('after', PASSED_ON)
  /** A command with `--data`, which every one takes. */
  const command = (usage: string, description: string) =>
    program.command(usage).description(description).option('--data <DIR>', 'data directory of the system')

  command('search <query>', 'print what a query finds')
    .option('-n, --limit <N>', 'print at most so many', wholeNumber(0))
    .option('--offset <N>', 'leave out the first so many', wholeNumber(0), 0)
    .option(
      '--sort <KEY>',
      'hot (default), name, path, size, modified, created, accessed, opened or ext; with -desc the other way round',
      sortName,
    )
    .option('--json', 'one JSON object')
    .option('--ndjson', 'one JSON object a line')
    .option('-0, --print0', 'byte-exact paths, each with a NUL after it')
    .option('--csv', 'CSV with a row of headings')
    .option('--efu', "Everything's file list")
    .option('--count', 'only the number of hits')
    .option('--fuzzy', 'hits that a mistake in the query keeps from matching follow the others')
    .option('--explain', 'say how the query ran')
    .addOption(
      new Option('--case <MODE>', 'whether capitals and small letters differ').choices(['ignore', 'smart', 'match']),
    )
    .option('--under <DIR>', 'only below this directory')
    .option('--wait-clock', 'wait until every change made so far is seen')
    .action(async (query: string, flags) => {
      const { search } = await import('./commands/search.js')
      finish(await search(query, flags, context))
    })

  command('watch <query>', 'print what a query finds, then what is added (+), removed (-) and changed (~)')
    .option('-n, --limit <N>', 'watch the first so many, at most 1000', wholeNumber(0, 1_000), 1_000)
    .option('--sort <KEY>', 'which hits are the first: as for search', sortName)
    .option('--ndjson', 'one JSON object a line')
    .option('-0, --print0', 'byte-exact paths, a NUL after each line')
    .option('--fuzzy', 'hits that a mistake in the query keeps from matching follow the others')
    .addOption(
      new Option('--case <MODE>', 'whether capitals and small letters differ').choices(['ignore', 'smart', 'match']),
    )
    .option('--under <DIR>', 'only below this directory')
    .option('--wait-clock', 'wait until every change made so far is seen')
    .action(async (query: string, flags) => {
      const { watch } = await import('./commands/watch.js')
      finish(await watch(query, flags, context))
    })

  command('status', 'what runs, what is indexed, how fresh it is')
    .option('--json', 'one JSON object')
    .action(async flags => {
      const { status } = await import('./commands/status.js')
      finish(await status(flags, context))
    })

  command('doctor', 'look for what is wrong')
    .option('--sizes', 'what takes how many bytes in the index')
    .option('--verify', 'read every checksum of the index')
    .action(async flags => {
      const { doctor } = await import('./commands/doctor.js')
      finish(await doctor(flags, context))
    })

  command('rescan [root...]', 'read these roots (or all) again').action(async (roots: string[], flags) => {
    const { rescan } = await import('./commands/sources.js')
    finish(await rescan(roots, flags, context))
  })

  command('open <path>', 'record that this entry was opened').action(async (path: string, flags) => {
    const { open } = await import('./commands/open.js')
    finish(await open(path, flags, context))
  })

  command('opens', 'print what was opened, the last first: when, how often, which')
    .option('-n, --limit <N>', 'print at most so many', wholeNumber(0))
    .addOption(new Option('--json', 'one JSON object').conflicts('ndjson'))
    .option('--ndjson', 'one JSON object a line')
    .action(async flags => {
      const { opens } = await import('./commands/opens.js')
      finish(await opens(flags, context))
    })

  command('forget [path]', 'forget that this entry was opened')
    .option('--all', 'forget everything that was opened')
    .action(async (path: string | undefined, flags) => {
      const { forget } = await import('./commands/open.js')
      finish(await forget(path, flags, context))
    })

  command('import <file>', 'add a file list to the index; - is standard input').action(async (file: string, flags) => {
    const { importList } = await import('./commands/sources.js')
    finish(await importList(file, flags, context))
  })

  command('export <file>', 'write every entry as a file list (EFU); - is standard output').action(
    async (file: string, flags) => {
      const { exportList } = await import('./commands/export.js')
      finish(await exportList(file, flags, context))
    },
  )

  command('tap <endpoint>', 'show the messages of a socket (store-ingest) or a process (store) as they pass').action(
    async (endpoint: string, flags) => {
      const { tap } = await import('./commands/tap.js')
      finish(await tap(endpoint, flags, context))
    },
  )

  return program
}

const PASSED_ON = `
  start [flags]         start everything; --help lists the flags
  config [flags]        print each setting and where it comes from
  scanner [flags]       one stage alone; also journal-watcher, index-store, gateway
  bench [flags]         measure

Exit codes: 0 found, 1 nothing found, 2 error.`

function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return text => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Expected a whole number ${range}.`)
    return value
  }
}

const SORT_NAME = /^(hot|name|path|size|modified|created|accessed|opened|ext)(-desc)?$/

function sortName(text: string): string {
  if (!SORT_NAME.test(text)) throw new InvalidArgumentError('There is no such sort.')
  return text
}
