import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDatabaseHeader } from '../database-header.js'
import type { PageSource } from '../page-source.js'
import type { Ask } from '../table-shape.js'
import { pagesIn } from './memory-pages.js'

/** Runs statements, and exits without closing, which would take the log away. */
const SCRIPT = `
import json, os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for sql in json.loads(sys.argv[2]):
    if isinstance(sql, str):
        db.execute(sql).fetchall()
    else:
        table, column, rowid, offset, text = sql
        with db.blobopen(table, column, rowid) as blob:
            blob.seek(offset)
            blob.write(text.encode())
os._exit(0)
`

/** Bytes that are written into a blob where it is. */
export type BlobWrite = readonly [table: string, column: string, rowid: number, offset: number, text: string]

/** Has SQLite run `statements` on `data.db` in `directory`. @returns its name */
export function runSql(directory: string, ...statements: (string | BlobWrite)[]): string {
  const file = join(directory, 'data.db')
  const { status, stderr } = spawnSync('python3', ['-c', SCRIPT, file, JSON.stringify(statements)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${statements.join('; ')}: ${stderr}`)
  return file
}

const ANSWERS = `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(json.dumps([db.execute(sql, parameters).fetchall() for sql, *parameters in json.loads(sys.argv[2])]))
`

/**
 * What `ask` says when SQLite answers it. It is called several times: what is asked of SQLite is asked all at once, as starting it takes a while.
 */
export function answered<T>(file: string, asks: (ask: Ask) => T): T {
  const answers = new Map<string, unknown[][]>()
  for (;;) {
    const open: string[][] = []
    const result = asks((...query) => {
      const known = answers.get(JSON.stringify(query))
      if (known === undefined) open.push(query)
      return known ?? []
    })
    if (open.length === 0) return result
    const { status, stdout, stderr } = spawnSync('python3', ['-c', ANSWERS, file, JSON.stringify(open)], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
    const found: unknown[][][] = JSON.parse(stdout)
    for (const [index, query] of open.entries()) answers.set(JSON.stringify(query), found[index]!)
  }
}

/** The pages of a database without regard to its log. */
export function pagesOf(file: string): PageSource {
  const bytes = readFileSync(file)
  const header = parseDatabaseHeader({ file, bytes, offset: 0 })
  return pagesIn(file, bytes, header.pageSize, header.usableSize)
}
