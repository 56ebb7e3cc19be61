import { inspect } from 'node:util'
import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { DatabaseDifference, type DatabaseState } from '../database-difference.js'
import { PageOwners } from '../page-owners.js'
import { overlaid } from '../page-source.js'
import { headerOf, readSchema } from '../schema.js'
import { tableRows } from '../table-scan.js'
import { expectedRows, fixtureBytes, fixtureTables } from '../testing/fixture.js'
import { bytesIn, pagesIn } from '../testing/memory-pages.js'
import { parseWalHeader } from '../wal-header.js'
import { WalPages } from '../wal-pages.js'
import { WalReader } from '../wal-reader.js'
import { detectCipher } from './cipher-detection.js'
import { CipherKey } from './cipher-key.js'
import { CIPHER_PROFILES, SQLCIPHER_3, SQLCIPHER_4 } from './cipher-profile.js'
import { DecryptedPages, decryptedSet } from './decrypted-pages.js'
import { PageCipher } from './page-cipher.js'
import { PageKeys } from './page-keys.js'

const { keys, states } = expectedRows()
const PROFILES: Readonly<Record<string, string>> = {
  'shell-3': 'sqlcipher-3',
  'sqlcipher-4-small-pages': 'sqlcipher-4',
}

/** Rows of a state as `expected.json` has them: the length of a blob in its place. */
function rowsOf(state: DatabaseState) {
  const [messages, tags] = state.tables.map(shape =>
    [...tableRows(state.source, shape, state.encoding)].map(({ values }) =>
      values.map(value =>
        value instanceof Uint8Array ? value.length : typeof value === 'bigint' ? Number(value) : value,
      ),
    ),
  )
  return { messages: messages!.map(values => [values[0], ...values]), tags: tags!.map(values => [null, ...values]) }
}

describe('encrypted databases', () => {
  it.each(Object.keys(keys))('%s is opened, and followed through its log', async name => {
    const bytes = fixtureBytes(`${name}.db`)
    // Trying SQLCipher 4 takes a quarter of a second each time: of the older ones one is tried so.
    const profiles = name.startsWith('sqlcipher-4') || name === 'shell-3' ? CIPHER_PROFILES : CIPHER_PROFILES.slice(1)
    const cipher = (await detectCipher(bytes, CipherKey.parse(keys[name]!), profiles))!
    expect(cipher.profile.name).toBe(PROFILES[name] ?? name)
    const base = new DecryptedPages(pagesIn(name, bytes, cipher.pageSize, cipher.usableSize), cipher)
    expect(headerOf(base)).toMatchObject({ pageSize: cipher.pageSize, usableSize: cipher.usableSize })
    const schema = readSchema(base)
    const tables = fixtureTables(table => schema.find(object => object.name === table)!.rootPage)
    let state: DatabaseState = { source: base, encoding: 'utf-8', tables }
    expect(rowsOf(state)).toEqual(states[0])

    const owners = PageOwners.of(base, tables)
    const log = bytesIn(`${name}.db-wal`, fixtureBytes(`${name}.db-wal`))
    const header = parseWalHeader({ file: log.file, bytes: fixtureBytes(`${name}.db-wal`), offset: 0 })
    const operations: string[][] = []
    for (const commit of new WalReader(log, header).commits(2 ** 31)) {
      const pages = decryptedSet(new WalPages(log, header, commit.frames), cipher, log.file)
      const after = { ...state, source: overlaid(state.source, pages, commit.pageCount) }
      const difference = new DatabaseDifference(state, after, owners, commit.frames.pages())
      operations.push([...difference.changes()].map(({ table, operation }) => `${operation} ${table}`))
      difference.settle()
      state = after
      expect(rowsOf(state)).toEqual(states[operations.length])
    }
    expect(operations.map(each => each.toSorted())).toEqual([
      ['insert messages'],
      ['update messages'],
      Array.from({ length: 4 }, () => 'delete messages'),
      ['delete tags', 'delete tags', 'insert tags'],
    ])
  })

  it('are opened by no other key', async () => {
    for (const name of ['sqlcipher-3', 'sqlcipher-1'])
      expect(
        await detectCipher(fixtureBytes(`${name}.db`), CipherKey.parse('wrong'), CIPHER_PROFILES.slice(1)),
      ).toBeUndefined()
  })

  it('derive the same keys on this thread as on another', async () => {
    const bytes = fixtureBytes('sqlcipher-3.db')
    const key = CipherKey.parse(keys['sqlcipher-3']!)
    const sync = PageKeys.sync(SQLCIPHER_3, key, bytes.subarray(0, 16))
    const other = await PageKeys.of(SQLCIPHER_3, key, bytes.subarray(0, 16))
    expect(Buffer.from(sync.key)).toEqual(Buffer.from(other.key))
    expect(new PageCipher(SQLCIPHER_3, sync).verifies(1, bytes.subarray(0, 1024))).toBe(true)
  })

  it('are opened by the key that was derived, with the salt', async () => {
    const bytes = fixtureBytes('wcdb.db')
    const cipher = (await detectCipher(bytes, CipherKey.parse(keys.wcdb!), CIPHER_PROFILES.slice(1)))!
    const again = await detectCipher(bytes, CipherKey.parse(cipher.keys.rawKeyText.toString()))
    expect(again?.profile.name).toBe('wcdb')
  })
})

describe('PageCipher', () => {
  const bytes = fixtureBytes('sqlcipher-4-small-pages.db')
  const key = CipherKey.parse(keys['sqlcipher-4-small-pages']!)
  const cipher = new PageCipher(
    { ...SQLCIPHER_4, pageSize: 1024 },
    PageKeys.sync(SQLCIPHER_4, key, bytes.subarray(0, 16)),
  )
  const page = (no: number): Uint8Array => Buffer.from(bytes.subarray((no - 1) * 1024, no * 1024))

  it('refuses a page of which any byte that is authenticated was changed', () => {
    for (let at = 0; at < 1024; at++) {
      const damaged = page(2)
      damaged[at]! ^= 1
      expect(() => cipher.decrypt(2, damaged, 'x.db')).toThrow(CorruptFileError)
    }
  })

  it('refuses a page in the place of another, and one that is cut', () => {
    expect(() => cipher.decrypt(3, page(2), 'x.db')).toThrow('"x.db" at byte 2048: expected page 3 with the code')
    expect(() => cipher.decrypt(2, page(2).subarray(1), 'x.db')).toThrow(
      'expected an encrypted page of 1024 bytes, found 1023',
    )
  })

  it('does not change the bytes that it is given', () => {
    const given = page(1)
    cipher.decrypt(1, given, 'x.db')
    expect(given).toEqual(page(1))
  })

  it('shows nothing of its keys', () => {
    const shown = [
      inspect(cipher, { depth: 9, showHidden: true }),
      JSON.stringify(cipher),
      inspect(key, { showHidden: true }),
      JSON.stringify(key),
    ]
    for (const text of shown) expect(text).not.toMatch(/0c,? ?0d|12,\s*13,\s*14|0c0d0e/i)
  })

  it('derives other keys for other purposes, and wipes its own', () => {
    const keys = PageKeys.sync(SQLCIPHER_4, key, bytes.subarray(0, 16))
    expect(keys.derived('a')).not.toEqual(keys.derived('b'))
    expect(keys.derived('a')).toEqual(keys.derived('a'))
    keys.wipe()
    expect(keys.key.every(byte => byte === 0)).toBe(true)
    expect(keys.authenticationKey.every(byte => byte === 0)).toBe(true)
  })
})

describe('DecryptedPages', () => {
  it('keeps the pages used last until they are forgotten', () => {
    const bytes = fixtureBytes('sqlcipher-4-small-pages.db')
    const keysOf = PageKeys.sync(SQLCIPHER_4, CipherKey.parse(keys['sqlcipher-4-small-pages']!), bytes.subarray(0, 16))
    const cipher = new PageCipher({ ...SQLCIPHER_4, pageSize: 1024 }, keysOf)
    const encrypted = pagesIn('x.db', bytes, 1024, 944)
    const asked: number[] = []
    const counting = {
      ...encrypted,
      page(no: number) {
        asked.push(no)
        return encrypted.page(no)
      },
    }
    const pages = new DecryptedPages(counting, cipher, 2)
    for (const no of [1, 2, 1, 3, 1, 2]) pages.page(no)
    expect(asked).toEqual([1, 2, 3, 2])
    pages.forget([1, 2])
    pages.page(1)
    expect(asked).toEqual([1, 2, 3, 2, 1])
  })
})
