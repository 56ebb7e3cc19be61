import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { ChangesEvent } from '@hotpath/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { System } from './system.js'

const WAIT_MS = 20_000

/** Python's `sqlite3` writes, in a process that ends before this one goes on: the last to close deletes the log. */
function write(file: string, ...statements: string[]): void {
  const script = [
    'import sqlite3, sys',
    'c = sqlite3.connect(sys.argv[1], isolation_level=None)',
    'for s in sys.argv[2:]: c.execute(s)',
  ].join('\n')
  execFileSync('python3', ['-c', script, file, ...statements])
}

describe('followed databases', () => {
  let home: string
  let root: string
  let file: string
  let system: System

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'hotpath-databases-'))
    root = join(home, 'files')
    mkdirSync(root)
    writeFileSync(join(root, 'invoice 2024.pdf'), 'x')
    mkdirSync(join(home, 'chat'))
    file = join(home, 'chat', 'messages.db')
    write(
      file,
      'PRAGMA journal_mode=WAL',
      'CREATE TABLE message(id INTEGER PRIMARY KEY, sender TEXT, body TEXT)',
      "INSERT INTO message(sender, body) VALUES ('ann', 'hello there')",
    )
    const setting = { path: file, name: 'chat', text: ['message.body'] }
    system = await System.start(['--root', root, '--database', JSON.stringify(setting)])
    await system.settled()
  }, 120_000)

  afterAll(async () => {
    await system.stop()
    rmSync(home, { recursive: true, force: true })
  })

  const found = async (query: string) =>
    (await system.client.searchRows({ query })).rows.map(({ key, snippet }) => [key, snippet])
  const becomes = (query: string, rows: unknown) =>
    system.until(`${query} finds ${JSON.stringify(rows, (_, value) => String(value))}`, WAIT_MS, async () => {
      expect(await found(query)).toEqual(rows)
      return true
    })

  it('are searched beside files, as they change', async () => {
    await becomes('in:chat', [[1n, 'hello there']])
    write(
      file,
      "INSERT INTO message(sender, body) VALUES ('bob', 'the Invoice of 2024 is late')",
      "UPDATE message SET body = 'good bye' WHERE id = 1",
    )
    await becomes('invoice 2024', [[2n, 'the Invoice of 2024 is late']])
    await becomes('good', [[1n, 'good bye']])
    expect(await found('hello')).toEqual([])
    const { hits } = await system.client.search({ query: 'invoice 2024' })
    expect(hits.map(({ name }) => name)).toEqual(['invoice 2024.pdf'])
    expect(await system.get('/api/rows?q=invoice')).toMatchObject({
      total: 1,
      rows: [{ database: 'chat', table: 'message', key: 2, matched: [[4, 7]] }],
    })
    write(file, 'DELETE FROM message WHERE id = 2')
    await becomes('invoice', [])
  })

  it('are said to have changed when a search finds it, and at no other time', async () => {
    await becomes('good', [[1n, 'good bye']])
    const end = new AbortController()
    const body = (await system.fetch('/api/events', end.signal)).body!.pipeThrough(new TextDecoderStream())
    let told = ''
    let isClosed = false
    const reading = (async () => {
      for await (const piece of body) told += piece
    })().catch(() => {
      isClosed = true
    })
    const count = () => told.split('event: rows\n').length - 1
    await system.until('the stream begins', WAIT_MS, async () => told.includes('event: status'))
    for (let key = 50; key < 53; key++) {
      const before = count()
      write(file, `INSERT INTO message(id, body) VALUES (${key}, 'noticed ${key}')`)
      await system.until('it is told', WAIT_MS, async () => count() > before)
      expect(await found(`"noticed ${key}"`)).toEqual([[BigInt(key), `noticed ${key}`]])
    }
    // Until nothing more is told of that.
    let before: number
    do {
      before = count()
      await sleep(600)
    } while (count() > before)
    // What changes now is not searched, or nothing.
    write(
      file,
      "UPDATE message SET sender = 'eve' WHERE id = 999",
      'CREATE TABLE other(a)',
      'INSERT INTO other VALUES (1)',
    )
    writeFileSync(join(root, 'another.txt'), 'x')
    await system.until('a change of files is told', WAIT_MS, async () => told.includes('event: changed'))
    expect([count(), isClosed]).toEqual([before, false])
    end.abort()
    await reading
    write(file, 'DELETE FROM message WHERE id BETWEEN 50 AND 52')
    await becomes('noticed', [])
  })

  it('are searched, and told without a gap, while every stage is killed', async () => {
    const told: ChangesEvent[] = []
    const changes = await system.client.changes({ databases: ['chat'] })
    const reading = (async () => {
      for await (const event of changes) told.push(event)
    })()
    const keys: bigint[] = []
    let id = 100n
    for (const stage of ['store', 'watcher', 'gateway', 'watcher'] as const) {
      system.kill(stage)
      for (let i = 0; i < 3; i++) {
        write(file, `INSERT INTO message(id, body) VALUES (${id}, 'killed ${stage}')`)
        keys.push(id++)
      }
      await system.until('all stages run', WAIT_MS, async () => (await system.client.status()).stages.length >= 4)
    }
    await becomes(
      'killed',
      keys.toReversed().map(key => [key, expect.stringContaining('killed')]),
    )
    const inserted = () =>
      told.flatMap(event => (event.type === 'transaction' ? event.changes.map(({ key }) => key) : []))
    await system.until('all was told', WAIT_MS, async () => inserted().length >= keys.length)
    expect(inserted()).toEqual(keys)
    expect(told.filter(({ type }) => type === 'reset')).toEqual([])
    await changes.return?.()
    await reading
  })

  it('that are encrypted are searched, and nothing of them is in any file in clear', async () => {
    const directory = join(home, 'secret')
    mkdirSync(directory)
    for (const end of ['', '-wal']) {
      const packed = readFileSync(new URL(`../../packages/sqlite/fixtures/sqlcipher-4.db${end}.gz`, import.meta.url))
      writeFileSync(join(directory, `secret.db${end}`), gunzipSync(packed))
    }
    writeFileSync(join(directory, 'key'), 'correct horse\n', { mode: 0o600 })
    const setting = { path: join(directory, 'secret.db'), 'key-file': join(directory, 'key'), text: ['messages.body'] }
    const other = await System.start(['--root', root, '--database', JSON.stringify(setting)])
    try {
      await other.settled()
      await other.until('its rows are found', WAIT_MS, async () => {
        return (await other.client.searchRows({ query: 'in:secret message' })).total > 0
      })
      const { rows } = await other.client.searchRows({ query: '"message 7"' })
      expect(rows.map(({ snippet }) => snippet)).toEqual(['message 7'])
      const files = readdirSync(other.dataDir, { recursive: true, withFileTypes: true }).filter(each => each.isFile())
      expect(files.length).toBeGreaterThan(3)
      for (const each of files) {
        const bytes = contentOf(join(each.parentPath, each.name))
        for (const clear of ['message 7', 'correct horse']) expect(bytes.includes(clear), each.name).toBe(false)
      }
      expect(other.log).not.toContain('correct horse')
    } finally {
      await other.stop()
    }
  })

  it('have nothing written beside them', () => {
    expect(readdirSync(join(home, 'chat')).filter(name => !name.startsWith('messages.db'))).toEqual([])
    // The writer's processes have ended, and nobody else holds the log open.
    expect(readdirSync(join(home, 'chat'))).toEqual(['messages.db'])
    expect(readFileSync(file).subarray(0, 15).toString()).toBe('SQLite format 3')
  })
})

/** Of a file that the system which has made it may remove: then it has none. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return Buffer.alloc(0)
  }
}
