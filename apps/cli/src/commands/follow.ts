import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ChangesEvent, ChangesParams, DatabaseInfo } from '@hotpath/client'
import { type ClientFlags, type CommandContext, CommandError, CommandExit, note, withClient } from '../context.js'
import type { IndexClient } from '../index-client.js'
import { ByteWriter } from '../output/byte-writer.js'
import { eventLine, eventLines } from '../output/follow-format.js'

export interface FollowFlags extends ClientFlags {
  readonly table: readonly string[]
  readonly keyFile?: string
  readonly audit?: boolean
  readonly cursor: readonly string[]
  readonly initial?: boolean
  readonly ndjson?: boolean
  readonly limit?: number
}

/**
 * `hotpath follow [DB]`: prints the changes of rows of followed databases, or of any database by its path, until it is interrupted or nobody
 * reads. A reader that is slow holds up the messages, not memory.
 */
export async function follow(
  database: string | undefined,
  flags: FollowFlags,
  context: CommandContext,
): Promise<number> {
  const { limit = Number.POSITIVE_INFINITY } = flags
  if (limit === 0) return CommandExit.found
  const isJson = flags.ndjson || !context.isTerminal
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  context.interrupted.addEventListener('abort', stop, { once: true })
  context.out.once('close', stop)
  const out = new ByteWriter(context.out)
  return withClient(context, flags, async client => {
    const params = await paramsOf(database, flags, client, context)
    if (stopping.signal.aborted) return CommandExit.found
    const changes = await client.changes({ ...params, signal: stopping.signal })
    let transactions = 0
    for await (const event of changes) {
      if (isJson) await out.write(eventLine(event))
      else {
        const { lines, remark } = eventLines(event)
        if (remark !== undefined) note(context, remark)
        for (const line of lines) await out.write(line)
      }
      await out.flush()
      if (out.closed) break
      if (isWhole(event) && ++transactions >= limit) break
    }
    return CommandExit.found
  })
}

function isWhole(event: ChangesEvent): boolean {
  return event.type === 'transaction' && !event.more
}

/** What is asked for: databases of the configuration by name, or one by its path. */
async function paramsOf(
  database: string | undefined,
  { table: tables, keyFile, audit = false, cursor: cursors, initial = false }: FollowFlags,
  client: IndexClient,
  context: CommandContext,
): Promise<ChangesParams> {
  const wanted = { tables, cursors, initial }
  const known = await client.databases()
  if (database === undefined) {
    if (keyFile !== undefined) throw new CommandError('--key-file needs a database')
    if (audit) throw new CommandError('--audit needs a database')
    if (known.length > 0) return wanted
    throw new CommandError('no database is followed; name one, or put it into the configuration ([[database]])')
  }
  const path = resolve(context.workingDirectory, database)
  const followed = known.find(one => one.name === database) ?? known.find(one => one.path === path && !one.adHoc)
  if (followed !== undefined) {
    if (keyFile !== undefined)
      throw new CommandError(`the key of ${JSON.stringify(followed.name)} is that of the configuration`)
    if (audit)
      throw new CommandError(
        `whether ${JSON.stringify(followed.name)} is audited is said by the configuration (audit = true)`,
      )
    return { ...wanted, databases: [followed.name] }
  }
  if (!isFile(path)) throw new CommandError(nothingThere(database, known))
  const key = keyFile === undefined ? undefined : resolve(context.workingDirectory, keyFile)
  if (key !== undefined && !isFile(key)) throw new CommandError(`${JSON.stringify(keyFile)} is no file`)
  return { ...wanted, follow: { path, tables, audit, ...(key !== undefined && { keyFile: key }) } }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function nothingThere(database: string, known: readonly DatabaseInfo[]): string {
  const names = known.filter(({ adHoc }) => !adHoc).map(({ name }) => JSON.stringify(name))
  const others = names.length === 0 ? 'no database is followed' : `followed are ${names.join(', ')}`
  return `${JSON.stringify(database)} is neither a database that is followed nor a file; ${others}`
}
