import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { makePrivateDirectory } from '@hotpath/service'
import { type ClientFlags, type CommandContext, CommandError, CommandExit, note, withClient } from '../context.js'

/** `hotpath rescan [ROOT]…`: reads roots again. The old index answers until the new one is complete. */
export async function rescan(roots: readonly string[], flags: ClientFlags, context: CommandContext): Promise<number> {
  return withClient(context, flags, async client => {
    const wanted = roots.map(root => resolve(context.workingDirectory, root))
    const known = (await client.status()).roots.map(({ root }) => root)
    const ids = wanted.map(path => {
      const root = known.find(one => one.path === path)
      if (root === undefined) throw new CommandError(`${JSON.stringify(path)} is not an indexed root`)
      return root.id
    })
    const asked = ids.length === 0 ? [''] : ids
    const started = (await Promise.all(asked.map(id => client.rescan(id)))).flat()
    note(context, `reading ${started.length === 1 ? 'one root' : `${started.length} roots`} again`)
    return started.length > 0 ? CommandExit.found : CommandExit.nothingFound
  })
}

/** `hotpath import FILE`: adds a file list to the index; `-` takes it from standard input. */
export async function importList(file: string, flags: ClientFlags, context: CommandContext): Promise<number> {
  return withClient(context, flags, async (client, config) => {
    const path = file === '-' ? await keepInput(config.dataDir, context) : resolve(context.workingDirectory, file)
    if (!statSync(path, { throwIfNoEntry: false })?.isFile())
      throw new CommandError(`${JSON.stringify(path)} is no file`)
    const root = await client.importList(path)
    note(context, `indexing ${JSON.stringify(root.path)}`)
    return CommandExit.found
  })
}

/** A list that came through a pipe is kept in the data directory, under a name made of its content. */
async function keepInput(dataDir: string, context: CommandContext): Promise<string> {
  const lists = join(dataDir, 'lists')
  makePrivateDirectory(lists)
  const temporary = join(lists, `${randomBytes(8).toString('hex')}.tmp`)
  const hash = createHash('sha256')
  try {
    await pipeline(
      context.in,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(temporary, { mode: 0o600 }),
    )
    const path = join(lists, `input-${hash.digest('hex').slice(0, 16)}`)
    renameSync(temporary, path)
    return path
  } finally {
    rmSync(temporary, { force: true })
  }
}
