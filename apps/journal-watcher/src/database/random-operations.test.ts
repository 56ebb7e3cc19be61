import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runAuditSql } from './audit/testing/install-audit.js'
import { FrozenRows } from './row-pages.js'
import { FollowedDatabase, KilledError, LogInMemory } from './testing/followed-database.js'
import { PythonWriter } from './testing/python-writer.js'
import { RandomWriter, randomNumbers } from './testing/random-writer.js'
import { Replica, rowsOf, tablesOf } from './testing/replica.js'

const SOAK = process.env.SOAK !== undefined
const RUNS = SOAK ? 40 : 4
const STEPS = SOAK ? 250 : 40
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** A consumer, who keeps where he is. */
class Consumer {
  replica = new Replica()
  #epoch = 0
  #sequence = 0

  catchUp(followed: FollowedDatabase): void {
    const { log, follower } = followed
    if (log.epoch !== this.#epoch) {
      this.replica = new Replica()
      this.#epoch = log.epoch
      this.#sequence = log.transactions.length
      const rows = FrozenRows.of(follower, followed.shadow, [...log.tables.keys()])
      for (let page = rows?.next(); page !== undefined; page = rows?.next())
        this.replica.apply({ tables: [page.table], changes: page.rows })
      rows?.close()
    }
    for (const transaction of log.transactions.slice(this.#sequence)) this.replica.apply(transaction)
    this.#sequence = log.transactions.length
  }
}

for (let run = 0; run < RUNS; run++) {
  const mode = run % 4 === 3 ? 'DELETE' : 'WAL'
  const audit = run % 4 > 1
  const how = audit ? 'with an audit, and ' : ''
  test(`any operations of a writer in mode ${mode} are told, ${how}with kills of both sides (SEED=${seed + run})`, {
    timeout: 600_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hotpath-random-'))
    const random = randomNumbers(seed + run)
    const path = join(directory, 'a.db')
    const writer = new RandomWriter(path, () => new PythonWriter(), random, mode)
    const log = new LogInMemory()
    const data = join(directory, 'data')
    const consumer = new Consumer()
    // Of every other run most has no room in memory.
    const memoryBytes = run % 2 === 0 ? 64 * 1024 * 1024 : 4_096
    const history: string[] = []
    const options = { memoryBytes, audit }
    let followed = await FollowedDatabase.start(path, data, log, options)
    const below = (limit: number): number => Math.floor(random() * limit)
    const settle = async (isWhole = true): Promise<void> => {
      try {
        if (isWhole) await followed.settle()
        else await followed.follower.step()
      } catch (error) {
        if (!(error instanceof KilledError)) throw error
        history.push('follower killed')
        followed.end()
        followed = await FollowedDatabase.start(path, data, log, options)
        await followed.settle()
      }
    }
    try {
      await writer.open()
      for (let i = 0; i < STEPS; i++) {
        history.push(await writer.step())
        if (audit && below(12) === 0) {
          const action = below(4) > 0 ? 'install' : 'remove'
          // There may be nothing to remove.
          history.push(await runAuditSql(path, { action }).then(() => `${action}ed`, String))
        }
        if (below(3) === 0) continue
        if (below(12) === 0) followed.killNext = (['before', 'after', 'pages'] as const)[below(3)]
        if (below(15) === 0) {
          history.push('follower restarted')
          followed.close()
          if (below(2) === 0) history.push(await writer.step())
          followed = await FollowedDatabase.start(path, data, log, options)
        }
        await settle(below(4) > 0)
        if (below(3) !== 0) continue
        await settle()
        expect(followed.condition).toMatchObject({ state: 'live', ...(audit ? {} : { reason: '' }) })
        consumer.catchUp(followed)
        for (const table of new Set([...(await tablesOf(writer.writer)), ...consumer.replica.tables]))
          expect(consumer.replica.rows(table), `${table} after ${i}`).toEqual(
            (await tablesOf(writer.writer)).includes(table) ? await rowsOf(writer.writer, table) : [],
          )
      }
      expect(log.resets).toBeLessThanOrEqual(1)
      if (SOAK) {
        const count = (one: string): number => log.transactions.filter(({ method }) => method === one).length
        process.stderr.write(`${['pages', 'comparison', 'audit'].map(one => `${one}: ${count(one)}`).join(', ')}\n`)
      }
    } catch (error) {
      process.stderr.write(`SEED=${seed + run}: ${history.slice(-12).join('\n')}\n`)
      throw error
    } finally {
      followed.close()
      await writer.end()
      rmSync(directory, { recursive: true })
    }
  })
}
