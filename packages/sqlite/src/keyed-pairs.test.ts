import { Random } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { BtreePage } from './btree-page.js'
import { pairsByKey } from './keyed-pairs.js'
import type { PageSource } from './page-source.js'
import { sameBytes } from './sql-values.js'
import { pagesIn } from './testing/memory-pages.js'
import type { CellRun } from './tree-walk.js'

const PAGE = 512
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const ROUNDS = process.env.SOAK === '1' ? 50_000 : 500

/** Rows of a table without rowids, key and value of a byte each, on as many leaves as it takes. */
function state(rows: readonly (readonly [key: number, value: number])[]): {
  source: PageSource
  runs: Iterator<CellRun>
} {
  const perPage = 20
  const bytes = new Uint8Array(PAGE * (2 + Math.ceil(rows.length / perPage)))
  rows.forEach(([key, value], index) => {
    const page = bytes.subarray(PAGE * (1 + Math.floor(index / perPage)))
    const at = PAGE - 6 * ((index % perPage) + 1)
    const view = new DataView(page.buffer, page.byteOffset)
    page[0] = 10
    view.setUint16(3, (index % perPage) + 1)
    view.setUint16(8 + 2 * (index % perPage), at)
    page.set([5, 3, 1, 1, key, value], at)
  })
  const source = pagesIn('x.db', bytes, PAGE, PAGE)
  function* runs(): Generator<CellRun> {
    for (let index = 0; index < rows.length; index++)
      yield {
        page: BtreePage.at(source, 2 + Math.floor(index / perPage)),
        start: index % perPage,
        end: (index % perPage) + 1,
      }
  }
  return { source, runs: runs() }
}

describe('pairsByKey', () => {
  it(`pairs rows of any order as a map does (SEED=${SEED})`, () => {
    for (let round = 0; round < ROUNDS; round++) {
      const random = new Random(SEED + round)
      // An order that says nothing about the bytes.
      const order = Array.from({ length: 1 + random.below(120) }, (_, key) => key).toSorted(() => random.below(3) - 1)
      const some = (): [number, number][] => {
        const share = random.pick([0, 0.1, 0.5, 0.9, 1])
        return order.filter(() => random.chance(share)).map(key => [key, random.below(2)])
      }
      const [olds, news] = [some(), some()]
      const found: string[] = []
      const pairs = pairsByKey(state(olds), state(news), 1, (a, b) =>
        sameBytes(a.page.bytes.subarray(a.cell.start, a.cell.end), b.page.bytes.subarray(b.cell.start, b.cell.end)),
      )
      const shown = (row: { page: BtreePage; cell: { payloadStart: number } } | undefined) =>
        row === undefined
          ? '-'
          : `${row.page.bytes[row.cell.payloadStart + 3]}=${row.page.bytes[row.cell.payloadStart + 4]}`
      for (const { before, after } of pairs) found.push(`${shown(before)} ${shown(after)}`)
      const [oldMap, newMap] = [new Map(olds), new Map(news)]
      const expected = order
        .filter(key => oldMap.has(key) || newMap.has(key))
        .map(key => [oldMap, newMap].map(map => (map.has(key) ? `${key}=${map.get(key)}` : '-')).join(' '))
      expect(found.toSorted(), `SEED=${SEED + round}`).toEqual(expected.toSorted())
      // In the order of the table, but for those that are gone before those that are new between two that stayed.
      const kept = (pair: string): boolean => !pair.includes('-')
      expect(found.filter(kept)).toEqual(expected.filter(kept))
      const gaps = (pairs: string[]): string[] =>
        pairs
          .map(pair => (kept(pair) ? '|' : pair.startsWith('-') ? 'n' : 'o'))
          .join('')
          .split('|')
      for (const gap of gaps(found)) expect(gap).toMatch(/^o*n*$/)
    }
  })

  it('refuses a key that is there twice', () => {
    const twice = state([
      [1, 1],
      [1, 2],
    ])
    expect(() => [
      ...pairsByKey(
        twice,
        state([
          [2, 2],
          [3, 3],
          [4, 4],
        ]),
        1,
        () => false,
      ),
    ]).toThrow('a key that no other row has')
  })
})
