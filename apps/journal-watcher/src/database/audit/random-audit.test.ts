import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FollowedDatabase, KilledError, LogInMemory } from '../testing/followed-database.js'
import { PythonWriter } from '../testing/python-writer.js'
import { randomNumbers } from '../testing/random-writer.js'
import { Replica, rowsOf } from '../testing/replica.js'
import { runAuditSql } from './testing/install-audit.js'
import { grouped, stepOf } from './testing/journal-steps.js'
import { JournalWriter } from './testing/journal-writer.js'

const SOAK = process.env.SOAK !== undefined
const RUNS = SOAK ? 40 : 3
const STEPS = SOAK ? 300 : 40
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

for (let run = 0; run < RUNS; run++) {
  const mode = run % 3 === 2 ? 'DELETE' : 'WAL'
  const vacuums = run % 2 === 0
  test(`each step of a writer in mode ${mode} is told in order, with kills of both sides (SEED=${seed + run})`, {
    timeout: 600_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hotpath-random-audit-'))
    const path = join(directory, 'a.db')
    const data = join(directory, 'data')
    const random = randomNumbers(seed + run)
    const below = (limit: number): number => Math.floor(random() * limit)
    const writer = new JournalWriter(path, () => new PythonWriter(), random, vacuums)
    const log = new LogInMemory()
    const start = () => FollowedDatabase.start(path, data, log, { audit: true })
    const history: string[] = []
    await writer.create(mode)
    await runAuditSql(path)
    let followed: FollowedDatabase | undefined = await start()
    await followed.settle()
    const settle = async (): Promise<FollowedDatabase> => {
      followed ??= await start()
      try {
        await followed.settle()
      } catch (error) {
        if (!(error instanceof KilledError)) throw error
        history.push('follower killed')
        followed.end()
        followed = await start()
        await followed.settle()
      }
      return followed
    }
    try {
      for (let i = 0; i < STEPS; i++) {
        history.push(await writer.step())
        if (below(3) === 0) continue
        if (below(8) === 0 && followed !== undefined) {
          history.push('follower away')
          followed.close()
          followed = undefined
          continue
        }
        if (below(12) === 0 && followed !== undefined)
          followed.killNext = (['before', 'after', 'pages'] as const)[below(3)]
        await settle()
        // The owner lets go of what was told.
        if (below(10) === 0) {
          history.push('pruned')
          await writer.writer.run('DELETE FROM hotpath_audit')
        }
      }
      expect((await settle()).condition).toMatchObject({ state: 'live', reason: '' })
      expect(log.resets).toBe(1)
      expect(writer.journal.length).toBeGreaterThan(STEPS / 2)
      const told = log.transactions.flatMap(({ changes }) => changes.map(stepOf))
      expect(grouped(told, writer.journal)).toEqual(writer.journal.map(group => [...group].sort()))
      expect([...new Set(log.transactions.map(({ method }) => method))]).toEqual(['audit'])
      const replica = new Replica()
      replica.apply({ tables: [...log.tables.values()], changes: [] })
      for (const transaction of log.transactions) replica.apply(transaction)
      for (const table of writer.tables) expect(replica.rows(table), table).toEqual(await rowsOf(writer.writer, table))
    } catch (error) {
      process.stderr.write(`SEED=${seed + run}: ${history.slice(-12).join('\n')}\n`)
      throw error
    } finally {
      followed?.close()
      await writer.writer.kill()
      rmSync(directory, { recursive: true })
    }
  })
}
