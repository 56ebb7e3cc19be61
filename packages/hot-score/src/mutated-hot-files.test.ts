import { crc32c } from '@hotpath/index-format'
import {
  MUTATED_INPUTS,
  MUTATION_TIMEOUT_MS,
  mutatedFile,
  Random,
  tryMutations,
  unlessRefused,
} from '@hotpath/index-format/testing'
import { describe, expect, it } from 'vitest'
import { HOT_HEADER_BYTES, HOT_HEADER_FIELDS, HOT_RECORD_BYTES } from './hot-file.js'
import { HOT_RECORD_FIELDS } from './hot-record.js'
import { HotTable } from './hot-table.js'
import type { NodeKey } from './node-key.js'
import { DEFAULT_SCORING, type Use } from './scoring.js'

const START = 1_700_000_000

/** The same few nodes in all files, so that what one knows of a node meets what another knows of it. */
function randomNode(random: Random): NodeKey {
  const n = random.below(400)
  return { volume: n & 1, low: n >>> 1, high: n % 3, birth: 7 }
}

/** Opens, moves and removes: what a table must bear whatever it was loaded from. */
function use(table: HotTable, random: Random, steps: number): void {
  for (let step = 0; step < steps; step++) {
    const key = randomNode(random)
    const { volume, low, high, birth } = key
    if (random.chance(0.8)) table.open(volume, low, high, birth, START + random.below(5_000_000))
    else if (random.chance(0.5)) table.move(key, randomNode(random))
    else {
      const slot = table.find(volume, low, high, birth)
      if (slot !== 0) table.remove(slot)
    }
  }
}

/** The file that a table writes that was written to `before` when it was last written. */
function written(table: HotTable, before: Uint8Array): Uint8Array {
  const pages = table.takeUnwritten().map(page => table.page(page))
  const bytes = new Uint8Array(Math.max(before.length, ...pages.map(page => page.offset + page.bytes.length)))
  bytes.set(before)
  for (const { offset, bytes: page } of pages) bytes.set(page, offset)
  return bytes
}

/** Some of one page, some of several, all with free places. */
function randomHotFile(random: Random): Uint8Array {
  const table = new HotTable(DEFAULT_SCORING)
  use(table, random, random.pick([5, 40, 40, 400]))
  return written(table, new Uint8Array(0))
}

const FILES = Array.from({ length: 60 }, (_, i) => randomHotFile(new Random(i)))

type Records = Map<string, Use>
const keyText = ({ volume, low, high, birth }: NodeKey): string => `${volume} ${low} ${high} ${birth}`

function recordsOf(table: HotTable): Records {
  const records: Records = new Map()
  let wrong = 0
  table.forEach(slot => {
    const key = table.keyAt(slot)
    if (table.find(key.volume, key.low, key.high, key.birth) !== slot) wrong++
    records.set(keyText(key), table.useAt(slot))
  })
  expect([wrong, records.size]).toEqual([0, table.size])
  return records
}

function expectSame(found: Records, expected: Records): void {
  expect(found.size).toBe(expected.size)
  for (const [key, { runs, opened, heat }] of expected) {
    const other = found.get(key)
    if (other?.runs !== runs || other.opened !== opened || other.heat !== heat) {
      expect({ key, ...other }).toEqual({ key, runs, opened, heat })
    }
  }
}

const placesOf = (bytes: Uint8Array): string[] => {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return hex.match(new RegExp(`.{${HOT_RECORD_BYTES * 2}}`, 'g')) ?? []
}
const HEADER = placesOf(FILES[0])[0]
const FREE = '00'.repeat(HOT_RECORD_BYTES)
/** Every record that was written, by its bytes. */
const WRITTEN = new Map(
  FILES.flatMap(placesOf)
    .filter(place => place !== FREE && place !== HEADER)
    .map(place => [place, recordIn(Buffer.from(place, 'hex'))]),
)

function recordIn(place: Buffer): { key: string; use: Use } {
  const [volume, low, high, birth, runs, opened] = (
    ['volume', 'refLow', 'refHigh', 'refBirth', 'runs', 'opened'] as const
  ).map(field => place.readUInt32LE(HOT_RECORD_FIELDS[field][0]))
  const heat = place.readFloatLE(HOT_RECORD_FIELDS.heat[0])
  return { key: keyText({ volume, low, high, birth }), use: { runs, opened, heat } }
}

/** What a file must be read as, found by the bytes of its places alone. */
function standing(bytes: Uint8Array): { records: Records; damaged: number } {
  const records: Records = new Map()
  let damaged = bytes.length % HOT_RECORD_BYTES === 0 ? 0 : 1
  for (const place of placesOf(bytes).slice(1)) {
    const record = WRITTEN.get(place)
    if (record === undefined) {
      if (place !== FREE) damaged++
      continue
    }
    const { key, use: mine } = record
    const other = records.get(key)
    const isLater =
      other === undefined || mine.opened > other.opened || (mine.opened === other.opened && mine.runs > other.runs)
    if (isLater) records.set(key, mine)
  }
  return { records, damaged }
}

/** Makes the checksums of the header and of everything that may be a record right. */
function repair(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [headerCrc] = HOT_HEADER_FIELDS.checksum
  if (bytes.length < HOT_HEADER_BYTES) return
  view.setUint32(headerCrc, crc32c(bytes, 0, headerCrc), true)
  for (let at = HOT_HEADER_BYTES; at + HOT_RECORD_BYTES <= bytes.length; at += HOT_RECORD_BYTES) {
    const end = at + HOT_RECORD_BYTES
    if (bytes.subarray(at, end).some(byte => byte !== 0)) view.setUint32(at, crc32c(bytes, at + 4, end), true)
  }
}

const load = (bytes: Uint8Array): { table: HotTable; damaged: number } =>
  HotTable.load(bytes, 'hot.db', DEFAULT_SCORING)

describe('mutated hot files', () => {
  it(`lose the records that were damaged and no other, ${MUTATED_INPUTS} of them`, {
    timeout: MUTATION_TIMEOUT_MS,
  }, () => {
    let refused = 0
    let lost = 0
    tryMutations({ maxMebibytes: 128 }, (random, note) => {
      const good = { bytes: random.pick(FILES), other: random.pick(FILES), unit: HOT_RECORD_BYTES }
      const { bytes, changes } = mutatedFile(random, good)
      note(`${good.bytes.length} bytes: ${changes.join(', ')}`)
      const found = unlessRefused(() => load(bytes))
      expect(found !== undefined).toBe(placesOf(bytes)[0] === HEADER)
      if (found === undefined) {
        refused++
        return
      }
      const { records, damaged } = standing(bytes)
      expect(found.damaged).toBe(damaged)
      expectSame(recordsOf(found.table), records)
      if (damaged > 0) lost++
    })
    // Both happen.
    expect(refused).toBeGreaterThan(MUTATED_INPUTS / 50)
    expect(lost).toBeGreaterThan(MUTATED_INPUTS / 5)
  })

  it('are refused or tables like any other, where checksums are right', { timeout: MUTATION_TIMEOUT_MS }, () => {
    let loaded = 0
    tryMutations({ maxMebibytes: 128 }, (random, note) => {
      const good = { bytes: random.pick(FILES), other: random.pick(FILES), unit: HOT_RECORD_BYTES }
      const { bytes, changes } = mutatedFile(random, good)
      note(`${good.bytes.length} bytes: ${changes.join(', ')}, checksums repaired`)
      repair(bytes)
      const found = unlessRefused(() => load(bytes))
      if (found === undefined) return
      const { table } = found
      expect(table.size + found.damaged).toBeLessThanOrEqual(bytes.length / HOT_RECORD_BYTES)
      const isPossible = ({ runs, heat }: Use): boolean => runs >= 1 && heat >= 1 && heat < Number.POSITIVE_INFINITY
      expect([...recordsOf(table).values()].every(isPossible)).toBe(true)
      use(table, random, 20)
      const again = load(written(table, bytes))
      expect(again.damaged).toBeLessThanOrEqual(found.damaged)
      expectSame(recordsOf(again.table), recordsOf(table))
      loaded++
    })
    expect(loaded).toBeGreaterThan(MUTATED_INPUTS / 2)
  })
})
