import { type BuildKernels, buildSegment, MemorySink, plainKernels } from '@hotpath/index-format'
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
import { type EntryColumns, InvalidInputError, Kind, NO_DIRECTORY } from '@hotpath/model'
import { describe, expect, it, vi } from 'vitest'
import { createBuildKernels } from './build-kernels.js'

const runs = process.env.SOAK ? 3_000 : 20
if (process.env.SOAK) vi.setConfig({ testTimeout: 3_600_000 })

/** One set for all tests, as a worker thread has: what a segment leaves behind must not show in the next. */
const kernels = createBuildKernels()
const LIST_COLUMNS: ModelColumns = { times: ['modified'], attributes: false, refs: false }

function bytesOf(rows: EntryColumns, by: BuildKernels | undefined, heavyBlocks?: number): Uint8Array {
  const sink = new MemorySink()
  buildSegment(rows, sink, { kernels: by, heavyBlocks })
  return sink.bytes()
}

function expectSame(rows: EntryColumns, heavyBlocks?: number): void {
  const found = bytesOf(rows, kernels, heavyBlocks)
  expect(Buffer.compare(found, bytesOf(rows, plainKernels, heavyBlocks))).toBe(0)
}

/** `count` files in one directory with names made of few words: grams and substrings that are in most blocks. */
function wordy(random: Random, count: number): ModelRow[] {
  const words = ['config', 'module', 'Test', 'python', 'über', 'naïve', 'x86_64', 'linux', '-', '_', '.', '.html', '0']
  const rows = [directoryRow(1, NO_DIRECTORY, 'r')]
  for (let i = 0; i < count; i++) {
    let name = random.u32().toString(36).slice(0, random.below(5))
    for (let words_ = 1 + random.below(4); words_ > 0; words_--) name += random.pick(words)
    rows.push(fileRow(1, `${name}${i % 7 === 0 ? i : ''}`, { size: random.below(1 << 20) }))
  }
  return rows
}

describe('build kernels', () => {
  it('are there', () => expect(kernels).toBeDefined())

  it('write the bytes that the plain ones write, from random rows', () => {
    const seed = Number(process.env.SEED ?? 1)
    for (let run = 0; run < runs; run++) {
      const random = new Random(seed * 100_000 + run)
      const shape = {
        directories: 1 + random.below(random.chance(0.1) ? 1_000 : 60),
        files: random.below(random.chance(0.1) ? 5_000 : 300),
        depth: random.pick([0, 0.3, 1]),
        stubs: random.pick([0, 0.3, 1]),
        repeats: random.pick([0, 0.2]),
      }
      const rows = randomTree(random, shape)
      expectSame(columnsOf(rows, random.pick([ALL_COLUMNS, LIST_COLUMNS])), random.pick([0, 1, 3, 40, 1000]))
    }
  })

  it('write them from names that have broken indexes before', () => {
    const rows = [directoryRow(1, NO_DIRECTORY, 'r')]
    for (const name of NASTY_NAMES) {
      rows.push(fileRow(1, name))
      for (let i = 1; i <= 40; i++) rows.push(fileRow(1, Uint8Array.of(...name.slice(0, 200 + i), i)))
    }
    // All bytes that a name can hold, so that every code is used; long equal prefixes; names that end in zeros.
    for (let byte = 1; byte < 256; byte++) if (byte !== 0x2f) rows.push(fileRow(1, Uint8Array.of(byte, 0x61, byte)))
    for (let i = 0; i < 300; i++)
      rows.push(fileRow(1, new Uint8Array(i).fill(0)), fileRow(1, new Uint8Array(i).fill(0x5a)))
    for (const heavyBlocks of [0, 2, 1000]) expectSame(columnsOf(rows, LIST_COLUMNS), heavyBlocks)
  })

  it('write them from many rows with heavy substrings and more names than a table begins with', () => {
    const rows = wordy(new Random(7), 60_000)
    for (const heavyBlocks of [10, 1000]) expectSame(columnsOf(rows, ALL_COLUMNS), heavyBlocks)
  })

  it('write them from posting lists of several containers', () => {
    // 70,000 blocks: two and a quarter million names, so fewer columns and one comparison.
    const count = 70_000 * 32
    const names = new Uint8Array(count * 5)
    const nameOffsets = new Uint32Array(count + 2)
    const rows = count + 1
    names[0] = 0x72
    nameOffsets[1] = 1
    for (let i = 0, at = 1; i < count; i++) {
      const digits = [i % 26, Math.floor(i / 26) % 26, Math.floor(i / 676) % 26, Math.floor(i / 17_576) % 128]
      names[at++] = 0x61 + (digits[3] % 26)
      names[at++] = 0x61 + digits[2]
      names[at++] = 0x61 + digits[1]
      names[at++] = digits[3] < 26 ? 0x61 + digits[0] : 0x30 + Math.floor(digits[3] / 26)
      if (digits[3] >= 26) names[at++] = 0x61 + digits[0]
      nameOffsets[i + 2] = at
    }
    const directory = new Uint32Array(rows)
    directory[0] = 1
    const kind = new Uint8Array(rows)
    kind[0] = Kind.directory
    const parent = new Uint32Array(rows).fill(1)
    parent[0] = NO_DIRECTORY
    const size = new Float64Array(rows).fill(Number.NaN)
    expectSame({ count: rows, parent, directory, kind, nameOffsets, names, size })
  })

  it('refuse counts that columns do not have, before anything is allocated', () => {
    const rows = columnsOf([directoryRow(1, NO_DIRECTORY, 'r'), fileRow(1, 'a')], ALL_COLUMNS)
    for (const count of [3, 2 ** 32, -1, Number.NaN]) {
      expect(() => bytesOf({ ...rows, count }, kernels)).toThrow(InvalidInputError)
    }
    expect(() => bytesOf({ ...rows, nameOffsets: Uint32Array.of(0, 1, 4000) }, kernels)).toThrow(InvalidInputError)
    expect(() => bytesOf({ ...rows, size: new Float64Array(1) }, kernels)).toThrow(InvalidInputError)
    expect(() => kernels?.words(2 ** 31)).toThrow(InvalidInputError)
  })
})
