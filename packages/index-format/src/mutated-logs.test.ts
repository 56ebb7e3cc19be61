import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.js'
import { changeBatches } from './testing/arbitraries.js'
import { mutatedFile } from './testing/mutated-file.js'
import { MUTATED_INPUTS, MUTATION_TIMEOUT_MS, tryMutations, unlessRefused } from './testing/mutation-trials.js'
import type { Random } from './testing/random-rows.js'
import {
  checkChangeBatch,
  decodeChangeBatch,
  encodeChangeBatch,
  encodeWalHeader,
  encodeWalRecord,
  MAX_BATCH_ROWS,
  readWal,
  WAL_HEADER_SIZE,
  WAL_RECORD_HEADER_SIZE,
  type WalContents,
  WalRecordType,
} from './wal-record.js'

const HEADERS = [7, 8].map(number => encodeWalHeader({ number, storeId: '00112233445566778899aabbccddeeff' }))
/** What a log is made of. Most are a few hundred bytes long. */
const CONTENTS = fc.sample(changeBatches, { seed: 9, numRuns: 300 }).map(encodeChangeBatch)
const RECORDS = CONTENTS.map(content => encodeWalRecord(WalRecordType.changes, content))

/** A batch says in a few bytes that all its rows are equal: what one of the most rows takes, and its garbage. */
const MAX_MEBIBYTES = (MAX_BATCH_ROWS * 128 * 2) / 1024 / 1024

interface Log {
  readonly header: Uint8Array
  readonly records: readonly Uint8Array[]
  readonly bytes: Uint8Array
}

function randomLog(random: Random): Log {
  const header = random.pick(HEADERS)
  const records = Array.from({ length: 1 + random.below(6) }, () => random.pick(RECORDS))
  return { header, records, bytes: new Uint8Array(Buffer.concat([header, ...records])) }
}

/** What a log must be read as: the written records that stand one behind the other, found by their bytes alone. */
function standing(bytes: Uint8Array, written: readonly Uint8Array[]): Omit<WalContents, 'header'> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const recordAt = (at: number): Uint8Array | undefined =>
    written.find(record => file.subarray(at, at + record.length).equals(record))
  const records: WalContents['records'] = []
  let at = WAL_HEADER_SIZE
  for (let record = recordAt(at); record !== undefined; record = recordAt(at)) {
    const content = record.subarray(WAL_RECORD_HEADER_SIZE)
    records.push({ type: WalRecordType.changes, offset: at + WAL_RECORD_HEADER_SIZE, content })
    at += record.length
  }
  const isWholeLater = written.some(record => file.includes(Buffer.from(record), at + 1))
  return { records, validEnd: at, ending: at === bytes.length ? 'complete' : isWholeLater ? 'damaged' : 'torn' }
}

function sameRecords(found: WalContents['records'], expected: WalContents['records']): boolean {
  return (
    found.length === expected.length &&
    found.every(({ type, offset, content }, i) => {
      const other = expected[i]
      return type === other.type && offset === other.offset && Buffer.compare(content, other.content) === 0
    })
  )
}

/** Makes the checksums of the header and of all records right that can be found by their lengths. */
function repairLog(bytes: Uint8Array): void {
  if (bytes.length < WAL_HEADER_SIZE) return
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setUint32(WAL_HEADER_SIZE - 4, crc32c(bytes, 0, WAL_HEADER_SIZE - 4), true)
  for (let at = WAL_HEADER_SIZE; at + WAL_RECORD_HEADER_SIZE <= bytes.length; ) {
    const end = Math.min(bytes.length, at + WAL_RECORD_HEADER_SIZE + view.getUint32(at + 4, true))
    view.setUint32(at + 4, end - at - WAL_RECORD_HEADER_SIZE, true)
    view.setUint32(at, crc32c(bytes, at + 4, end), true)
    at = end
  }
}

/** A log whose records have right checksums and wrong contents. */
function repairedLog(random: Random, note: (what: string) => void): Uint8Array {
  if (random.chance(0.3)) {
    const { bytes, changes } = mutatedFile(random, { bytes: randomLog(random).bytes, other: randomLog(random).bytes })
    note(`${changes.join(', ')}, checksums repaired`)
    repairLog(bytes)
    return bytes
  }
  const records = Array.from({ length: 1 + random.below(3) }, () => {
    const content = { bytes: random.pick(CONTENTS), other: random.pick(CONTENTS), resizing: 0.2 }
    const { bytes, changes } = mutatedFile(random, content)
    note(`record of ${content.bytes.length} bytes: ${changes.join(', ')}`)
    return encodeWalRecord(WalRecordType.changes, bytes)
  })
  return new Uint8Array(Buffer.concat([HEADERS[0], ...records]))
}

describe('mutated logs', () => {
  it(`hold nothing but records that were written, ${MUTATED_INPUTS} of them`, { timeout: MUTATION_TIMEOUT_MS }, () => {
    let refused = 0
    let lost = 0
    tryMutations({ maxMebibytes: 128 }, (random, note) => {
      const good = randomLog(random)
      const other = randomLog(random)
      const { bytes, changes, inPlace } = mutatedFile(random, { bytes: good.bytes, other: other.bytes })
      note(`${good.bytes.length} bytes: ${changes.join(', ')}`)
      const contents = unlessRefused(() => readWal(bytes, 'f'))
      const isHeaderGood = HEADERS.some(header => Buffer.compare(header, bytes.subarray(0, WAL_HEADER_SIZE)) === 0)
      expect(contents !== undefined).toBe(isHeaderGood)
      if (contents === undefined) {
        refused++
        return
      }
      const expected = standing(bytes, [...good.records, ...other.records])
      expect([contents.validEnd, contents.ending]).toEqual([expected.validEnd, expected.ending])
      expect(sameRecords(contents.records, expected.records)).toBe(true)
      if (inPlace) {
        const prefix = standing(good.bytes, good.records).records.slice(0, contents.records.length)
        expect(sameRecords(contents.records, prefix)).toBe(true)
      }
      if (contents.ending !== 'complete') lost++
    })
    // Both happen.
    expect(refused).toBeGreaterThan(MUTATED_INPUTS / 50)
    expect(lost).toBeGreaterThan(MUTATED_INPUTS / 5)
  })

  it('are refused or give batches that might have been written, where checksums are right', {
    timeout: MUTATION_TIMEOUT_MS,
  }, () => {
    let decoded = 0
    tryMutations({ maxMebibytes: MAX_MEBIBYTES }, (random, note) => {
      const bytes = repairedLog(random, note)
      const contents = unlessRefused(() => readWal(bytes, 'f'))
      for (const { content, offset } of contents?.records ?? []) {
        const batch = unlessRefused(() => decodeChangeBatch(content, 'f', offset))
        if (batch === undefined) continue
        checkChangeBatch(batch)
        decoded++
      }
    })
    expect(decoded).toBeGreaterThan(MUTATED_INPUTS / 10)
  })
})
