import { describe, expect, it } from 'vitest'
import { BtreePage } from './btree-page.js'
import { payloadOf } from './overflow.js'
import type { PageSource } from './page-source.js'
import { pagesIn } from './testing/memory-pages.js'

const PAGE = 512

/**
 * A leaf on page 2 whose one record has 92 bytes there and 508 on each of the pages of `chain`: filled with their number.
 *
 * @param next what each page of the chain says is the next, if not the one after it
 */
function database(chain: readonly number[], next: Readonly<Record<number, number>> = {}): PageSource {
  const bytes = new Uint8Array(12 * PAGE)
  const view = new DataView(bytes.buffer)
  const payload = 92 + 508 * chain.length
  bytes.set([13, 0, 0, 0, 1, 0, 100, 0, 0, 100], PAGE)
  bytes.set([0x80 | (payload >> 7), payload & 0x7f, 5], PAGE + 100)
  bytes.fill(2, PAGE + 103, PAGE + 195)
  view.setUint32(PAGE + 195, chain[0] ?? 0)
  chain.forEach((no, index) => {
    bytes.fill(no, (no - 1) * PAGE, no * PAGE)
    view.setUint32((no - 1) * PAGE, next[no] ?? chain[index + 1] ?? 0)
  })
  return pagesIn('x.db', bytes, PAGE, PAGE)
}

function read(source: PageSource, pages: number[] = []): Uint8Array {
  const page = BtreePage.at(source, 2)
  return payloadOf(source, page, page.cellAt(0), no => pages.push(no))
}

describe('overflow chains', () => {
  it('are read in their order', () => {
    const pages: number[] = []
    const payload = read(database([7, 3, 9]), pages)
    expect(pages).toEqual([7, 3, 9])
    expect([...payload]).toEqual([2, 7, 3, 9].flatMap(fill => Array(fill === 2 ? 92 : 508).fill(fill)))
  })

  it('are no longer than their record says', () => expect(read(database([7, 3], { 3: 4 })).length).toBe(92 + 2 * 508))

  it.each([
    ['ends early', { 3: 0 }, 'found 0'],
    ['leaves the database', { 7: 13 }, 'a page of the 12 of the database, found 13'],
    ['comes back to its first page', { 3: 7 }, 'found page 7 again'],
    ['comes back to a page itself', { 3: 3 }, 'found page 3 again'],
  ] as const)('are refused where one %s', (_, next, expected) =>
    expect(() => read(database([7, 3, 9, 10, 11, 4, 5], next))).toThrow(expected),
  )

  it('are refused where they are longer than the database, before anything is read', () => {
    const source = database([7, 3, 9])
    const read = { ...source, pageCount: 3, page: source.page }
    const page = BtreePage.at(read, 2)
    expect(() => payloadOf(read, page, page.cellAt(0))).toThrow('expected a record that fits into the database')
  })
})
