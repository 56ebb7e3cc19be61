import { fileURLToPath } from 'node:url'
import { isInteractive } from './finder/terminal.js'

/** Needs no settings to be told apart: the finder must be there at once, so nothing else is loaded before it. */
const STAGES = ['scanner', 'journal-watcher', 'gateway', 'index-store']
const USAGE_ERROR = 2

/**
 * What runs until it is stopped takes its flags as they are and has its own exit codes: it is loaded into this process,
 * so that terminal, signals and exit code are its own.
 */
async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv
  if (command === undefined) return findOrHelp()
  if (command === 'start') {
    const { startSystem } = await import('@hotpath/supervisor')
    process.exit(await startSystem(rest))
  }
  if (STAGES.includes(command)) return runModule(new URL(`../../${command}/bundle/main.js`, import.meta.url), rest)
  if (command === 'bench') return runModule(new URL('../../../tools/bench/dist/main.js', import.meta.url), rest)
  const code = await runWithContext(argv)
  // A connection that is still being tried keeps nobody waiting who has left the finder.
  if (command === 'find') process.exit(code)
  return code
}

/** `hotpath` alone. */
async function findOrHelp(): Promise<number> {
  if (!isInteractive(process, process.env.TERM)) {
    process.stderr.write(SHORT_HELP)
    return USAGE_ERROR
  }
  const { runFinder } = await import('./finder/run-finder.js')
  try {
    const loadContext = async () => (await import('./process-context.js')).processContext()
    process.exit(await runFinder({}, process, process.env, loadContext))
  } catch (error) {
    process.stderr.write(`hotpath: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(USAGE_ERROR)
  }
}

const SHORT_HELP = `hotpath finds any file by any part of its name.
  hotpath               find as you type, on a terminal that can address its cursor
  hotpath search QUERY  print what a query finds
  hotpath start         index and follow changes, until Ctrl-C
  hotpath --help        everything else
`

async function runWithContext(argv: readonly string[]): Promise<number> {
  const [{ runCommand }, { processContext }] = await Promise.all([
    import('./program.js'),
    import('./process-context.js'),
  ])
  return runCommand(argv, processContext())
}

/** Runs a main module as if it had been started. It ends the process, or leaves an exit code. */
async function runModule(module: URL, argv: readonly string[]): Promise<number> {
  process.argv = [process.execPath, fileURLToPath(module), ...argv]
  await import(module.href)
  return Number(process.exitCode ?? 0)
}

process.exitCode = await main(process.argv.slice(2))
