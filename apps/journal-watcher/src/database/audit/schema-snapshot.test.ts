import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@hotpath/model'
import type { SchemaObject } from '@hotpath/sqlite'
import { expect, test, vi } from 'vitest'
import { OpenFile } from '../open-file.js'
import { PythonWriter } from '../testing/python-writer.js'
import { schemaOf } from './schema-snapshot.js'

const NO_KEY = { cipher: undefined, read: () => undefined }

const TABLES = 12
const VERSIONS = 40

/** The schema takes several pages, so that it can be half of one state. */
function table(n: number, version: number): string {
  return `CREATE TABLE t${n}(a DEFAULT '${`${version} `.repeat(200)}')`
}

/** All tables of another version, in one transaction. */
function changes(version: number): string[] {
  const statements = Array.from({ length: TABLES }, (_, n) => [`DROP TABLE t${n}`, table(n, version)]).flat()
  return ['BEGIN', ...statements, 'COMMIT']
}

function versionOf(objects: readonly SchemaObject[]): string {
  const versions = [...new Set(objects.map(({ sql }) => /'(\d+) /.exec(sql!)![1]!))]
  expect(versions).toHaveLength(1)
  return versions[0]!
}

test.each(['WAL', 'DELETE'])('reads the schema while somebody changes it all the time (%s)', async mode => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-schema-'))
  const path = join(directory, 'a.db')
  const writer = new PythonWriter()
  try {
    await writer.open(path)
    await writer.run(`PRAGMA journal_mode = ${mode}`)
    for (let n = 0; n < TABLES; n++) await writer.run(table(n, 0))
    const statements: string[] = []
    for (let version = 1; version <= VERSIONS; version++) {
      statements.push(...changes(version))
      if (version % 3 === 0) statements.push('PRAGMA wal_checkpoint(TRUNCATE)')
      if (version % 20 === 0) statements.push('VACUUM')
    }
    let isOver = false
    const writing = writer.many(statements).then(() => {
      isOver = true
    })
    const seen = new Set<string>()
    let refused = 0
    while (!isOver) {
      try {
        const objects = await schemaOf(path, NO_KEY)
        expect(objects).toHaveLength(TABLES)
        seen.add(versionOf(objects))
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        refused++
      }
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    await writing
    expect(seen.size + refused).toBeGreaterThan(0)
    const [last] = await schemaOf(path, NO_KEY)
    expect(last!.sql).toContain(`'${VERSIONS} `)
  } finally {
    await writer.kill()
    rmSync(directory, { recursive: true })
  }
})

test('begins anew where pages were changed by a checkpoint while it reads', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-schema-'))
  const path = join(directory, 'a.db')
  const shell = (...sql: string[]) => execFileSync('sqlite3', ['-bail', path], { input: `${sql.join(';\n')};\n` })
  const read = OpenFile.prototype.read
  try {
    shell('PRAGMA journal_mode = WAL', ...Array.from({ length: TABLES }, (_, n) => table(n, 1)))
    // No row changes its place: that it is another state is not seen by what is where.
    const update = "UPDATE sqlite_schema SET sql = replace(sql, '1 ', '2 ')"
    const inPlace = ['PRAGMA writable_schema = ON', update, 'PRAGMA schema_version = 500']
    let changed = 0
    vi.spyOn(OpenFile.prototype, 'read').mockImplementation(function (this: OpenFile, position, length) {
      // Some rows of the schema were read.
      if (position > 0 && changed++ === 1) shell(...inPlace, 'PRAGMA wal_checkpoint(TRUNCATE)')
      return read.call(this, position, length)
    })
    expect(versionOf(await schemaOf(path, NO_KEY))).toBe('2')
    expect(changed).toBeGreaterThan(1)
  } finally {
    vi.restoreAllMocks()
    rmSync(directory, { recursive: true })
  }
})
