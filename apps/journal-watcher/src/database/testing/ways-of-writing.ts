import { BetterSqliteWriter, hasBetterSqlite } from './better-sqlite-writer.js'
import type { ProcessWriter } from './process-writer.js'
import { PythonWriter } from './python-writer.js'

/** How a database is written that is followed. */
export interface WayOfWriting {
  readonly by: string
  /** The journal mode. */
  readonly mode: 'WAL' | 'DELETE'
  readonly start: () => ProcessWriter
  /** As a follower is given it. */
  readonly key?: string
  /** Those that a writer may choose from: none where the cipher says it. */
  readonly pageSizes?: readonly number[]
}

/** A key itself, from which none has to be derived: what that takes, a fifth of a second, is spent by one way of each kind. */
export const RAW_KEY = `x'${'5e'.repeat(32)}'`
/** Where the header is in clear the salt is nowhere in the file. */
const KEY_AND_SALT = `x'${'5e'.repeat(32)}${'a7'.repeat(16)}'`
export const PASSPHRASE = 'correct horse'

const SQLCIPHER = "cipher = 'sqlcipher'"
const encrypted = (by: string, mode: 'WAL' | 'DELETE', key: string, ...pragmas: string[]): WayOfWriting => ({
  ...{ by: `better-sqlite3 by ${by}`, mode, key, pageSizes: [] },
  start: () =>
    new BetterSqliteWriter([SQLCIPHER, ...pragmas, key.startsWith('x') ? `key = "${key}"` : `key = '${key}'`]),
})
const better: WayOfWriting = { by: 'better-sqlite3', mode: 'WAL', start: () => new BetterSqliteWriter() }
const python: WayOfWriting = { by: "Python's sqlite3", mode: 'WAL', start: () => new PythonWriter() }

/** How better-sqlite3 writes databases: in plain, and by each profile of SQLCipher that it knows, with passphrases and keys. None where it is missing, which is said. */
export function betterSqliteWays(): readonly WayOfWriting[] {
  if (!hasBetterSqlite()) return []
  return [
    { ...better, pageSizes: [4096] },
    { ...better, mode: 'DELETE', pageSizes: [1024] },
    encrypted('SQLCipher 4 with a passphrase', 'WAL', PASSPHRASE, 'legacy = 4'),
    encrypted('SQLCipher 4 with a key and pages of 1 KiB', 'WAL', RAW_KEY, 'legacy = 4', 'legacy_page_size = 1024'),
    encrypted('SQLCipher 4 with a key', 'DELETE', RAW_KEY, 'legacy = 4'),
    encrypted('SQLCipher 4 with a header in clear', 'WAL', KEY_AND_SALT, 'legacy = 4', 'plaintext_header_size = 32'),
    encrypted('WCDB with a passphrase', 'WAL', PASSPHRASE, 'legacy = 3', 'legacy_page_size = 4096'),
  ]
}

/** The ways of random writers. */
export function randomWays(): readonly WayOfWriting[] {
  const all = hasBetterSqlite()
    ? [
        better,
        encrypted('SQLCipher 4 with a key', 'WAL', RAW_KEY, 'legacy = 4'),
        encrypted('WCDB with a key', 'DELETE', RAW_KEY, 'legacy = 3', 'legacy_page_size = 4096'),
      ]
    : []
  return [python, python, python, { ...python, mode: 'DELETE' }, ...all]
}
