import { spawnSync } from 'node:child_process'
import { auditSql } from '../audit-sql.js'

export interface InstallOptions {
  readonly tables?: readonly string[]
  readonly action?: 'install' | 'remove'
  /** The shell, and what it is told before. */
  readonly shell?: string
  readonly before?: string
  readonly keyFile?: string
}

/** Runs what `hotpath audit-sql` prints in the shell of SQLite, as the owner of a database does. */
export async function runAuditSql(path: string, options: InstallOptions = {}): Promise<void> {
  const { tables = [], action = 'install', shell = 'sqlite3', before = '', keyFile } = options
  const lines = await auditSql({ action, path, tables, ...(keyFile === undefined ? {} : { keyFile }) })
  const { status, stderr } = spawnSync(shell, ['-bail', path], { input: `${before}\n${lines.join('\n')}\n` })
  if (status !== 0) throw new Error(String(stderr))
}
