import { InvalidInputError, Kind, NO_DIRECTORY } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { MemorySink } from './memory-sink.js'
import { buildSegment } from './segment-builder.js'
import { type DirectoryPlace, type MergeInput, type MergeResult, mergeSegments, NOT_MERGED } from './segment-merge.js'
import { SegmentReader } from './segment-reader.js'
import { checkSegment } from './testing/check-segment.js'
import {
  ALL_COLUMNS,
  columnsOf,
  directoryRow,
  fileRow,
  type ModelColumns,
  type ModelRow,
} from './testing/model-rows.js'
import { type ModelSegment, ModelView, segmentOf } from './testing/model-view.js'
import { Random } from './testing/random-rows.js'
import { nameText } from './testing/tree-oracle.js'

const runs = process.env.SOAK ? 1_500 : 12
if (process.env.SOAK) vi.setConfig({ testTimeout: 3_600_000 })

const nowhere = (): undefined => undefined

function merge(
  inputs: readonly MergeInput[],
  resolve: (id: number) => DirectoryPlace | undefined = nowhere,
): { reader: SegmentReader; result: MergeResult } {
  const sink = new MemorySink()
  const result = mergeSegments(inputs, resolve, sink)
  return { reader: new SegmentReader('merged.seg', sink.bytes()), result }
}

function inputOf(reader: SegmentReader, dead: Iterable<number> = []): MergeInput {
  const set = new Set(dead)
  return { reader, isDead: entry => set.has(entry) }
}

function bytesOfRows(rows: readonly ModelRow[], columns: ModelColumns): Uint8Array {
  const sink = new MemorySink()
  buildSegment(columnsOf(rows, columns), sink)
  return sink.bytes()
}

/** What merging `chosen` must hold: their live rows, and a stub for each ancestor that is none of them. */
function expectedRows(view: ModelView, chosen: readonly ModelSegment[]): ModelRow[] {
  const rows = [...view.entries.values()]
    .filter(entry => entry.segment !== undefined && chosen.includes(entry.segment))
    .map(entry => entry.row)
  const known = new Set(rows.map(row => row.directory))
  const add = (first: number): void => {
    for (let id = first; id !== NO_DIRECTORY && !known.has(id); id = view.rowOf(id).parent) {
      known.add(id)
      const { parent, name } = view.rowOf(id)
      const holder = [...chosen].reverse().find(({ reader }) => reader.findDir(id) >= 0)?.reader
      const row = holder?.readRow(holder.findDir(id))
      const times = row && {
        modified: row.modified,
        changed: row.changed,
        created: row.created,
        accessed: row.accessed,
      }
      const { attributes, ref } = row ?? {}
      rows.push(directoryRow(id, parent, name, { stub: true, ...(row ? { times, attributes, ref } : {}) }))
    }
  }
  for (const { parent } of [...rows]) add(parent)
  if (rows.length === 0) add(1)
  return rows
}

function checkMapping(
  view: ModelView,
  chosen: readonly ModelSegment[],
  merged: SegmentReader,
  result: MergeResult,
): void {
  const expected = chosen.map(({ reader }) => new Uint32Array(reader.rowCount).fill(NOT_MERGED))
  for (const { row, segment, entry } of view.entries.values()) {
    const input = segment === undefined ? -1 : chosen.indexOf(segment)
    if (input < 0) continue
    expected[input][entry] =
      row.kind === Kind.directory
        ? merged.findDir(row.directory)
        : merged.findChild(merged.findDir(row.parent), row.name)
  }
  expect(result.mapping).toEqual(expected)
}

describe('merging segments', () => {
  it('gives the bytes that building from the live rows gives, merge after merge', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 3 }), (seed, implied) => {
        const random = new Random(seed)
        const view = new ModelView(random, ALL_COLUMNS, implied)
        for (let round = 0; round < 4; round++) {
          for (let flush = 1 + random.below(3); flush > 0; flush--) {
            for (let change = random.below(120); change > 0; change--) view.change()
            view.flush()
          }
          for (let change = random.below(40); change > 0; change--) view.change()
          const chosen = view.segments.filter(() => random.chance(0.7))
          if (chosen.length === 0) continue
          const { reader, result } = merge(
            chosen.map(({ reader: old, dead }) => inputOf(old, dead)),
            id => view.placeOf(id),
          )
          const rows = expectedRows(view, chosen)
          expect(
            Buffer.compare(reader.frame.bytes, bytesOfRows(rows, ALL_COLUMNS)),
            `seed ${seed}, round ${round}`,
          ).toBe(0)
          checkMapping(view, chosen, reader, result)
          if (round === 3) checkSegment(reader, rows, ALL_COLUMNS)

          const merged: ModelSegment = { reader, dead: new Set() }
          for (const entry of view.entries.values()) {
            const input = entry.segment === undefined ? -1 : chosen.indexOf(entry.segment)
            if (input < 0) continue
            entry.segment = merged
            entry.entry = result.mapping[input][entry.entry]
          }
          view.segments = view.segments.map(old => (old === chosen[chosen.length - 1] ? merged : old))
          view.segments = view.segments.filter(old => !chosen.includes(old))
        }
      }),
      { numRuns: runs },
    )
  })

  it('of one segment with nothing dead gives its bytes', () => {
    const rows = [directoryRow(1, 0, ''), directoryRow(2, 1, 'd'), fileRow(2, 'a', { size: 7 }), fileRow(1, 'b')]
    const reader = segmentOf(rows, ALL_COLUMNS)
    expect(Buffer.compare(merge([inputOf(reader)]).reader.frame.bytes, reader.frame.bytes)).toBe(0)
  })

  it('keeps the newest of live entries with one place', () => {
    const segments = [1, 2, 3].map(size =>
      segmentOf(
        [directoryRow(1, 0, '', { stub: size > 1 }), fileRow(1, 'b', { size }), fileRow(1, `a${size}`)],
        ALL_COLUMNS,
      ),
    )
    const { reader, result } = merge(segments.map(segment => inputOf(segment)))
    expect(reader.fileCount).toBe(4)
    const survivor = reader.findChild(0, Uint8Array.of(0x62))
    expect(reader.sizeOf(survivor)).toBe(3)
    const old = segments.map(segment => segment.findChild(0, Uint8Array.of(0x62)))
    expect(result.mapping.map((map, i) => map[old[i]])).toEqual([NOT_MERGED, NOT_MERGED, survivor])
    expect(result.mapping.map(map => map[0])).toEqual([0, NOT_MERGED, NOT_MERGED])
  })

  it('of nothing that lives is the root as a stub', () => {
    const reader = segmentOf([directoryRow(7, 0, 'root'), directoryRow(8, 7, 'd'), fileRow(8, 'a')], ALL_COLUMNS)
    const { reader: merged, result } = merge([inputOf(reader, [0, 1, 2])])
    expect(result).toMatchObject({ dirCount: 1, fileCount: 0, stubCount: 1, entryCount: 0 })
    expect(merged.dirIdOf(0)).toBe(7)
    expect(nameText(merged.nameOf(0))).toBe('root')
    expect([...result.mapping[0]]).toEqual([NOT_MERGED, NOT_MERGED, NOT_MERGED])
  })

  it('takes columns from inputs that have them', () => {
    const plain: ModelColumns = { times: [], attributes: false, refs: false }
    const old = segmentOf([directoryRow(1, 0, ''), fileRow(1, 'old', { size: 1 })], plain)
    const time = { seconds: 1_700_000_000, ticks: 5 }
    const rich = [
      directoryRow(1, 0, '', { stub: true }),
      fileRow(1, 'new', { attributes: 3, times: { modified: time } }),
    ]
    const { reader } = merge([inputOf(old), inputOf(segmentOf(rich, ALL_COLUMNS))])
    const find = (name: string): number => reader.findChild(0, new TextEncoder().encode(name))
    expect(reader.readRow(find('old'))).toMatchObject({ size: 1, attributes: 0, modified: { seconds: Number.NaN } })
    expect(reader.readRow(find('new'))).toMatchObject({ size: Number.NaN, attributes: 3, modified: time })
  })

  it('of more than 255 inputs keeps them apart', () => {
    const inputs = Array.from({ length: 300 }, (_, i) =>
      inputOf(segmentOf([directoryRow(1, 0, '', { stub: i > 0 }), fileRow(1, `f${i}`, { size: i })], ALL_COLUMNS)),
    )
    const { reader } = merge(inputs)
    for (let i = 0; i < 300; i++) {
      expect(reader.sizeOf(reader.findChild(0, new TextEncoder().encode(`f${i}`)))).toBe(i)
    }
  })

  it('refuses no inputs, and places that are no tree', () => {
    expect(() => merge([])).toThrow(InvalidInputError)
    const reader = segmentOf([directoryRow(1, 0, ''), directoryRow(2, 1, 'd'), fileRow(2, 'a')], ALL_COLUMNS)
    const place = (parentId: number) => (id: number) => (id === 2 ? { parentId, name: Uint8Array.of(0x78) } : undefined)
    for (const parent of [2, 99]) expect(() => merge([inputOf(reader, [1])], place(parent))).toThrow(InvalidInputError)
    expect(() => merge([inputOf(reader, [1])], place(1))).not.toThrow()
  })
})
