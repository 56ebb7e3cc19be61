import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDatabaseHeader } from '../database-header.js'
import type { PageSource } from '../page-source.js'
import { pagesIn } from './memory-pages.js'

/** Runs statements, and exits without closing, which would take the log away. */
const SCRIPT = `
import json, os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for sql in json.loads(sys.argv[2]):
    db.execute(sql).fetchall()
os._exit(0)
`

/** Has SQLite run `statements` on `data.db` in `directory`. @returns its name */
export function runSql(directory: string, ...statements: string[]): string {
  const file = join(directory, 'data.db')
  const { status, stderr } = spawnSync('python3', ['-c', SCRIPT, file, JSON.stringify(statements)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${statements.join('; ')}: ${stderr}`)
  return file
}

/** What SQLite answers to a query of `file`; JSON has its values. */
export function askSql(file: string, sql: string, ...parameters: string[]): unknown[][] {
  const script =
    'import json, sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print(json.dumps(db.execute(sys.argv[2], sys.argv[3:]).fetchall()))'
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script, file, sql, ...parameters], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${sql}: ${stderr}`)
  return JSON.parse(stdout)
}

/** The pages of a database without regard to its log. */
export function pagesOf(file: string): PageSource {
  const bytes = readFileSync(file)
  const header = parseDatabaseHeader({ file, bytes, offset: 0 })
  return pagesIn(file, bytes, header.pageSize, header.usableSize)
}
