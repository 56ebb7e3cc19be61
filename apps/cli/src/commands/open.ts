import { resolve } from 'node:path'
import { type CommandContext, CommandExit, note, withClient } from '../context.js'
import type { DataFlags } from './sources.js'

/**
 * `hotpath open PATH`: counts an open of an entry, so that it ranks higher. Opens nothing itself: editors and launchers call
 * it when they do. Returns 1 if the entry is not indexed.
 */
export async function open(path: string, flags: DataFlags, context: CommandContext): Promise<number> {
  return withClient(context, flags.data, async client => {
    // Paths of drives and servers are names of lists: there is nothing to resolve.
    const named = /^([A-Za-z]:\\|\\\\)/.test(path) ? path : resolve(context.workingDirectory, path)
    if (await client.recordOpen({ path: named })) return CommandExit.found
    note(context, `${JSON.stringify(named)} is not indexed`)
    return CommandExit.nothingFound
  })
}
