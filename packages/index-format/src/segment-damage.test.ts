import { CorruptFileError, InvalidInputError, TIME_COLUMNS, UnsupportedVersionError } from '@hotpath/model'
import { describe, expect, it, vi } from 'vitest'
import { headerChecksum } from './header-checksum.js'
import { MemorySink } from './memory-sink.js'
import { packArray } from './packed-array.js'
import { buildSegment } from './segment-builder.js'
import {
  HEADER_FIELDS,
  PAGE_SIZE,
  SECTION_PADDING,
  TOC_ENTRY_SIZE,
  TOC_FIELDS,
  TREE_SECTIONS,
} from './segment-layout.js'
import { mergeSegments } from './segment-merge.js'
import { SegmentReader } from './segment-reader.js'
import { columnsOf, directoryRow, fileRow } from './testing/model-rows.js'
import { Random, randomMetadata, randomTree } from './testing/random-rows.js'
import { type Questions, readEverything } from './testing/read-everything.js'
import { repairChecksums, repairHeader } from './testing/repair-checksums.js'

const soak = Boolean(process.env.SOAK)
if (soak) vi.setConfig({ testTimeout: 3_600_000 })

/** A segment with all that the format has: every column, several blocks of names, heavy substrings, long posting lists. */
function sampleSegment(): Uint8Array {
  const shape = { directories: 50, files: 110, depth: 0.3, stubs: 0.2, repeats: 0 }
  const tree = randomTree(new Random(7), shape).map(row => ({ ...row, name: row.name.subarray(0, 300) }))
  const root = tree.find(row => row.parent === 0)!.directory
  const random = new Random(8)
  for (let i = 0; i < 40; i++) tree.push(fileRow(root, `many-${i}`, { ...randomMetadata(random), size: i }))
  for (let i = 0; i < 260; i++) {
    tree.push(
      directoryRow(500_000 + i, root, `d${i}`, randomMetadata(random)),
      fileRow(500_000 + i, 'many', randomMetadata(random)),
    )
  }
  const sink = new MemorySink()
  buildSegment(columnsOf(tree, { times: TIME_COLUMNS, attributes: true, refs: true }), sink, { heavyBlocks: 1 })
  return sink.bytes()
}

const good = sampleSegment()
const questions = questionsOf(new SegmentReader('good.seg', good))
const answers = readEverything(new SegmentReader('good.seg', good), questions, false)

function questionsOf(reader: SegmentReader): Questions {
  const grams = (table: 'dGRK' | 'fGRK'): number[] => [
    ...reader.frame.numbers(table, reader.frame.section(table).items).all(),
  ]
  const strings = [reader.dirs, reader.files].flatMap(dictionary =>
    Array.from({ length: dictionary.nameCount }, (_, id) => [dictionary.nameAt(id), dictionary.keyAt(id)]).flat(),
  )
  return {
    dirIds: Array.from({ length: reader.dirCount }, (_, local) => reader.dirIdOf(local) + 1),
    grams: [...grams('dGRK'), ...grams('fGRK')].filter((_, i) => i % 11 === 0),
    strings: [...strings.filter((_, i) => i % 5 === 0), Buffer.from('/many/'), Buffer.from('many')],
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof CorruptFileError || error instanceof UnsupportedVersionError

/** What opening or reading throws, or undefined; any failure but a refusal goes through. */
function refusalOf(run: () => void): unknown {
  try {
    run()
  } catch (error) {
    if (!isRefusal(error)) throw error
    return error
  }
  return undefined
}

describe('a damaged segment', () => {
  it('is refused by opening or verifying, whichever byte is damaged', () => {
    const bytes = good.slice()
    const random = new Random(1)
    let checked = 0
    for (let at = 0; at < bytes.length; at += soak ? 1 : 1 + random.below(150)) {
      const was = bytes[at]
      bytes[at] ^= 1 << random.below(8)
      const refusal = refusalOf(() => new SegmentReader('damaged.seg', bytes).verify())
      if (refusal === undefined) throw new Error(`byte ${at} can change unnoticed`)
      bytes[at] = was
      checked++
    }
    for (let at = 0; at < PAGE_SIZE; at++) {
      const was = bytes[at]
      bytes[at] ^= 1 << random.below(8)
      expect(refusalOf(() => new SegmentReader('damaged.seg', bytes))).toBeDefined()
      bytes[at] = was
    }
    expect(checked).toBeGreaterThan(soak ? 200_000 : 2_000)
  })

  it('gives right answers or CorruptFileError, whichever byte is damaged', () => {
    const bytes = good.slice()
    const random = new Random(2)
    let right = 0
    for (let at = PAGE_SIZE; at < bytes.length; at += soak ? 1 + random.below(7) : 1 + random.below(12_000)) {
      const was = bytes[at]
      bytes[at] ^= 1 + random.below(255)
      const refusal = refusalOf(() => {
        if (readEverything(new SegmentReader('damaged.seg', bytes), questions, false) !== answers) {
          throw new Error(`byte ${at} changes answers`)
        }
        right++
      })
      if (refusal !== undefined) expect(refusal).toMatchObject({ file: 'damaged.seg' })
      bytes[at] = was
    }
    // Damage in padding beyond the last page that is read does no harm.
    expect(right).toBeGreaterThanOrEqual(0)
  })

  it('is refused when it is cut off or has grown', () => {
    const random = new Random(3)
    for (let length = 0; length < good.length; length += soak ? 1 : 1 + random.below(60)) {
      expect(refusalOf(() => new SegmentReader('short.seg', good.subarray(0, length)))).toBeInstanceOf(CorruptFileError)
    }
    expect(refusalOf(() => new SegmentReader('short.seg', good.subarray(0, good.length - 1)))).toBeDefined()
    const longer = new Uint8Array(good.length + 4096)
    longer.set(good)
    expect(refusalOf(() => new SegmentReader('long.seg', longer))).toBeInstanceOf(CorruptFileError)
  })

  it('names the file and the place', () => {
    const bytes = good.slice()
    bytes[3 * PAGE_SIZE + 17] ^= 1
    const reader = new SegmentReader('/data/7.seg', bytes)
    expect(() => reader.verify()).toThrow(
      expect.objectContaining({ code: 'CORRUPT_FILE', file: '/data/7.seg', offset: 3 * PAGE_SIZE }),
    )
  })
})

describe('a segment of another version', () => {
  it('is refused if the major version is larger, and named', () => {
    const bytes = good.slice()
    bytes[HEADER_FIELDS.major[0]] = 2
    repairHeader(bytes)
    expect(() => new SegmentReader('new.seg', bytes)).toThrow(UnsupportedVersionError)
    expect(() => new SegmentReader('new.seg', bytes)).toThrow(/new\.seg.*version 2.*supports 1/)
  })

  it('is read if only the minor version is larger', () => {
    const bytes = good.slice()
    bytes[HEADER_FIELDS.minor[0]] = 9
    repairHeader(bytes)
    expect(readEverything(new SegmentReader('newer.seg', bytes), questions, false)).toBe(answers)
  })
})

describe('a segment with wrong contents under right checksums', () => {
  const view = new DataView(good.buffer, good.byteOffset, good.length)
  const header = (name: keyof typeof HEADER_FIELDS): number => view.getUint32(HEADER_FIELDS[name][0], true)
  const sections = Array.from({ length: header('sectionCount') }, (_, i) => {
    const at = header('tocOffset') + i * TOC_ENTRY_SIZE
    return {
      at,
      offset: view.getUint32(at + TOC_FIELDS.offset[0], true),
      length: view.getUint32(at + TOC_FIELDS.length[0], true),
    }
  })
  const NUMBERS = [0, 1, 2, 31, 32, 33, 255, 4095, 4096, 65_535, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]

  /** Reads all that can be read: answers may be wrong, but nothing may be thrown but CorruptFileError. */
  const survive = (bytes: Uint8Array, what: string): void => {
    try {
      refusalOf(() => readEverything(new SegmentReader('hostile.seg', bytes), questions, true))
    } catch (error) {
      throw new Error(`after ${what}`, { cause: error })
    }
  }

  it('does no harm when bytes of sections are anything', () => {
    const random = new Random(4)
    for (let run = 0; run < (soak ? 20_000 : 60); run++) {
      const bytes = good.slice()
      const changes: string[] = []
      for (let n = 1 + random.below(3); n > 0; n--) {
        const { offset, length } = random.pick(sections)
        if (length === 0) continue
        const from = offset + random.below(length)
        const to = Math.min(offset + length + SECTION_PADDING, from + 1 + random.below(random.pick([1, 4, 64, 5000])))
        const fill = random.pick([-1, 0, 0xff, 0x80, random.below(256)])
        for (let at = from; at < to; at++) bytes[at] = fill < 0 ? random.below(256) : fill
        changes.push(`${from} … ${to} = ${fill}`)
      }
      repairChecksums(bytes)
      survive(bytes, changes.join(', '))
    }
  })

  it('does no harm when whole sections are swapped', () => {
    const random = new Random(5)
    for (let run = 0; run < (soak ? 5_000 : 40); run++) {
      const bytes = good.slice()
      const [a, b] = [random.pick(sections), random.pick(sections)]
      const from = bytes.slice(a.at + TOC_FIELDS.offset[0], a.at + TOC_ENTRY_SIZE)
      bytes.copyWithin(a.at + TOC_FIELDS.offset[0], b.at + TOC_FIELDS.offset[0], b.at + TOC_ENTRY_SIZE)
      bytes.set(from, b.at + TOC_FIELDS.offset[0])
      repairChecksums(bytes)
      survive(bytes, `swapping ${a.at} and ${b.at}`)
    }
  })

  it('does no harm whatever the table of contents says', () => {
    const random = new Random(6)
    const fields = Object.values(TOC_FIELDS)
    for (let run = 0; run < (soak ? 20_000 : 150); run++) {
      const bytes = good.slice()
      const { at } = random.pick(sections)
      const [offset, size] = random.pick(fields)
      const target = new DataView(bytes.buffer)
      const old = target.getUint32(at + offset, true)
      const value = random.pick([...NUMBERS, old + 1, old - 1, old * 2, random.u32()])
      target.setUint32(at + offset, value, true)
      if (size === 8) target.setUint32(at + offset + 4, value, true)
      repairChecksums(bytes)
      survive(bytes, `${value} at ${at} + ${offset}`)
    }
  })

  it('does no harm whatever the header says', () => {
    const random = new Random(8)
    for (const [name, [offset, size]] of Object.entries(HEADER_FIELDS)) {
      for (const number of [...NUMBERS, random.u32()]) {
        for (const delta of [undefined, number === 0 ? -1 : 1]) {
          const bytes = good.slice()
          const target = new DataView(bytes.buffer)
          if (size === 2) target.setUint16(offset, number, true)
          else target.setUint32(offset, delta === undefined ? number : target.getUint32(offset, true) + delta, true)
          if (name !== 'headerCrc') repairHeader(bytes)
          survive(bytes, `${name} = ${target.getUint32(offset, true)}`)
        }
      }
    }
  })

  it('never climbs in circles', () => {
    const bytes = good.slice()
    const { dirCount, frame } = new SegmentReader('good.seg', good)
    const { offset, param } = frame.section(TREE_SECTIONS.dirParents)
    const circle = Uint32Array.from({ length: dirCount }, (_, local) => (local === 1 ? 2 : local === 2 ? 1 : local))
    bytes.set(packArray(circle, dirCount, param), offset)
    repairChecksums(bytes)
    const reader = new SegmentReader('circle.seg', bytes)
    expect(reader.parentOf(0)).toBe(-1)
    expect(reader.parentOf(2)).toBe(1)
    for (const local of [1, 3, dirCount - 1]) expect(() => reader.parentOf(local)).toThrow(CorruptFileError)
  })

  it('is not merged if it has a directory twice', () => {
    const bytes = good.slice()
    const original = new SegmentReader('good.seg', good)
    const { dirCount, frame } = original
    const { offset, param } = frame.section(TREE_SECTIONS.dirIds)
    const ids = Uint32Array.from({ length: dirCount }, (_, local) => original.dirIdOf(local))
    // Two directories side by side, each with a file of the same name.
    ids[original.findDir(500_001)] = 500_000
    bytes.set(packArray(ids, dirCount, param), offset)
    repairChecksums(bytes)
    const reader = new SegmentReader('twice.seg', bytes)
    expect(() => mergeSegments([{ reader, isDead: () => false }], () => undefined, new MemorySink())).toThrow(
      /twice\.seg.*expected directory 500000 once, found twice/,
    )
  })

  it('is opened only from a multiple of four bytes', () => {
    const shifted = new Uint8Array(good.length + 1)
    shifted.set(good, 1)
    expect(() => new SegmentReader('odd.seg', shifted.subarray(1))).toThrow(InvalidInputError)
    const moved = new Uint8Array(good.length + 4)
    moved.set(good, 4)
    expect(readEverything(new SegmentReader('even.seg', moved.subarray(4)), questions, false)).toBe(answers)
  })

  it('is left as it is, in a Buffer too', () => {
    const file = Buffer.from(good)
    const reader = new SegmentReader('buffer.seg', file)
    expect(readEverything(reader, questions, false)).toBe(answers)
    reader.files.keyAt(0).fill(0xff)
    reader.dirs.nameAt(1).fill(0xff)
    expect(Buffer.compare(file, good)).toBe(0)
  })

  it('has a header checksum over its whole first page', () => {
    const page = new Uint8Array(PAGE_SIZE)
    const empty = headerChecksum(page)
    page.fill(0xff, HEADER_FIELDS.headerCrc[0], HEADER_FIELDS.headerCrc[0] + 4)
    expect(headerChecksum(page)).toBe(empty)
    page[PAGE_SIZE - 1] = 1
    expect(headerChecksum(page)).not.toBe(empty)
  })
})
