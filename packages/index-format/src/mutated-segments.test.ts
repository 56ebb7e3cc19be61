import { HotpathError, Kind, TIME_COLUMNS } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { MemorySink } from './memory-sink.js'
import { buildSegment } from './segment-builder.js'
import { HEADER_FIELDS, PAGE_SIZE, TOC_ENTRY_SIZE } from './segment-layout.js'
import { mergeSegments } from './segment-merge.js'
import { SegmentReader } from './segment-reader.js'
import { columnsOf, directoryRow, fileRow, type ModelColumns } from './testing/model-rows.js'
import { type GoodFile, mutatedFile, type Place } from './testing/mutated-file.js'
import { MUTATED_INPUTS, MUTATION_TIMEOUT_MS, tryMutations, unlessRefused } from './testing/mutation-trials.js'
import { askSegment } from './testing/random-question.js'
import { Random, randomMetadata, randomSize } from './testing/random-rows.js'
import { repairChecksums } from './testing/repair-checksums.js'

/** Questions to each segment. */
const QUESTIONS = 6
/** One merge costs what some ten segments cost otherwise. */
const MERGED_SHARE = 0.02

/** A segment of few rows; a page for each of its sections is most of it. */
function smallSegment(seed: number, columns: ModelColumns): Uint8Array {
  const random = new Random(seed)
  const rows = [directoryRow(1, 0, '', randomMetadata(random))]
  const names = ['many', 'Größe.TXT', 'a-long-name-of-a-file.tar.gz', 'über', 'Makefile', 'lib', '日本語', 'x', 'É.é']
  for (let id = 2; id < 40; id++) {
    const stub = random.chance(0.1)
    rows.push(
      directoryRow(id, 1 + random.below(id - 1), `${random.pick(names)}${id}`, { ...randomMetadata(random), stub }),
    )
  }
  for (let i = 0; i < 60; i++) {
    const kind = random.pick([Kind.file, Kind.file, Kind.symlink, Kind.other])
    const more = { ...randomMetadata(random), kind, size: randomSize(random) }
    rows.push(fileRow(1 + random.below(39), `${random.pick(names)}${random.below(30)}`, more))
  }
  // More rows of one name than a byte counts.
  for (let id = 0; id < 260; id++) {
    rows.push(directoryRow(1_000 + id, 1, `d${id}`), fileRow(1_000 + id, 'many', randomMetadata(random)))
  }
  const sink = new MemorySink()
  buildSegment(columnsOf(rows, columns), sink, { heavyBlocks: 1 })
  return sink.bytes()
}

const SEGMENTS = [
  smallSegment(1, { times: TIME_COLUMNS, attributes: true, refs: true }),
  smallSegment(2, { times: ['modified'], attributes: false, refs: true }),
].map(bytes => ({
  bytes,
  reader: new SegmentReader('good.seg', bytes),
  places: placesOf(bytes),
  scratch: new Uint8Array(bytes.length),
}))

/** The sections, and the frame as often as it takes for a tenth of all changes. */
function placesOf(bytes: Uint8Array): Place[] {
  const { frame } = new SegmentReader('good.seg', bytes)
  const sections = [...frame.sections.values()].map(({ offset, length }): Place => [offset, offset + length])
  const view = new DataView(bytes.buffer)
  const toc = view.getUint32(HEADER_FIELDS.tocOffset[0], true)
  const header: Place = [0, HEADER_FIELDS.headerCrc[0] + 4]
  const table: Place = [toc, toc + frame.sections.size * TOC_ENTRY_SIZE]
  return [...sections, ...Array.from({ length: 3 }, () => [header, table]).flat()]
}

function goodFile(random: Random, resizing: number): GoodFile {
  const { bytes, places, scratch } = random.pick(SEGMENTS)
  return { bytes, places, scratch, unit: PAGE_SIZE, other: random.pick(SEGMENTS).bytes, resizing }
}

function sameHeader(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a.subarray(0, PAGE_SIZE), b.subarray(0, PAGE_SIZE)) === 0
}

/** Reads nothing, and sees that only what is in the file would be. */
function boundedPrefetch(bytes: Uint8Array): (offset: number, length: number) => void {
  return (offset, length) => {
    if (!(offset >= 0 && length > 0 && offset + length <= bytes.length)) {
      throw new Error(`${length} bytes at ${offset} of ${bytes.length} are expected`)
    }
  }
}

function open(bytes: Uint8Array, random: Random): SegmentReader {
  return new SegmentReader('mutated.seg', bytes, undefined, random.chance(0.5) ? boundedPrefetch(bytes) : undefined)
}

/** What a merge makes of segments some of whose entries are dead. */
function merged(readers: readonly SegmentReader[]): Uint8Array {
  const sink = new MemorySink()
  const inputs = readers.map(reader => ({ reader, isDead: (entry: number) => entry % 7 === 3 }))
  mergeSegments(inputs, () => undefined, sink, { words: false })
  return sink.bytes()
}

describe('mutated segments', () => {
  it(`are refused or right, ${MUTATED_INPUTS} of them`, { timeout: MUTATION_TIMEOUT_MS }, () => {
    const count = { refused: 0, right: 0, corrupt: 0 }
    tryMutations({ maxMebibytes: 256 }, (random, note) => {
      const good = goodFile(random, 0.1)
      const { bytes, changes } = mutatedFile(random, good)
      note(`${good.bytes.length} bytes: ${changes.join(', ')}`)
      const reader = unlessRefused(() => open(bytes, random))
      if (reader === undefined) {
        count.refused++
        return
      }
      // The end of the other segment may have come from its very beginning.
      const original = SEGMENTS.find(known => sameHeader(known.bytes, bytes))?.reader
      if (original === undefined) throw new Error('a header that nobody wrote')
      if (random.chance(0.1)) {
        note('verify')
        const isWhole = unlessRefused(() => reader.verify() ?? true) ?? false
        expect(isWhole).toBe(Buffer.compare(original.frame.bytes, bytes) === 0)
      }
      if (random.chance(MERGED_SHARE)) {
        note('merge')
        const others = random.pick([[], [SEGMENTS[0].reader]])
        const result = unlessRefused(() => merged([...others, reader]))
        if (result !== undefined) expect(Buffer.compare(result, merged([...others, original]))).toBe(0)
      }
      for (let left = QUESTIONS; left > 0; left--) {
        const seed = random.u32()
        note(`question ${seed}`)
        const answer = unlessRefused(() => askSegment(reader, new Random(seed)))
        if (answer !== undefined) expect(answer).toBe(askSegment(original, new Random(seed)))
        count[answer === undefined ? 'corrupt' : 'right']++
      }
    })
    // All of these happen.
    for (const times of Object.values(count)) expect(times).toBeGreaterThan(MUTATED_INPUTS / 10)
  })

  it('do no harm where checksums are right', { timeout: MUTATION_TIMEOUT_MS }, () => {
    const count = { refused: 0, answered: 0, corrupt: 0 }
    tryMutations({ maxMebibytes: 256 }, (random, note) => {
      const good = goodFile(random, 0.02)
      const { bytes, changes } = mutatedFile(random, good)
      note(`${good.bytes.length} bytes: ${changes.join(', ')}, checksums repaired`)
      if (bytes.length >= PAGE_SIZE) repairChecksums(bytes, good.bytes)
      const reader = unlessRefused(() => open(bytes, random))
      if (reader === undefined) {
        count.refused++
        return
      }
      if (random.chance(MERGED_SHARE)) {
        note('merge')
        const others = random.pick([[], [SEGMENTS[0].reader]])
        expectTyped(() => merged(random.chance(0.5) ? [...others, reader] : [reader, ...others]))
      }
      for (let left = QUESTIONS; left > 0; left--) {
        const seed = random.u32()
        note(`question ${seed}`)
        const answer = unlessRefused(() => askSegment(reader, new Random(seed)))
        count[answer === undefined ? 'corrupt' : 'answered']++
      }
    })
    for (const times of Object.values(count)) expect(times).toBeGreaterThan(MUTATED_INPUTS / 20)
  })
})

/** A merge also refuses keys of other rules, and directories that are no tree. */
function expectTyped(run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof HotpathError)) throw error
  }
}
