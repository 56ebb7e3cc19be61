import { createWriteStream, openSync, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import type { ClientFlags, CommandContext } from '../context.js'
import { search } from './search.js'

/**
 * `hotpath export FILE.efu`: writes every entry as a file list; `-` is standard output. The file appears when it is
 * complete, or not at all.
 */
export async function exportList(file: string, flags: ClientFlags, context: CommandContext): Promise<number> {
  const searchFlags = { ...flags, offset: 0, sort: 'path', efu: true, color: 'never' as const }
  if (file === '-') return search('', searchFlags, context)
  const path = resolve(context.workingDirectory, file)
  const temporary = `${path}.${process.pid}.tmp`
  const out = createWriteStream(temporary, { fd: openSync(temporary, 'wx') })
  const written = finished(out)
  // Awaited below; until then an error must not count as unhandled.
  written.catch(() => {})
  try {
    const code = await search('', searchFlags, { ...context, out, isTerminal: false })
    out.end()
    await written
    renameSync(temporary, path)
    return code
  } finally {
    out.destroy()
    rmSync(temporary, { force: true })
  }
}
