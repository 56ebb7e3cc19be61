import { resolve } from 'node:path'
import { HotpathError } from '@hotpath/model'
import { type CommandContext, CommandError, CommandExit } from '../context.js'

export interface AuditSqlFlags {
  readonly table: readonly string[]
  readonly keyFile?: string
}

/** `hotpath audit-sql install|remove FILE`: prints SQL for the owner of a database, who runs it himself: hotpath never writes to one. */
export async function printAuditSql(
  action: 'install' | 'remove',
  file: string,
  { table: tables, keyFile }: AuditSqlFlags,
  context: CommandContext,
): Promise<number> {
  const { auditSql } = await import('@hotpath/journal-watcher')
  const path = resolve(context.workingDirectory, file)
  const key = keyFile === undefined ? {} : { keyFile: resolve(context.workingDirectory, keyFile) }
  try {
    context.out.write(`${(await auditSql({ action, path, tables, ...key })).join('\n')}\n`)
  } catch (error) {
    if (error instanceof HotpathError) throw new CommandError(error.message)
    throw error
  }
  return CommandExit.found
}
