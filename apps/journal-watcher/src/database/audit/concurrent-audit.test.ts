import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RowChange } from '@hotpath/model'
import { decodeChanges } from '@hotpath/protocol'
import { silentLogger } from '@hotpath/service'
import { expect, test } from 'vitest'
import { FollowedDatabases } from '../followed-databases.js'
import { PythonWriter } from '../testing/python-writer.js'
import { randomNumbers } from '../testing/random-writer.js'
import { runAuditSql } from './testing/install-audit.js'
import { grouped, stepOf } from './testing/journal-steps.js'
import { JournalWriter } from './testing/journal-writer.js'

const SOAK = process.env.SOAK !== undefined
const STEPS = SOAK ? 5_000 : 60
/** How often the follower is started again. */
const RESTARTS = SOAK ? 0.01 : 0.05
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

test(`each step of a writer that waits for nobody is told (SEED=${seed})`, { timeout: 3_600_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-concurrent-audit-'))
  const path = join(directory, 'a.db')
  const start = (): FollowedDatabases => {
    const set = new FollowedDatabases({
      settings: [{ path, name: 'a', tables: [], audit: true, text: [] }],
      dataDir: join(directory, 'data'),
      log: silentLogger,
    })
    set.start()
    return set
  }
  const random = randomNumbers(seed + 1)
  const writer = new JournalWriter(path, () => new PythonWriter(), randomNumbers(seed), true)
  const told: string[] = []
  const methods = new Map<string, number>()
  let sequence = 0
  let set: FollowedDatabases | undefined
  const catchUp = (): void => {
    const [database] = set!.databases()
    const reader = database!.log?.reader(sequence)
    for (let part = reader?.next(); part !== undefined; part = reader!.next()) {
      if (typeof part === 'string') throw new Error(`the log is ${part}`)
      for (const change of decodeChanges(part.changes)) told.push(stepOf(change as unknown as RowChange))
      if (!part.isLast) continue
      sequence = part.sequence
      methods.set(part.head.method, (methods.get(part.head.method) ?? 0) + 1)
    }
  }
  try {
    await writer.create('WAL')
    await runAuditSql(path)
    set = start()
    while (set.databases()[0]!.condition().state !== 'live') await sleep(10)
    for (let i = 0; i < STEPS; i++) {
      await writer.step()
      if (random() < RESTARTS) {
        catchUp()
        await set.stop()
        if (random() < 0.5) await writer.step()
        set = start()
      }
    }
    const expected = writer.journal.flat().length
    for (let waited = 0; waited < 3_000 && told.length < expected; waited++) {
      catchUp()
      await sleep(20)
    }
    expect(grouped(told, writer.journal)).toEqual(writer.journal.map(group => [...group].sort()))
    if (SOAK) process.stderr.write(`${expected} steps: ${JSON.stringify([...methods])}\n`)
    expect([...methods.keys()]).toEqual(['audit'])
  } finally {
    await set?.stop()
    await writer.writer.kill()
    rmSync(directory, { recursive: true })
  }
})
