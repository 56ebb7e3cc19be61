import { describe, expect, it } from 'vitest'
import { BtreePage, localPayload } from './btree-page.js'
import { pagesIn } from './testing/memory-pages.js'

const PAGE = 512

/** Page 2 of a database of 9 pages, with `bytes` at its start. */
function page(hex: string, change?: (bytes: Uint8Array) => void, usable = PAGE): BtreePage {
  const bytes = new Uint8Array(9 * PAGE)
  bytes.set(Buffer.from(hex.replaceAll(' ', ''), 'hex'), PAGE)
  change?.(bytes.subarray(PAGE, 2 * PAGE))
  return BtreePage.at(pagesIn('x.db', bytes, PAGE, usable), 2)
}

/** A leaf of a table with one cell: rowid 5, a record of 2 bytes, at 500. */
const leaf = (change?: (bytes: Uint8Array) => void): BtreePage =>
  page('0d 0000 0001 01f4 00 01f4', bytes => {
    bytes.set([2, 5, 2, 9], 500)
    change?.(bytes)
  })

/** An interior page of a table: child 3 up to rowid 7, then child 4. */
const interior = (change?: (bytes: Uint8Array) => void): BtreePage =>
  page('05 0000 0001 01f4 00 00000004 01f4', bytes => {
    bytes.set([0, 0, 0, 3, 7], 500)
    change?.(bytes)
  })

describe('BtreePage', () => {
  it('reads the cells of a leaf', () => {
    const read = leaf()
    expect(read).toMatchObject({ table: true, leaf: true, cellCount: 1, childCount: 0 })
    expect(read.cellAt(0)).toEqual({
      rowid: 5,
      start: 500,
      end: 504,
      payloadBytes: 2,
      payloadStart: 502,
      localBytes: 2,
      overflow: 0,
    })
  })

  it('reads the children of an interior page', () => {
    const read = interior()
    expect(read).toMatchObject({ table: true, leaf: false, childCount: 2 })
    expect([read.childAt(0), read.childAt(1), read.separatorAt(0)]).toEqual([3, 4, 7])
  })

  it('reads where a record goes on', () => {
    // Of 600 bytes 92 are on the page.
    const read = leaf(bytes => {
      bytes.set([0, 100], 8)
      bytes.set([0x84, 0x58, 5], 100)
      bytes.set([0, 0, 0, 8], 103 + 92)
    })
    expect(read.cellAt(0)).toMatchObject({ payloadBytes: 600, localBytes: 92, end: 199, overflow: 8 })
  })

  it.each([
    ['a kind that there is not', () => page('04')],
    ['more pointers than fit', () => page('0d 0000 00fd')],
    ['a cell before the pointers end', () => leaf(bytes => bytes.set([0, 9], 8)).cellAt(0)],
    ['a cell at the end of the page', () => leaf(bytes => bytes.set([1, 0xfe], 8)).cellAt(0)],
    ['a record that is longer than the page', () => leaf(bytes => bytes.set([100], 500)).cellAt(0)],
    ['a record that is longer than the database', () => leaf(bytes => bytes.set([0xff, 0xff, 0x7f], 500)).cellAt(0)],
    [
      'a varint without an end',
      () =>
        leaf(bytes => {
          bytes.set([1, 0xfc], 8)
          bytes.fill(0xff, 508)
        }).cellAt(0),
    ],
    ['a child that is not in the database', () => interior(bytes => bytes.set([10], 503)).childAt(0)],
    ['page 1 as a child', () => interior(bytes => bytes.set([1], 503)).childAt(0)],
    ['no right-most child', () => interior(bytes => bytes.set([0], 11)).childAt(1)],
  ])('refuses %s', (_, read) => {
    expect(read).toThrow(/"x\.db" at byte (5|6|7|8|9|10)\d\d:/)
  })

  it('lets no cell into the bytes that are reserved', () => {
    expect(() => page('0d 0000 0001 01f4 00 01f4', bytes => bytes.set([2, 5, 2, 9], 500), 480).cellAt(0)).toThrow('480')
  })
})

describe('localPayload', () => {
  it.each([
    // From the description: in a leaf of a table at most U - 35 bytes, in an index ((U - 12) * 64 / 255) - 23.
    [4_061, 4_096, true, 4_061],
    [4_062, 4_096, true, 489],
    [4_681, 4_096, true, 589],
    [1_002, 4_096, false, 1_002],
    [1_003, 4_096, false, 489],
    [600, 512, true, 92],
    [5_000, 1_024, false, 103],
    [102, 512, false, 102],
    [103, 512, false, 39],
  ] as const)('of %i bytes in %i (table: %s) is %i', (payload, usable, table, expected) =>
    expect(localPayload(payload, usable, table)).toBe(expected),
  )
})
