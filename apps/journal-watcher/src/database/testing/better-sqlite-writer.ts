import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ProcessWriter } from './process-writer.js'

/** Where `test/writers/install.mjs` puts it, and what that writes when all is compiled. */
const INSTALLED = fileURLToPath(new URL('../../../../../test/writers/', import.meta.url))
const COMPILED = `${INSTALLED}node_modules/.compiled`

const PROGRAM = `
const Database = require('node:module').createRequire(process.argv[1])('better-sqlite3-multiple-ciphers')
const pragmas = JSON.parse(process.argv[2])
const connections = {}
function tagged(value) {
  if (value === null) return null
  if (typeof value === 'bigint') return { i: String(value) }
  if (typeof value === 'number') return { r: String(value) }
  return typeof value === 'string' ? { t: value } : { b: value.toString('hex') }
}
function plain(value) {
  if (value === null) return null
  const [[kind, text]] = Object.entries(value)
  return { i: BigInt, r: Number, b: text => Buffer.from(text, 'hex'), t: String }[kind](text)
}
function run({ kind, name, path, timeout, sql, values }) {
  if (kind === 'open') {
    const database = new Database(path, { timeout: timeout * 1000 }).defaultSafeIntegers()
    for (const pragma of pragmas) database.pragma(pragma)
    connections[name] = database
    return []
  }
  if (kind === 'close') {
    connections[name].close()
    delete connections[name]
    return []
  }
  const statement = connections[name].prepare(sql)
  if (statement.reader) return statement.raw().all(...values.map(plain)).map(row => row.map(tagged))
  statement.run(...values.map(plain))
  return []
}
require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
  let answer
  try {
    answer = { rows: run(JSON.parse(line)) }
  } catch (error) {
    answer = { error: String(error.message) }
  }
  process.stdout.write(JSON.stringify(answer) + '\\n')
})
`

/** Whether better-sqlite3 is there; says so if not. */
export function hasBetterSqlite(): boolean {
  const isThere = existsSync(COMPILED)
  if (!isThere)
    console.log(
      'databases that better-sqlite3 writes are not followed here: node test/writers/install.mjs did not compile it',
    )
  return isThere
}

/** Writes by better-sqlite3, with the ciphers of SQLite3MultipleCiphers; in WAL mode or not, as its user says. */
export class BetterSqliteWriter extends ProcessWriter {
  /** @param pragmas run on each connection before anything else: cipher and key */
  constructor(pragmas: readonly string[] = []) {
    super(process.execPath, ['-e', PROGRAM, '--', INSTALLED, JSON.stringify(pragmas)])
  }
}
