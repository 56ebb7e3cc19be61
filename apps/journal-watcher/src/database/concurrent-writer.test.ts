import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RowChange } from '@hotpath/model'
import { decodeChanges } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { expect, test } from 'vitest'
import type { LogReader } from '../rows/log-reader.js'
import type { DatabaseThread } from './database-thread.js'
import { FollowedDatabases } from './followed-databases.js'
import { PythonWriter } from './testing/python-writer.js'
import { RandomWriter, randomNumbers } from './testing/random-writer.js'
import { Replica, rowsOf, tablesOf } from './testing/replica.js'

const STEPS = process.env.SOAK === undefined ? 80 : 15_000
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** A consumer of the log of a database that begins with all rows as they are. */
class Consumer {
  readonly replica = new Replica()
  readonly methods = new Map<string, number>()
  #reader: LogReader | undefined

  constructor(private readonly database: DatabaseThread) {}

  async catchUp(): Promise<void> {
    const log = this.database.log!
    this.#reader ??= log.reader(log.firstSequence - 1)
    for (let part = this.#reader.next(); part !== undefined; part = this.#reader.next()) {
      if (typeof part === 'string') throw new Error(`the log is ${part}`)
      const { method, tables } = part.head
      if (part.isLast) this.methods.set(method, (this.methods.get(method) ?? 0) + 1)
      this.replica.apply({
        tables: part.index === 0 ? tables : [],
        changes: decodeChanges(part.changes) as unknown as RowChange[],
      })
    }
  }
}

test(`a writer that waits for nobody is followed to the last row (SEED=${seed})`, { timeout: 3_600_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-concurrent-'))
  const path = join(directory, 'a.db')
  const databases = new FollowedDatabases({
    settings: [{ path, name: 'a', tables: [], text: [] }],
    dataDir: join(directory, 'data'),
    log: silentLogger,
  })
  const writer = new RandomWriter(path, () => new PythonWriter(), randomNumbers(seed), 'WAL')
  databases.start()
  const [database] = databases.databases()
  const isSeen = (state: string): boolean => database!.condition().state === state
  try {
    while (!isSeen('missing')) await sleep(10)
    await writer.open()
    while (database!.log === undefined) await sleep(10)
    const consumer = new Consumer(database!)
    for (let i = 1; i <= STEPS; i++) {
      await writer.step()
      await consumer.catchUp()
      if (i % Math.min(STEPS, 500) !== 0) continue
      const tables = await tablesOf(writer.writer)
      const expected = new Map<string, string[]>()
      for (const table of tables) expected.set(table, await rowsOf(writer.writer, table))
      const isEqual = (): boolean =>
        [...new Set([...tables, ...consumer.replica.tables])].every(
          table => JSON.stringify(consumer.replica.rows(table)) === JSON.stringify(expected.get(table) ?? []),
        )
      for (let waited = 0; waited < 500 && !(isSeen('live') && isEqual()); waited++) {
        await sleep(20)
        await consumer.catchUp()
      }
      expect(database!.condition()).toMatchObject({ state: 'live' })
      for (const table of new Set([...tables, ...consumer.replica.tables]))
        expect(consumer.replica.rows(table), `${table} after ${i}`).toEqual(expected.get(table) ?? [])
    }
    if (process.env.SOAK !== undefined)
      process.stderr.write(`${writer.commits} commits: ${JSON.stringify([...consumer.methods])}\n`)
    expect(consumer.methods.get('pages')).toBeGreaterThan(0)
  } finally {
    await databases.stop()
    await writer.end()
    rmSync(directory, { recursive: true })
  }
})
