import { CorruptFileError, UnsupportedVersionError } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeHotHeader, HOT_HEADER_BYTES, HOT_RECORD_BYTES } from './hot-file.js'
import { HotTable } from './hot-table.js'
import type { NodeKey } from './node-key.js'
import { afterOpen, DEFAULT_SCORING, merged, type Use } from './scoring.js'

const ROUNDS = process.env.SOAK === '1' ? 2_000 : 100

/** A file as the writes make it. */
class Image {
  bytes = new Uint8Array(0)

  /** Writes what changed. @returns places and sizes of the writes, in their order */
  write(table: HotTable): [number, number][] {
    return table.takeUnwritten().map(page => {
      const { offset, bytes } = table.page(page)
      if (offset + bytes.length > this.bytes.length) {
        const larger = new Uint8Array(offset + bytes.length)
        larger.set(this.bytes)
        this.bytes = larger
      }
      this.bytes.set(bytes, offset)
      return [offset, bytes.length]
    })
  }
}

type Records = Map<string, Use>

const keyText = ({ volume, low, high, birth }: NodeKey): string => `${volume} ${low} ${high} ${birth}`

function recordsOf(table: HotTable): Records {
  const records: Records = new Map()
  table.forEach(slot => {
    const key = table.keyAt(slot)
    expect(table.find(key.volume, key.low, key.high, key.birth)).toBe(slot)
    records.set(keyText(key), table.useAt(slot))
  })
  expect(records.size).toBe(table.size)
  return records
}

function load(bytes: Uint8Array): { table: HotTable; damaged: number } {
  return HotTable.load(bytes, 'hot.db', DEFAULT_SCORING)
}

/** By itself, or as a batch of one. */
function open(table: HotTable, { volume, low, high, birth }: NodeKey, at: number): void {
  if ((at & 1) === 0) table.open(volume, low, high, birth, at)
  else {
    const column = (value: number): Uint32Array => Uint32Array.of(value)
    const key = { volume: column(volume), low: column(low), high: column(high), birth: column(birth) }
    table.openAll({ count: 1, ...key, at: column(at) })
  }
}

const node = (n: number): NodeKey => ({ volume: n & 1, low: n >>> 1, high: n % 3, birth: 7 })

/** As the table rounds. */
const rounded = (use: Use): Use => ({ ...use, heat: Math.fround(use.heat) })

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('open' as const), node: fc.nat(300), at: fc.nat(5_000_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), node: fc.nat(300), to: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), node: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('write' as const) }) },
)

describe('HotTable', () => {
  it('is a map, and so are its file and a replica, whatever happens to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 500 }), steps => {
        const table = new HotTable(DEFAULT_SCORING)
        const replica = new HotTable(DEFAULT_SCORING)
        const image = new Image()
        const model: Map<number, Use> = new Map()
        const expectEqual = (): void => {
          const expected = new Map([...model].map(([n, use]) => [keyText(node(n)), use]))
          expect(recordsOf(table)).toEqual(expected)
          image.write(table)
          replica.apply(table.takeChanges())
          expect(replica.takeUnwritten()).toEqual([])
          expect(recordsOf(replica)).toEqual(expected)
          if (image.bytes.length === 0) return
          const loaded = load(image.bytes)
          expect(loaded.damaged).toBe(0)
          expect(recordsOf(loaded.table)).toEqual(expected)
        }
        for (const one of steps) {
          if (one.kind === 'open') {
            open(table, node(one.node), one.at)
            model.set(one.node, rounded(afterOpen(model.get(one.node), one.at, DEFAULT_SCORING)))
          } else if (one.kind === 'move') {
            const [from, to] = [model.get(one.node), model.get(one.to)]
            expect(table.move(node(one.node), node(one.to))).toBe(from !== undefined)
            if (from === undefined || one.node === one.to) continue
            model.delete(one.node)
            model.set(one.to, to === undefined ? from : rounded(merged(from, to, DEFAULT_SCORING)))
          } else if (one.kind === 'remove') {
            const { volume, low, high, birth } = node(one.node)
            const slot = table.find(volume, low, high, birth)
            expect(slot !== 0).toBe(model.delete(one.node))
            if (slot !== 0) table.remove(slot)
          } else expectEqual()
        }
        expectEqual()
      }),
      { numRuns: ROUNDS },
    )
  })

  it('hands out each change once', () => {
    const table = new HotTable(DEFAULT_SCORING)
    open(table, node(1), 5)
    open(table, node(1), 6)
    expect(table.takeChanges().count).toBe(1)
    expect(table.takeChanges().count).toBe(0)
    expect([table.takeUnwritten(), table.takeUnwritten()]).toEqual([[0], []])
  })

  it('writes only the pages that changed', () => {
    const table = new HotTable(DEFAULT_SCORING)
    for (let n = 0; n < 1_000; n++) open(table, node(n), n)
    const image = new Image()
    image.write(table)
    open(table, node(0), 2_000)
    open(table, node(999), 2_000)
    expect(image.write(table)).toEqual([
      [0, 4096],
      [28_672, 1001 * HOT_RECORD_BYTES - 28_672],
    ])
    expect(recordsOf(load(image.bytes).table)).toEqual(recordsOf(table))
  })

  it('writes the sum of two records before the place of one of them becomes free', () => {
    const table = new HotTable(DEFAULT_SCORING)
    for (let n = 0; n < 300; n++) open(table, node(n), n)
    const image = new Image()
    image.write(table)
    expect(table.move(node(0), node(299))).toBe(true)
    expect(image.write(table).map(([offset]) => offset)).toEqual([8192, 0])
    expect(recordsOf(load(image.bytes).table)).toEqual(recordsOf(table))
  })

  it('seals a page when it is asked for, whatever has happened since it was noted', () => {
    const table = new HotTable(DEFAULT_SCORING)
    open(table, node(1), 5)
    const pages = table.takeUnwritten()
    open(table, node(1), 6)
    open(table, node(2), 6)
    const { bytes } = table.page(pages[0])
    expect(load(bytes).damaged).toBe(0)
    expect(recordsOf(load(bytes).table)).toEqual(recordsOf(table))
  })

  it('gives up the coldest eighth when it is full', () => {
    const table = new HotTable(DEFAULT_SCORING, 80)
    for (let n = 0; n < 80; n++) open(table, node(n), 1_000_000 + n * 86_400)
    const replica = new HotTable(DEFAULT_SCORING)
    replica.apply(table.takeChanges())
    open(table, node(80), 1_000_000 + 80 * 86_400)
    expect([table.size, table.evicted]).toEqual([71, 10])
    for (let n = 0; n < 81; n++) {
      const { volume, low, high, birth } = node(n)
      expect(table.find(volume, low, high, birth) !== 0).toBe(n >= 10)
    }
    replica.apply(table.takeChanges())
    expect(recordsOf(replica)).toEqual(recordsOf(table))
  })

  it('keeps the later of two records of one node', () => {
    const images = [5, 9].map(at => {
      const table = new HotTable(DEFAULT_SCORING)
      open(table, node(1), at)
      return table.page(0).bytes
    })
    for (const [first, second] of [images, [...images].reverse()]) {
      const bytes = Buffer.concat([first, second.subarray(HOT_HEADER_BYTES)])
      const { table, damaged } = load(bytes)
      expect([damaged, table.size]).toEqual([0, 1])
      expect(table.openedAt(table.find(1, 0, 1, 7))).toBe(9)
      open(table, node(5), 10)
      expect(table.size).toBe(2)
    }
  })
})

describe('a file with two records of one node', () => {
  const place = (n: number, at: number): Uint8Array => {
    const table = new HotTable(DEFAULT_SCORING)
    open(table, node(n), at)
    return table.page(0).bytes.subarray(HOT_HEADER_BYTES)
  }
  const others = Array.from({ length: 200 }, (_, i) => place(10 + i, i))

  it('has one when it has been written again', () => {
    for (const [first, second] of [
      [5, 9],
      [9, 5],
    ]) {
      const image = new Image()
      image.bytes = Buffer.concat([encodeHotHeader(), place(1, first), ...others, place(1, second)])
      const { table } = load(image.bytes)
      // The later record into the place of the first, and only then the other place free.
      const pages = first < second ? [0, 4096] : [4096]
      expect(image.write(table).map(([offset]) => offset)).toEqual(pages)
      expect(load(image.bytes).damaged).toBe(0)
      expect(recordsOf(load(image.bytes).table)).toEqual(recordsOf(table))
      expect(table.openedAt(table.find(1, 0, 1, 7))).toBe(9)
    }
  })
})

describe('a damaged file', () => {
  const table = new HotTable(DEFAULT_SCORING)
  for (let n = 0; n < 6; n++) open(table, node(n), 1_700_000_000 + n)
  open(table, node(2), 1_700_000_100)
  const good = table.page(0).bytes
  const all = recordsOf(table)

  function expectNothingWrong(bytes: Uint8Array): { size: number; damaged: number } | undefined {
    try {
      const { table: loaded, damaged } = load(bytes)
      for (const [key, use] of recordsOf(loaded)) expect(all.get(key)).toEqual(use)
      return { size: loaded.size, damaged }
    } catch (error) {
      if (error instanceof CorruptFileError || error instanceof UnsupportedVersionError) return undefined
      throw error
    }
  }

  it('loses what is cut off, and no more', () => {
    for (let length = 0; length <= good.length; length++) {
      const found = expectNothingWrong(good.subarray(0, length))
      if (length < HOT_HEADER_BYTES) expect(found).toBeUndefined()
      else expect(found?.size).toBe(Math.floor(length / HOT_RECORD_BYTES) - 1)
    }
  })

  it('loses the one record that a bit or a byte was changed in', () => {
    for (let at = 0; at < good.length; at++) {
      for (const change of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
        const bytes = good.slice()
        bytes[at] ^= change
        const found = expectNothingWrong(bytes)
        if (at < HOT_HEADER_BYTES) expect(found).toBeUndefined()
        else expect(found).toEqual({ size: all.size - 1, damaged: 1 })
      }
    }
  })

  it('loses what was torn, at any byte of a write', () => {
    const before = good.slice()
    const later = load(good).table
    for (let n = 0; n < 6; n++) open(later, node(n), 1_700_001_000)
    const after = later.page(0).bytes
    const states = [all, recordsOf(later)]
    for (let at = 0; at <= good.length; at++) {
      const torn = Buffer.concat([after.subarray(0, at), before.subarray(at)])
      const { table: loaded } = load(torn)
      expect(loaded.size).toBeGreaterThanOrEqual(all.size - 1)
      for (const [key, use] of recordsOf(loaded)) {
        expect(states.some(state => JSON.stringify(state.get(key)) === JSON.stringify(use))).toBe(true)
      }
    }
  })

  it('uses the places of lost records again', () => {
    const bytes = good.slice()
    bytes[HOT_HEADER_BYTES + 5] ^= 1
    const { table: loaded } = load(bytes)
    const image = new Image()
    image.bytes = bytes
    open(loaded, node(77), 1_700_000_500)
    image.write(loaded)
    expect(image.bytes.length).toBe(good.length)
    expect(load(image.bytes).damaged).toBe(0)
  })
})
