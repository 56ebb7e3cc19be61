import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runAuditSql } from './audit/testing/install-audit.js'
import { FollowedDatabase, KilledError, LogInMemory } from './testing/followed-database.js'
import { RandomWriter, randomNumbers } from './testing/random-writer.js'
import { rowsOf, tablesOf } from './testing/replica.js'
import { RowConsumer } from './testing/row-consumer.js'
import { randomWays } from './testing/ways-of-writing.js'

const SOAK = process.env.SOAK !== undefined
const WAYS = randomWays()
const RUNS = SOAK ? 10 * WAYS.length : WAYS.length
const STEPS = SOAK ? 250 : 40
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

for (let run = 0; run < RUNS; run++) {
  const { by, mode, start, key, pageSizes } = WAYS[run % WAYS.length]!
  // Every other run, and in the next round those between.
  const audit = key === undefined && (run + Math.floor(run / WAYS.length)) % 2 === 1
  const how = audit ? 'with an audit, and ' : ''
  test(`any operations of ${by} in mode ${mode} are told, ${how}with kills of both sides (SEED=${seed + run})`, {
    timeout: 600_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hotpath-random-'))
    const random = randomNumbers(seed + run)
    const path = join(directory, 'a.db')
    const writer = new RandomWriter(path, start, random, mode, pageSizes)
    const log = new LogInMemory()
    const data = join(directory, 'data')
    const consumer = new RowConsumer()
    // Of every other run most has no room in memory.
    const memoryBytes = run % 2 === 0 ? 64 * 1024 * 1024 : 4_096
    const history: string[] = []
    const options = { memoryBytes, audit, ...(key === undefined ? {} : { key }) }
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
