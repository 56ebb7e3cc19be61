import { escapeForTerminal, parseFlags, resolveConfig, SETTINGS, type Setting } from '@hotpath/service'
import { type CommandContext, CommandExit } from '../context.js'

/** `hotpath config [flags]`: prints each value and where it came from. */
export async function showConfig(argv: readonly string[], context: CommandContext): Promise<number> {
  const flags = parseFlags(argv, { json: { type: 'boolean', help: 'print one JSON object' } })
  const unexpected = flags.positionals.map(where => ({ where, message: 'is not a flag' }))
  const { entries } = await resolveConfig({
    flags: flags.texts,
    configFile: flags.configFile,
    problems: [...flags.problems, ...unexpected],
    workingDirectory: context.workingDirectory,
  })
  if (flags.extra.json) {
    const values = entries.map(({ key, value, origin, source }) => [nameOf(key), { value, origin, source }])
    context.out.write(`${JSON.stringify(Object.fromEntries(values), undefined, 2)}\n`)
    return CommandExit.found
  }
  const rows = entries.map(({ key, value, source }) => [nameOf(key), JSON.stringify(value), source] as const)
  const width = (column: 0 | 1) => Math.max(...rows.map(row => row[column].length))
  for (const [name, value, source] of rows) {
    const line = `${name.padEnd(width(0))}  ${value.padEnd(width(1))}  ${source}`
    context.out.write(`${context.isTerminal ? escapeForTerminal(line) : line}\n`)
  }
  return CommandExit.found
}

/** The key of the file, or the flag of what has none. */
function nameOf(key: keyof typeof SETTINGS): string {
  const { key: fileKey, flag } = SETTINGS[key] as Setting<unknown>
  return fileKey ?? `--${flag}`
}
