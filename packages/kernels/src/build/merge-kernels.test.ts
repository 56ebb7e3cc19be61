import {
  type BuildKernels,
  buildSegment,
  MemorySink,
  type MergeInput,
  mergeSegments,
  plainKernels,
  SegmentReader,
  tableTag,
} from '@hotpath/index-format'
import {
  ALL_COLUMNS,
  columnsOf,
  directoryRow,
  fileRow,
  type ModelColumns,
  type ModelRow,
  NASTY_NAMES,
  Random,
  randomTree,
} from '@hotpath/index-format/testing'
import { CorruptFileError, Kind, NO_DIRECTORY } from '@hotpath/model'
import { describe, expect, it, vi } from 'vitest'
import { createBuildKernels } from './build-kernels.js'

const runs = process.env.SOAK ? 2_000 : 25
if (process.env.SOAK) vi.setConfig({ testTimeout: 3_600_000 })

const kernels = createBuildKernels()
const LIST_COLUMNS: ModelColumns = { times: ['modified'], attributes: false, refs: false }

function segmentOf(rows: readonly ModelRow[], columns: ModelColumns): SegmentReader {
  const sink = new MemorySink()
  buildSegment(columnsOf(rows, columns), sink, { kernels })
  return new SegmentReader('input.seg', sink.bytes())
}

function merged(
  inputs: readonly MergeInput[],
  by: BuildKernels | undefined,
): { bytes: Uint8Array; mapping: Uint32Array[] } {
  const sink = new MemorySink()
  const { mapping } = mergeSegments(inputs, () => undefined, sink, { kernels: by, heavyBlocks: 2 })
  return { bytes: sink.bytes(), mapping }
}

function expectSame(inputs: readonly MergeInput[]): void {
  const found = merged(inputs, kernels)
  const expected = merged(inputs, plainKernels)
  expect(Buffer.compare(found.bytes, expected.bytes)).toBe(0)
  expect(found.mapping).toEqual(expected.mapping)
}

/** One tree dealt out to several segments: directories to all of them, files to one or two. */
function dealt(random: Random, rows: readonly ModelRow[], segments: number): ModelRow[][] {
  const hands = Array.from({ length: segments }, (): ModelRow[] => [])
  for (const row of rows) {
    if (row.kind === Kind.directory)
      for (const hand of hands) hand.push({ ...row, stub: row.stub || random.chance(0.5) })
    else for (let copies = random.chance(0.2) ? 2 : 1; copies > 0; copies--) random.pick(hands).push(row)
  }
  return hands
}

describe('merging with build kernels', () => {
  it('gives the bytes and the mapping of the plain ones, with rows that are dead', () => {
    const seed = Number(process.env.SEED ?? 1)
    for (let run = 0; run < runs; run++) {
      const random = new Random(seed * 100_000 + run)
      const shape = { directories: 1 + random.below(60), files: random.below(400), depth: 0.3, stubs: 0, repeats: 0 }
      const hands = dealt(random, randomTree(random, shape), 1 + random.below(9))
      const deaths = random.pick([0, 0.2, 1])
      const inputs = hands.map(hand => {
        const reader = segmentOf(hand, random.pick([ALL_COLUMNS, LIST_COLUMNS]))
        const dead = Uint8Array.from({ length: reader.rowCount }, () => (random.chance(deaths) ? 1 : 0))
        return { reader, isDead: (entry: number) => dead[entry] === 1 }
      })
      expectSame(inputs)
    }
  })

  it('gives them for names that have broken indexes before, and for many inputs', () => {
    const inputs = NASTY_NAMES.map((name, i) => {
      const rows = [
        directoryRow(1, NO_DIRECTORY, 'r'),
        fileRow(1, name),
        fileRow(1, NASTY_NAMES[(i * 7) % NASTY_NAMES.length]),
      ]
      for (let more = 0; more < 40; more++) rows.push(fileRow(1, Uint8Array.of(...name.slice(0, 300), 1 + more)))
      return { reader: segmentOf(rows, LIST_COLUMNS), isDead: () => false }
    })
    expectSame(inputs)
  })

  it('says what is wrong with a damaged dictionary, and does no harm', () => {
    const random = new Random(5)
    const rows = randomTree(random, { directories: 5, files: 300, depth: 0, stubs: 0, repeats: 0 })
    const whole = segmentOf(rows, LIST_COLUMNS)
    const { offset, length } = whole.frame.section(tableTag('f', 'names'))
    let refused = 0
    for (let run = 0; run < 150; run++) {
      const bytes = whole.frame.bytes.slice()
      bytes[offset + random.below(length)] = random.below(256)
      // Any bytes under right checksums: as a faulty writer leaves them.
      const reader = new SegmentReader('damaged.seg', bytes, (_bytes, start) => checksumOf(whole, start))
      const outcome = (by: BuildKernels | undefined): string => {
        try {
          return Buffer.from(merged([{ reader, isDead: () => false }], by).bytes).toString('base64')
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptFileError)
          return String(error)
        }
      }
      const plain = outcome(plainKernels)
      expect(outcome(kernels) === plain).toBe(true)
      if (plain.startsWith('Corrupt')) refused++
    }
    expect(refused).toBeGreaterThan(2)
  })
})

/** The stored checksum of the page that starts at `start`. */
function checksumOf({ frame }: SegmentReader, start: number): number {
  const sections = frame.sections.size
  const view = new DataView(frame.bytes.buffer, frame.bytes.byteOffset)
  return view.getUint32(view.getUint32(20, true) + sections * 32 + (start / 4096) * 4, true)
}
