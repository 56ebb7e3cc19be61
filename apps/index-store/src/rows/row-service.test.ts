import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeRowKey, encodeRowKey, type FollowedTable, type SqlValue } from '@hotpath/model'
import { type DeliveredChange, encodeChanges, newEpoch, type RowCursor } from '@hotpath/protocol/contract'
import { type Random, randomOf } from '@hotpath/query/testing'
import { RowIndex } from '@hotpath/row-index'
import { NodeFileSystem } from '@hotpath/store'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ROW_MANIFEST_NAME } from './row-manifest.js'
import type { FromRowWorker, RowAnswer, RowQuery } from './row-messages.js'
import { RowService } from './row-service.js'
import type { ShelfSetting } from './row-shelf.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const STEPS = process.env.SOAK ? 20_000 : 400
/** Everything happens often. */
const LIMITS = { flushRows: 20, flushBytes: 1 << 20, fanIn: 3, mergeBytes: 1 << 20 }
const TABLE: FollowedTable = { name: 'Message', columns: ['id', 'body', 'size', 'title'] }
const EPOCH = newEpoch('test')
const WORDS = ['invoice', '2024', 'Größe', 'hello', 'there', 'a/b']

let directory: string
let posted: FromRowWorker[]
let service: RowService

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-rows-'))
  start()
})

afterEach(async () => {
  service.receive({ type: 'stop' })
  await service.settled()
  rmSync(directory, { recursive: true })
})

function start(): void {
  posted = []
  service = new RowService(
    new NodeFileSystem(),
    () => false,
    message => posted.push(message),
    LIMITS,
  )
}

const chat = (): ShelfSetting => ({
  database: 'chat',
  text: ['message.body', 'message.TITLE'],
  directory: join(directory, 'chat'),
})

async function open(...databases: ShelfSetting[]): Promise<RowCursor | undefined> {
  service.receive({ type: 'open', databases })
  await service.settled()
  const opened = posted.findLast(message => message.type === 'opened')
  return opened?.cursors[0]?.cursor
}

function change(
  operation: DeliveredChange['operation'],
  key: bigint,
  body: SqlValue,
  title: SqlValue = null,
): DeliveredChange {
  const row = [key, body, 5n, title]
  return {
    table: 'Message',
    operation,
    key,
    ...(operation !== 'delete' && { new: row }),
    ...(operation !== 'insert' && { old: row }),
  }
}

function tell(changes: DeliveredChange[], sequence: number | undefined, database = 'chat'): void {
  const cursor = sequence === undefined ? undefined : { epoch: EPOCH, sequence }
  service.receive({ type: 'changes', database, tables: [TABLE], changes: encodeChanges(changes), cursor })
}

function ask(text: string, more: Partial<RowQuery> = {}): RowAnswer {
  service.receive({
    type: 'search',
    id: 7,
    query: { text, offset: 0, limit: 100, caseMode: 'ignore', nowMs: 0, deadlineMs: Date.now() + 10_000, ...more },
  })
  const last = posted.at(-1)
  if (last?.type !== 'result') throw new Error('no answer')
  return last.answer
}

function found(text: string, more: Partial<RowQuery> = {}): bigint[] {
  const answer = ask(text, more)
  if (answer.kind !== 'page') throw new Error(JSON.stringify(answer))
  return answer.rows.map(({ key }) => decodeRowKey(key) as bigint)
}

describe('rows of followed databases', () => {
  it('are found by the text of their columns, with a snippet', async () => {
    await open(chat())
    tell([change('insert', 1n, 'the Invoice of 2024'), change('insert', 2n, 'nothing', 'Größe of an invoice')], 1)
    await service.settled()
    const answer = ask('invoice')
    expect(answer).toMatchObject({
      kind: 'page',
      total: 2,
      rows: [
        {
          database: 'chat',
          table: 'Message',
          key: encodeRowKey(2n),
          snippet: 'nothing\nGröße of an invoice',
          matched: [20, 27],
        },
        { key: encodeRowKey(1n), snippet: 'the Invoice of 2024', matched: [4, 11], cutStart: false, cutEnd: false },
      ],
    })
    expect(found('invoice 2024')).toEqual([1n])
    expect(found('in:chat table:message grosse')).toEqual([2n])
    expect(found('in:other')).toEqual([])
    // A number is no text, and a column that is not named is not searched.
    expect(found('5')).toEqual([])
    tell([change('update', 1n, 'gone'), change('delete', 2n, null)], 2)
    await service.settled()
    expect(found('invoice')).toEqual([])
    expect(found('gone')).toEqual([1n])
  })

  it('are the same as a model after random changes, restarts and resets', { timeout: 600_000 }, async () => {
    const random = randomOf(SEED)
    const model = new Map<bigint, string>()
    /** What was told by number, so that it can be told again. */
    const log: DeliveredChange[][] = [[]]
    await open(chat())
    let restarts = 0
    for (let step = 1; step <= STEPS; step++) {
      const changes = Array.from({ length: 1 + random.below(12) }, () => randomChange(random, model))
      const last = new Map(changes.map(each => [each.key, each]))
      log.push([...last.values()])
      tell(log[step], step)
      if (random.chance(0.1)) await service.settled()
      if (random.chance(0.03)) {
        // Killed: what is not in a segment is lost, and told again from the cursor on.
        await service.settled()
        start()
        const cursor = await open(chat())
        restarts++
        expect(cursor?.sequence ?? 0).toBeLessThanOrEqual(step)
        for (let again = (cursor?.sequence ?? 0) + 1; again <= step; again++) tell(log[again], again)
      } else if (random.chance(0.01)) {
        service.receive({ type: 'reset', database: 'chat', cursor: undefined })
        const rows = [...model].map(([key, body]) => change('insert', key, body))
        for (let at = 0; at < rows.length; at += 50) tell(rows.slice(at, at + 50), undefined)
        tell([], step)
      }
      if (step % 10 !== 0) continue
      await service.settled()
      const word = random.pick(WORDS)
      const folded = word.toLowerCase().replace('ß', 'ss')
      const expected = [...model].filter(([, body]) => body.toLowerCase().replaceAll('ß', 'ss').includes(folded))
      const keys = expected.map(([key]) => key).sort((a, b) => (a < b ? 1 : -1))
      expect(found(word, { limit: 10_000 }), `SEED=${SEED}, step ${step}, ${word}`).toEqual(keys)
      expect(posted.filter(({ type }) => type === 'problem')).toEqual([])
      posted.length = 0
    }
    expect(restarts).toBeGreaterThan(0)
    const files = readdirSync(join(directory, 'chat'))
    expect(files).toContain(ROW_MANIFEST_NAME)
    // Merges keep them few: those of each size are fewer than a merge takes.
    expect(files.length).toBeLessThan(20)
  })

  it('are told again where a file is damaged or other columns are searched', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => change('insert', BigInt(i), `text ${i}`))
    await open(chat())
    tell(rows, 1)
    await service.settled()
    start()
    expect(await open(chat())).toEqual({ epoch: EPOCH, sequence: 1 })
    expect(found('text', { limit: 3 })).toEqual([29n, 28n, 27n])
    start()
    expect(await open({ ...chat(), text: ['message.body'] })).toBeUndefined()
    expect(found('text')).toEqual([])
    tell(rows, 2)
    await service.settled()
    writeFileSync(join(directory, 'chat', ROW_MANIFEST_NAME), 'nonsense\n')
    start()
    expect(await open({ ...chat(), text: ['message.body'] })).toBeUndefined()
    expect(posted).toContainEqual(expect.objectContaining({ type: 'problem', database: 'chat' }))
  })

  it('of an encrypted database are in no file', async () => {
    await open({ ...chat(), directory: undefined })
    for (let i = 0; i < 100; i++) tell([change('insert', BigInt(i), `secret ${i}`)], i + 1)
    await service.settled()
    expect(found('secret 42')).toEqual([42n])
    expect(readdirSync(directory)).toEqual([])
  })

  it('of several databases follow each other', async () => {
    await open(chat(), { ...chat(), database: 'mail', directory: undefined })
    tell([change('insert', 1n, 'same'), change('insert', 2n, 'same')], 1)
    tell([change('insert', 8n, 'same'), change('insert', 9n, 'same')], 1, 'mail')
    await service.settled()
    expect(found('same')).toEqual([2n, 1n, 9n, 8n])
    expect(found('same', { offset: 1, limit: 2 })).toEqual([1n, 9n])
    expect(found('same', { offset: 3, limit: 2 })).toEqual([8n])
    expect(ask('same count:3')).toMatchObject({ total: 3, rows: { length: 3 } })
    await open({ ...chat(), database: 'mail', directory: undefined })
    expect(found('same')).toEqual([9n, 8n])
  })

  it('are said to have changed when a search finds it, and where nothing did nothing is said', async () => {
    await open(chat(), { ...chat(), database: 'mail', directory: undefined })
    const said = () => posted.splice(0).filter(({ type }) => type === 'changed').length
    expect(said()).toBe(1)
    tell([change('insert', 1n, 'same')], 1)
    // Another table, and a row that was never searched.
    const other = { ...change('insert', 2n, 'same'), table: 'other' }
    tell([other, change('delete', 5n, null)], 2)
    service.receive({ type: 'cursor', database: 'chat', cursor: { epoch: EPOCH, sequence: 3 } })
    await service.settled()
    expect(said()).toBe(1)
    expect(found('same')).toEqual([1n])
    service.receive({ type: 'reset', database: 'chat', cursor: undefined })
    await service.settled()
    expect(said()).toBe(1)
    expect(found('same')).toEqual([])
  })

  it('are searched once for what several ask, until their database changes', async () => {
    await open(chat(), { ...chat(), database: 'mail', directory: undefined })
    const searched = vi.spyOn(RowIndex.prototype, 'search')
    const databases = () => searched.mock.contexts.splice(0).map(index => (index as RowIndex).database)
    tell([change('insert', 1n, 'same')], 1)
    tell([change('insert', 8n, 'same')], 1, 'mail')
    await service.settled()
    for (let window = 0; window < 3; window++) expect(found('same')).toEqual([1n, 8n])
    expect(databases()).toEqual(['chat', 'mail'])
    expect(found('same', { limit: 1 })).toEqual([1n])
    expect(found('SAME', { caseMode: 'match' })).toEqual([])
    expect(databases()).toEqual(['chat', 'mail', 'chat', 'mail'])
    tell([change('update', 8n, 'the same')], 2, 'mail')
    await service.settled()
    for (let window = 0; window < 3; window++) expect(found('same')).toEqual([1n, 8n])
    expect(databases()).toEqual(['mail'])
    // Other columns of a database with the same name.
    await open({ ...chat(), text: ['message.title'] })
    expect(found('same')).toEqual([])
    searched.mockRestore()
  })

  it('are not searched for a query that is wrong or too late', async () => {
    await open(chat())
    tell([change('insert', 1n, 'same')], 1)
    await service.settled()
    expect(ask('size:x')).toMatchObject({ kind: 'syntax', position: 5 })
    tell(
      Array.from({ length: 30 }, (_, i) => change('insert', BigInt(i), `text ${i}`)),
      2,
    )
    await service.settled()
    expect(ask('text', { deadlineMs: 1 })).toMatchObject({ kind: 'failed', code: 'CANCELLED' })
  })
})

function randomChange(random: Random, model: Map<bigint, string>): DeliveredChange {
  const key = BigInt(random.below(200))
  const known = model.get(key)
  if (known !== undefined && random.chance(0.3)) {
    model.delete(key)
    return change('delete', key, known)
  }
  const body = Array.from({ length: 1 + random.below(4) }, () => random.pick(WORDS)).join(' ')
  model.set(key, body)
  return change(known === undefined ? 'insert' : 'update', key, body)
}
