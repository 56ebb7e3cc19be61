import { describe, expect, it } from 'vitest'
import { type RecordSpec, usnBytes } from '../testing/usn-bytes.js'
import { PAGE } from './usn-layout.js'
import { UsnParser } from './usn-parser.js'
import { UsnRows } from './usn-rows.js'

const ROUNDS = process.env.SOAK === '1' ? 1_000_000 : 50_000
const SEED = Number(process.env.SEED ?? 20_261)
const PAGES = 3
const FROM = 7 * PAGE

/** Deterministic, in [0, limit). */
function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return limit => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** Three pages full of records, each of which begins with one. */
function fullPages(random: (limit: number) => number): Uint8Array {
  const specs = Array.from({ length: 250 }, (): RecordSpec => {
    const version = ([2, 2, 2, 3, 3, 4] as const)[random(6)]!
    return {
      version,
      record: random(2 ** 31),
      sequence: 1 + random(100),
      parent: random(1000),
      name: version === 4 ? '' : 'n'.repeat(1 + random(40)),
      reasons: random(2 ** 31),
    }
  })
  return usnBytes(specs, FROM).bytes.slice(0, PAGES * PAGE)
}

/** Changes bytes of [from, from + PAGE) in one of the ways in which pages get damaged. */
function mutate(bytes: Uint8Array, from: number, random: (limit: number) => number): void {
  const view = new DataView(bytes.buffer)
  const at = from + random(PAGE)
  const even = from + 2 * random(PAGE / 2)
  const length = Math.min(from + PAGE - at, 1 + random(600))
  const copy = (to: number, start: number, count: number) => bytes.copyWithin(to, start, start + count)
  switch (random(6)) {
    case 0:
      bytes[at]! ^= 1 << random(8)
      break
    case 1:
      view.setUint16(even, random(0x10000), true)
      break
    case 2:
      view.setUint16(even, random(700), true)
      break
    case 3:
      bytes.fill(random(2) * 0xff, at, at + length)
      break
    case 4:
      copy(at, from + random(PAGE - length), length)
      break
    default:
      // Fields of a record at the place of another's.
      copy(from + 8 * random(PAGE / 8), from + 8 * random(PAGE / 8), 8)
  }
}

/** A checksum of the rows of a page. */
function digestOf(rows: UsnRows, page: number): number {
  let digest = 0
  const add = (value: number) => {
    digest = (Math.imul(digest, 31) + value) | 0
  }
  for (let row = 0; row < rows.count; row++) {
    if (Math.floor((rows.usn[row]! - FROM) / PAGE) !== page) continue
    add(rows.usn[row]!)
    add(rows.record[row]!)
    add(rows.sequence[row]!)
    add(rows.parent[row]!)
    add(rows.reasons[row]!)
    add(rows.nameOffsets[row + 1]! - rows.nameOffsets[row]!)
    add(rows.names[rows.nameOffsets[row]!]!)
  }
  return digest
}

describe('damaged pages of a change journal', () => {
  it(`${ROUNDS.toLocaleString('en')} of them, seed ${SEED}: no failure, and all of the pages around`, {
    timeout: 900_000,
  }, () => {
    const random = randomOf(SEED)
    const rows = UsnRows.forPiece(PAGES * PAGE)
    const parser = new UsnParser('mutated')
    const bytes = new Uint8Array(PAGES * PAGE)
    let pages = fullPages(random)
    let damaged = 0
    let digests = [0, 0]
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 1000 === 0) {
        pages = fullPages(random)
        rows.clear()
        parser.parse(pages, FROM, rows)
        digests = [digestOf(rows, 0), digestOf(rows, 2)]
        expect(parser.damage).toBeUndefined()
      }
      bytes.set(pages)
      for (let i = random(4); i >= 0; i--) mutate(bytes, PAGE, random)
      rows.clear()
      const { records } = parser.stats
      const next = parser.parse(bytes, FROM, rows)
      if (parser.damage !== undefined) damaged++
      const isWhole =
        digestOf(rows, 0) === digests[0] &&
        digestOf(rows, 2) === digests[1] &&
        parser.stats.records - records === rows.count &&
        // The last record may have been cut where the pages end.
        next > FROM + (PAGES - 1) * PAGE &&
        next <= FROM + PAGES * PAGE
      if (!isWhole) throw new Error(`seed ${SEED}, round ${round}: ${parser.damage?.message}`)
      for (let row = 1; row < rows.count; row++)
        if (!(rows.usn[row]! > rows.usn[row - 1]!) || rows.nameOffsets[row + 1]! < rows.nameOffsets[row]!)
          throw new Error(`seed ${SEED}, round ${round}: row ${row} is out of order`)
    }
    expect(damaged).toBeGreaterThan(ROUNDS / 2)
    expect(damaged).toBeLessThan(ROUNDS)
  })

  it('noise is no record', () => {
    const random = randomOf(SEED + 1)
    const rows = UsnRows.forPiece(PAGE)
    const parser = new UsnParser('noise')
    const page = new Uint8Array(PAGE)
    for (let round = 0; round < 2_000; round++) {
      for (let i = 0; i < PAGE; i++) page[i] = random(256)
      rows.clear()
      expect(parser.parse(page, 0, rows)).toBe(PAGE)
      expect(rows.count).toBe(0)
    }
    expect(parser.stats.damaged).toBe(2_000)
  })
})
