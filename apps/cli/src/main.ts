import { fileURLToPath } from 'node:url'
import { STAGE_NAMES } from '@hotpath/service'
import { processContext } from './process-context.js'
import { runCommand } from './program.js'

/**
 * What runs until it is stopped takes its flags as they are and has its own exit codes: it is loaded into this process,
 * so that terminal, signals and exit code are its own.
 */
async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv
  if (command === 'start') {
    const { startSystem } = await import('@hotpath/supervisor')
    process.exit(await startSystem(rest))
  }
  const stage = STAGE_NAMES.find(name => name === command)
  if (stage !== undefined) return runModule(new URL(`../../${stage}/bundle/main.js`, import.meta.url), rest)
  if (command === 'bench') return runModule(new URL('../../../tools/bench/dist/main.js', import.meta.url), rest)
  return runCommand(argv, processContext())
}

/** Runs a main module as if it had been started. It ends the process, or leaves an exit code. */
async function runModule(module: URL, argv: readonly string[]): Promise<number> {
  process.argv = [process.execPath, fileURLToPath(module), ...argv]
  await import(module.href)
  return Number(process.exitCode ?? 0)
}

process.exitCode = await main(process.argv.slice(2))
