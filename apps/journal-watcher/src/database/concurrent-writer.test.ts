import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RowChange } from '@hotpath/model'
import { decodeChanges } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { expect, test } from 'vitest'
import type { ChangeLog } from '../rows/change-log.js'
import type { LogReader } from '../rows/log-reader.js'
import type { DatabaseThread } from './database-thread.js'
import { FollowedDatabases } from './followed-databases.js'
import { RandomWriter, randomNumbers } from './testing/random-writer.js'
import { Replica, rowsOf, tablesOf } from './testing/replica.js'
import { RAW_KEY, randomWays } from './testing/ways-of-writing.js'

const SOAK = process.env.SOAK !== undefined
const STEPS = SOAK ? 15_000 : 60
const COMPARED_STEPS = 500
/** How often the follower is started again. */
const RESTARTS = SOAK ? 0.01 : 0.04
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** A consumer who has seen a database from its first row on, and keeps his cursor. */
class Consumer {
  readonly replica = new Replica()
  readonly methods = new Map<string, number>()
  #epoch: string | undefined
  #sequence = 0
  #log: ChangeLog | undefined
  #reader: LogReader | undefined

  catchUp({ log }: DatabaseThread): void {
    if (log === undefined) return
    if (log !== this.#log) {
      expect(log.epoch).toBe(this.#epoch ?? log.epoch)
      this.#epoch = log.epoch
      this.#log = log
      this.#reader = log.reader(this.#sequence)
    }
    if (this.#reader === undefined) return
    for (let part = this.#reader.next(); part !== undefined; part = this.#reader.next()) {
      if (typeof part === 'string') throw new Error(`the log is ${part}`)
      const { method, tables } = part.head
      if (part.isLast) {
        this.methods.set(method, (this.methods.get(method) ?? 0) + 1)
        this.#sequence = part.sequence
      }
      this.replica.apply({
        tables: part.index === 0 ? tables : [],
        changes: decodeChanges(part.changes) as unknown as RowChange[],
      })
    }
  }
}

/** One that writes in plain, and one with a cipher. */
const ALL = randomWays().filter(({ mode }) => mode === 'WAL')
const WAYS = [undefined, RAW_KEY].flatMap(key => ALL.find(way => way.key === key) ?? [])

test.each(WAYS.map(way => [way.by, way] as const))(
  `%s, which waits for nobody, is followed to the last row (SEED=${seed})`,
  {
    timeout: 3_600_000,
  },
  async (_, { start: startWriter, key, pageSizes }) => {
    const directory = mkdtempSync(join(tmpdir(), 'hotpath-concurrent-'))
    const path = join(directory, 'a.db')
    const keyFile = join(directory, 'key')
    if (key !== undefined) writeFileSync(keyFile, key)
    /** What was logged, for who has to find out why it failed. */
    const events: string[] = []
    const start = (): FollowedDatabases => {
      const set = new FollowedDatabases({
        settings: [
          {
            path,
            name: 'a',
            tables: [],
            audit: false,
            text: [],
            ...(key === undefined ? {} : { key: { file: keyFile } }),
          },
        ],
        dataDir: join(directory, 'data'),
        log: { ...silentLogger, info: (message, fields) => events.push(`${message} ${JSON.stringify(fields)}`) },
      })
      set.start()
      return set
    }
    const random = randomNumbers(seed + 1)
    const writer = new RandomWriter(path, startWriter, randomNumbers(seed), 'WAL', pageSizes)
    let set = start()
    const isSeen = (state: string): boolean => set.databases()[0]!.condition().state === state
    const consumer = new Consumer()
    const compare = async (): Promise<void> => {
      const tables = await tablesOf(writer.writer)
      const expected = new Map<string, string[]>()
      for (const table of tables) expected.set(table, await rowsOf(writer.writer, table))
      const all = () => [...new Set([...tables, ...consumer.replica.tables])]
      const isEqual = (): boolean =>
        all().every(table => String(consumer.replica.rows(table)) === String(expected.get(table) ?? []))
      for (let waited = 0; waited < 3_000 && !(isSeen('live') && isEqual()); waited++) {
        await sleep(20)
        consumer.catchUp(set.databases()[0]!)
      }
      expect(set.databases()[0]!.condition()).toMatchObject({ state: 'live' })
      for (const table of all()) expect(consumer.replica.rows(table), table).toEqual(expected.get(table) ?? [])
    }
    try {
      while (!isSeen('missing')) await sleep(10)
      await writer.open()
      while (set.databases()[0]!.log === undefined) await sleep(10)
      for (let i = 1; i <= STEPS; i++) {
        await writer.step()
        consumer.catchUp(set.databases()[0]!)
        if (random() < RESTARTS) {
          await set.stop()
          if (random() < 0.5) await writer.step()
          set = start()
        }
        if (i % COMPARED_STEPS === 0) await compare()
      }
      await compare()
      if (SOAK) process.stderr.write(`${writer.commits} commits: ${JSON.stringify([...consumer.methods])}\n`)
      expect(consumer.methods.size).toBeGreaterThan(0)
    } catch (error) {
      process.stderr.write(`SEED=${seed}: ${events.slice(-8).join('\n')}\n`)
      throw error
    } finally {
      await set.stop()
      await writer.end()
      rmSync(directory, { recursive: true })
    }
  },
)
