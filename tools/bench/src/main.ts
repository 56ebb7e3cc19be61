import { writeFileSync } from 'node:fs'
import { CancelledError, InvalidInputError } from '@hotpath/model'
import { runBench } from './bench.js'
import { parseOptions, USAGE } from './options.js'

/** Exit codes: 0 all rows were measured (whether they met their budgets or not), 64 wrong usage, 70 a row failed, 130 ended by a signal. */
async function main(argv: readonly string[]): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  try {
    const options = parseOptions(argv, process.cwd())
    if (options.help) {
      process.stdout.write(USAGE)
      return 0
    }
    const report = await runBench(
      options,
      text => process.stdout.write(text),
      text => process.stderr.write(`${text} …\n`),
      stop.signal,
    )
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
    return report.failures.length === 0 ? 0 : 70
  } catch (error) {
    // What was under way when the signal came would go on.
    if (error instanceof CancelledError) process.exit(130)
    if (!(error instanceof InvalidInputError)) throw error
    process.stderr.write(`${error.message}\n\n${USAGE}`)
    return 64
  }
}

process.exitCode = await main(process.argv.slice(2))
