import { resolve } from 'node:path'
import { type ClientFlags, type CommandContext, CommandError, CommandExit, note, withClient } from '../context.js'

export interface ForgetFlags extends ClientFlags {
  readonly all?: boolean
}

/**
 * `hotpath open PATH`: counts an open of an entry, so that it ranks higher. Opens nothing itself: editors and launchers call
 * it when they do. Returns 1 if the entry is not indexed.
 */
export async function open(path: string, flags: ClientFlags, context: CommandContext): Promise<number> {
  return withClient(context, flags, async client => {
    const named = indexedName(path, context)
    if (await client.recordOpen({ path: named })) return CommandExit.found
    return notIndexed(named, context)
  })
}

/**
 * `hotpath forget PATH`, `hotpath forget --all`: nothing says any more that it was opened, neither in memory nor on disk. Returns
 * 1 if the entry is not indexed, or nothing was known.
 */
export async function forget(path: string | undefined, flags: ForgetFlags, context: CommandContext): Promise<number> {
  if ((path === undefined) === (flags.all !== true)) throw new CommandError('give either a path or --all')
  return withClient(context, flags, async client => {
    const named = path === undefined ? undefined : indexedName(path, context)
    const forgotten = await client.forgetOpens(named === undefined ? 'all' : { path: named })
    if (forgotten === undefined) return notIndexed(named ?? '', context)
    if (named === undefined) note(context, `forgot what was known of ${forgotten} files and directories`)
    return forgotten > 0 ? CommandExit.found : CommandExit.nothingFound
  })
}

/** Paths of drives and servers are names of lists: there is nothing to resolve. */
function indexedName(path: string, { workingDirectory }: CommandContext): string {
  return /^([A-Za-z]:\\|\\\\)/.test(path) ? path : resolve(workingDirectory, path)
}

function notIndexed(named: string, context: CommandContext): number {
  note(context, `${JSON.stringify(named)} is not indexed`)
  return CommandExit.nothingFound
}
