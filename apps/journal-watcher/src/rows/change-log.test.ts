import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RowChange } from '@hotpath/model'
import { type DeliveredChange, decodeChanges, parseCursor } from '@hotpath/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChangeLog, type ChangeLogOptions, type NewTransaction } from './change-log.js'
import { readMark } from './log-mark.js'
import type { LogReader } from './log-reader.js'
import { recoverFiles } from './log-recovery.js'

/** Of all transactions. */
const NOW = 1_700_000_000_000
const KEY = new Uint8Array(32).fill(7)
const CHAT = { name: 'messages', columns: ['id', 'text'] }

let directory: string
const opened: ChangeLog[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-change-log-'))
})
afterEach(() => {
  for (const log of opened.splice(0)) log.close()
  rmSync(directory, { recursive: true, force: true })
})

function open(options: Partial<ChangeLogOptions> = {}, at = directory): ChangeLog {
  const log = ChangeLog.open(at, {
    databaseId: '/home/ann/chat.db',
    name: 'chat',
    boot: 'boot-1',
    now: () => NOW,
    ...options,
  })
  opened.push(log)
  return log
}

function insert(rowid: number, text = `text ${rowid}`): RowChange {
  return { table: 'messages', operation: 'insert', key: BigInt(rowid), new: [BigInt(rowid), text] }
}

function transaction(changes: Iterable<RowChange>, more: Partial<NewTransaction> = {}): NewTransaction {
  return { committed: NOW, method: 'pages', merged: false, tables: [], changes, ...more }
}

/** Transactions that a reader gives now, whole. */
function readAll(reader: LogReader): { sequence: number; parts: number; changes: DeliveredChange[] }[] {
  const found: { sequence: number; parts: number; changes: DeliveredChange[] }[] = []
  let parts = 0
  let changes: DeliveredChange[] = []
  for (let part = reader.next(); part !== undefined; part = reader.next()) {
    if (typeof part === 'string') throw new Error(part)
    expect(part.index).toBe(parts++)
    changes.push(...decodeChanges(part.changes))
    if (!part.isLast) continue
    found.push({ sequence: part.sequence, parts, changes })
    parts = 0
    changes = []
  }
  expect(parts).toBe(0)
  return found
}

/** The process is killed: what it wrote stays, nothing more is written. */
function afterKill(): string {
  const copy = join(directory, `../${Math.random()}`)
  mkdirSync(copy)
  for (const name of readdirSync(directory)) copyFileSync(join(directory, name), join(copy, name))
  return copy
}

describe.each([
  ['in clear', undefined],
  ['encrypted', KEY],
])('a log of changes %s', (_, encryptionKey) => {
  const key = encryptionKey === undefined ? {} : { encryptionKey }

  it('numbers transactions and gives them back', () => {
    const log = open(key)
    expect(log.freshStart).toBe('new')
    const reader = log.reader(0)
    expect(reader.next()).toBeUndefined()
    expect(log.append(transaction([insert(1)], { tables: [CHAT], position: Uint8Array.of(1) }))).toBe(1)
    expect(log.append(transaction([insert(2), insert(3)], { position: Uint8Array.of(2) }))).toBe(2)
    expect(readAll(reader)).toEqual([
      { sequence: 1, parts: 1, changes: [insert(1)] },
      { sequence: 2, parts: 1, changes: [insert(2), insert(3)] },
    ])
    expect(reader.tables.get('messages')).toEqual(CHAT)
    expect([...log.position]).toEqual([2])
    expect(readAll(log.reader(1)).map(t => t.sequence)).toEqual([2])
    expect(log.reader(1).tables.get('messages')).toEqual(CHAT)
  })

  it('goes on in the same epoch after it was closed, and after a kill', () => {
    const first = open(key)
    first.append(transaction([insert(1)], { tables: [CHAT], position: Uint8Array.of(9) }))
    const { epoch } = first
    const copy = afterKill()
    try {
      const killed = open(key, copy)
      expect(killed.freshStart).toBeUndefined()
      expect(killed.append(transaction([insert(2)]))).toBe(2)
      expect(readAll(killed.reader(0)).map(t => t.changes)).toEqual([[insert(1)], [insert(2)]])
      killed.close()
    } finally {
      rmSync(copy, { recursive: true })
    }
    first.close()
    const next = open({ ...key, boot: 'boot-2' })
    expect(next.freshStart).toBeUndefined()
    expect([next.epoch, next.sequence, [...next.position]]).toEqual([epoch, 1, [9]])
    expect(next.tables.get('messages')).toEqual(CHAT)
    expect(next.covers({ epoch, sequence: 0 })).toBe(true)
    expect(next.covers({ epoch, sequence: 2 })).toBe(false)
  })

  it('loses what is cut off and nothing else, at every byte', () => {
    const log = open(key)
    const ends: number[] = []
    const name = readdirSync(directory).find(file => file.endsWith('.log'))!
    for (let i = 1; i <= 3; i++) {
      log.append(transaction([insert(i)], { tables: i === 1 ? [CHAT] : [] }))
      ends.push(statSync(join(directory, name)).size)
    }
    const whole = readFileSync(join(directory, name))
    const mark = readFileSync(join(directory, 'changes.json'))
    const empty = ends[0]! - (ends[1]! - ends[0]!)
    const copy = join(directory, 'copy')
    mkdirSync(copy)
    writeFileSync(join(copy, 'changes.json'), mark)
    for (let length = empty; length <= whole.length; length++) {
      const expected = ends.filter(end => end <= length).length
      writeFileSync(join(copy, name), whole.subarray(0, length))
      const found = recoverFiles(copy, readMark(copy), 'boot-1', key)
      if (typeof found === 'string') throw new Error(found)
      expect(found.sequence).toBe(expected)
      for (const file of found.files) file.close()
      if (length % 32 !== 0 || expected === 0) continue
      // What was cut is written anew, under the same number.
      const cut = open(key, copy)
      expect(cut.append(transaction([insert(90)]))).toBe(expected + 1)
      expect(readAll(cut.reader(0)).map(t => t.changes[0]!.key)).toEqual([1n, 2n, 3n].slice(0, expected).concat(90n))
      cut.close()
      rmSync(copy, { recursive: true })
      mkdirSync(copy)
      writeFileSync(join(copy, 'changes.json'), mark)
    }
  })

  it('adds several at once, and says so once', () => {
    const log = open(key)
    const reader = log.reader(0)
    let said = 0
    log.listen({ appended: () => said++, restarted: () => {} })
    const long = Array.from({ length: 300 }, (_, i) => insert(10 + i, 'x'.repeat(2_000)))
    const all = [
      transaction([insert(1)], { tables: [CHAT] }),
      transaction(long),
      transaction([insert(3)], { position: Uint8Array.of(3) }),
    ]
    expect([log.appendAll(all), said, [...log.position]]).toEqual([3, 1, [3]])
    expect(readAll(reader)).toEqual([
      { sequence: 1, parts: 1, changes: [insert(1)] },
      { sequence: 2, parts: 3, changes: long },
      { sequence: 3, parts: 1, changes: [insert(3)] },
    ])
    expect(reader.tables.get('messages')).toEqual(CHAT)
    const failing = transaction([insert(4, '\ud800')])
    expect(() => log.appendAll([transaction([insert(4)]), failing])).toThrow()
    expect(() => log.appendAll([transaction([], { position: new Uint8Array(2_000) })])).toThrow('2000')
    expect([log.append(transaction([insert(4)])), said]).toEqual([4, 2])
    log.close()
    expect(readAll(open(key).reader(2)).map(t => t.changes)).toEqual([[insert(3)], [insert(4)]])
  })

  it('has all of those that came at once or none, at whatever byte the process was killed', () => {
    const log = open(key)
    const name = readdirSync(directory).find(file => file.endsWith('.log'))!
    log.append(transaction([insert(1)], { tables: [CHAT] }))
    const before = statSync(join(directory, name)).size
    log.appendAll([2, 3, 4].map(id => transaction([insert(id)])))
    const whole = readFileSync(join(directory, name))
    const copy = join(directory, 'copy')
    mkdirSync(copy)
    const sequenceOf = (bytes: Uint8Array): number => {
      writeFileSync(join(copy, 'changes.json'), readFileSync(join(directory, 'changes.json')))
      writeFileSync(join(copy, name), bytes)
      const found = recoverFiles(copy, readMark(copy), 'boot-1', key)
      if (typeof found === 'string') throw new Error(found)
      for (const file of found.files) file.close()
      return found.sequence
    }
    expect(sequenceOf(whole)).toBe(4)
    // First all behind the first header of a record (24 bytes), then that.
    const torn = Buffer.from(whole)
    torn.fill(0, before, before + 24)
    for (let length = before + 24; length <= whole.length; length++)
      expect(sequenceOf(torn.subarray(0, length))).toBe(1)
    for (let i = 0; i < 24; i++) {
      expect(sequenceOf(torn)).toBe(1)
      torn[before + i] = whole[before + i]!
    }
    expect(sequenceOf(torn)).toBe(4)
  })

  it('writes and reads transactions in bounded parts, and shows none before it is whole', () => {
    const log = open(key)
    const reader = log.reader(0)
    const long = 'x'.repeat(1_000)
    const writer = log.begin(transaction([], { tables: [CHAT] }))
    for (let i = 0; i < 1_500; i++) writer.add(insert(i, long))
    expect(reader.next()).toBeUndefined()
    expect(writer.commit()).toBe(1)
    const [only] = readAll(reader)
    expect(only!.parts).toBeGreaterThan(4)
    expect(only!.changes).toHaveLength(1_500)
    expect(only!.changes.at(-1)).toEqual(insert(1_499, long))
  })

  it('takes back a transaction that is given up', () => {
    const log = open(key)
    const reader = log.reader(0)
    const before = log.bytes
    const writer = log.begin(transaction([]))
    for (let i = 0; i < 1_000; i++) writer.add(insert(i, 'x'.repeat(1_000)))
    expect(log.bytes).toBeGreaterThan(before)
    writer.abort()
    expect(log.bytes).toBe(before)
    function* failing(): Generator<RowChange> {
      yield insert(1)
      throw new Error('the page is damaged')
    }
    expect(() => log.append(transaction(failing()))).toThrow('the page is damaged')
    log.append(transaction([insert(5)]))
    expect(readAll(reader)).toEqual([{ sequence: 1, parts: 1, changes: [insert(5)] }])
  })

  it('keeps the newest files, and says so to whoever is behind', () => {
    const log = open({ ...key, retainedBytes: 80_000, graceMs: -1 })
    const slow = log.reader(0)
    const cursor = { epoch: log.epoch, sequence: 0 }
    log.append(transaction([insert(0)], { tables: [CHAT] }))
    expect(slow.next()).toMatchObject({ sequence: 1 })
    const fast = log.reader(1)
    for (let i = 1; i < 400; i++) {
      log.append(transaction([insert(i, 'x'.repeat(1_000))]))
      expect(fast.next()).toMatchObject({ sequence: i + 1 })
    }
    expect(log.bytes).toBeLessThan(100_000)
    expect(slow.next()).toBe('behind')
    expect(log.covers(cursor)).toBe(false)
    expect(log.covers({ epoch: log.epoch, sequence: log.firstSequence - 1 })).toBe(true)
    const kept = log.reader(log.firstSequence - 1)
    expect(readAll(kept).at(-1)!.sequence).toBe(400)
    expect(kept.tables.get('messages')).toEqual(CHAT)
    expect(log.reader(3).next()).toBe('behind')
  })

  it('leaves time for a long transaction', () => {
    let now = NOW
    const log = open({ ...key, retainedBytes: 80_000, now: () => now })
    const reader = log.reader(0)
    log.append(transaction(Array.from({ length: 1_000 }, (_, i) => insert(i, 'x'.repeat(1_000)))))
    expect(reader.next()).toMatchObject({ sequence: 1, index: 0 })
    log.append(transaction([insert(2)]))
    expect(readAll(log.reader(0)).map(({ sequence }) => sequence)).toEqual([1, 2])
    now += 11_000
    log.maintain()
    expect(log.firstSequence).toBe(2)
    expect(reader.next()).toBe('behind')
    // However young: beyond 32 times as much nothing is kept.
    log.append(
      transaction(
        Array.from({ length: 3_000 }, (_, i) => insert(i, 'x'.repeat(1_000))),
        { committed: now },
      ),
    )
    log.append(transaction([insert(3)], { committed: now }))
    expect([log.firstSequence, log.sequence]).toEqual([4, 4])
  })

  it('keeps nothing that is too old', () => {
    let now = NOW
    const log = open({ ...key, retainedMs: 1_000, now: () => now })
    log.append(transaction([insert(1)], { tables: [CHAT], committed: now, position: Uint8Array.of(4) }))
    now += 900
    log.maintain()
    expect(log.firstSequence).toBe(1)
    now += 200
    log.maintain()
    expect(log.firstSequence).toBe(2)
    log.close()
    const next = open({ ...key, now: () => now })
    expect([next.sequence, [...next.position], next.firstSequence]).toEqual([1, [4], 2])
    expect(next.tables.get('messages')).toEqual(CHAT)
    expect(next.append(transaction([insert(2)]))).toBe(2)
  })
})

it.skipIf(platform() !== 'linux')('is as before where the disk takes nothing', () => {
  const log = open()
  log.append(transaction([insert(1)]))
  const { bytes } = log
  const limit = (most: string) => execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${most}:unlimited`])
  const long = transaction(Array.from({ length: 1_000 }, (_, i) => insert(i, 'x'.repeat(1_000))))
  limit('500000')
  try {
    expect(() => log.append(long)).toThrow(expect.objectContaining({ code: 'EFBIG' }))
  } finally {
    limit('unlimited')
  }
  expect([log.bytes, log.sequence]).toEqual([bytes, 1])
  expect(log.append(long)).toBe(2)
  log.close()
  const next = open()
  expect([next.freshStart, next.sequence]).toEqual([undefined, 2])
  expect(readAll(next.reader(0)).map(({ changes }) => changes.length)).toEqual([1, 1_000])
})

describe('a new epoch', () => {
  it('begins after a loss of power', () => {
    const log = open()
    log.append(transaction([insert(1)]))
    const { epoch } = log
    const copy = afterKill()
    const next = open({ boot: 'boot-2' }, copy)
    expect(next.freshStart).toBe('power-loss')
    expect(next.epoch).not.toBe(epoch)
    expect(next.sequence).toBe(0)
    expect(next.isOf({ epoch, sequence: 1 })).toBe(true)
    expect(next.isOf({ epoch: `${'0'.repeat(24)}`, sequence: 1 })).toBe(false)
    next.close()
    rmSync(copy, { recursive: true })
  })

  it('begins with another key, and where the last file is not what was closed', () => {
    const log = open({ encryptionKey: KEY })
    log.append(transaction([insert(1)]))
    log.close()
    const other = open({ encryptionKey: new Uint8Array(32).fill(8) })
    expect(other.freshStart).toBe('key')
    other.append(transaction([insert(1)]))
    other.close()
    const name = readdirSync(directory).find(file => file.endsWith('.log'))!
    truncateSync(join(directory, name), statSync(join(directory, name)).size - 1)
    expect(open({ encryptionKey: new Uint8Array(32).fill(8) }).freshStart).toBe('damage')
  })

  it('is told to whoever reads', () => {
    const log = open()
    const told: string[] = []
    const end = log.listen({ appended: () => told.push('appended'), restarted: () => told.push('restarted') })
    log.append(transaction([insert(1)]))
    const reader = log.reader(0)
    log.reset([CHAT])
    log.append(transaction([insert(2)]))
    end()
    log.append(transaction([insert(3)]))
    expect(told).toEqual(['appended', 'restarted', 'appended'])
    expect(reader.next()).toBe('ended')
    expect(readAll(log.reader(0)).map(t => t.sequence)).toEqual([1, 2])
    expect(log.reader(0).tables.get('messages')).toEqual(CHAT)
    expect(readdirSync(directory).sort()).toHaveLength(2)
  })
})

it.skipIf(platform() !== 'linux')('holds one descriptor, however many files it has', () => {
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = descriptors()
  const log = open({ retainedBytes: 80_000, graceMs: -1 })
  for (let i = 0; i < 100; i++) log.append(transaction([insert(i, 'x'.repeat(1_000))]))
  expect(readdirSync(directory).length).toBeGreaterThan(5)
  expect(readAll(log.reader(log.firstSequence - 1)).length).toBeGreaterThan(50)
  expect(descriptors()).toBe(before + 1)
  log.close()
  const next = open({ retainedBytes: 80_000, graceMs: -1 })
  expect(readAll(next.reader(next.firstSequence - 1)).at(-1)!.sequence).toBe(100)
  expect(descriptors()).toBe(before + 1)
  next.close()
  expect(descriptors()).toBe(before)
})

it('stores nothing of an encrypted database in clear', () => {
  const log = open({ encryptionKey: KEY })
  log.append(transaction([insert(1, 'a secret of Ann')], { tables: [CHAT] }))
  log.close()
  for (const name of readdirSync(directory)) {
    const text = readFileSync(join(directory, name)).toString('latin1')
    expect(text).not.toContain('secret')
    expect(text).not.toContain('messages')
  }
})

it('reads what it wrote however starts and kills and file ends fall', () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
  const model: DeliveredChange[][] = []
  let log = open({ retainedBytes: 1_000_000 })
  let reader = log.reader(0)
  const seen: DeliveredChange[][] = []
  const rounds = process.env.SOAK ? 20_000 : 300
  for (let i = 0; i < rounds; i++) {
    const changes = Array.from({ length: random(4) }, (_, at) => insert(i * 10 + at, 'y'.repeat(random(3_000))))
    log.append(transaction(changes))
    model.push(changes)
    if (random(3) === 0) for (const t of readAll(reader)) seen.push(t.changes)
    if (random(20) !== 0) continue
    for (const t of readAll(reader)) seen.push(t.changes)
    if (random(2) === 0) log.close()
    log = open({ retainedBytes: 1_000_000 })
    expect(log.sequence, `seed ${seed}`).toBe(model.length)
    reader = log.reader(seen.length)
  }
  for (const t of readAll(reader)) seen.push(t.changes)
  expect(seen, `seed ${seed}`).toEqual(model)
  expect(parseCursor(`${log.epoch}.${log.sequence}`)).toEqual({ epoch: log.epoch, sequence: model.length })
})
