import { decodeRowKey, encodeRowKey, Kind } from '@hotpath/model'
import { matchesNaively, parseQuery, type Query } from '@hotpath/query'
import { type Random, randomOf } from '@hotpath/query/testing'
import { describe, expect, it } from 'vitest'
import { type IndexedRow, rowText } from './indexed-row.js'
import { RowIndex } from './row-index.js'
import { compareHits } from './row-order.js'
import { RowSegment } from './row-segment.js'
import { rowSegmentBytes } from './row-segment-writer.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const STEPS = process.env.SOAK ? 200_000 : 1_500
const QUESTIONS_EVERY = 20

const WORDS = [
  'invoice',
  'Invoice',
  '2024',
  'größe',
  'GROESSE',
  'straße',
  '//a.b/c',
  'naïve',
  'e',
  'ab',
  '日本語',
  'don’t',
  'x=1',
  'ﬁn',
  '\t',
  '🙂',
]
const TABLES = ['message', 'contact', 'zzz', 'Message']
const DATABASE = 'chat'

function randomText(random: Random): string {
  const words = Array.from({ length: 1 + random.below(8) }, () => random.pick(WORDS))
  // Some texts are longer than a block.
  return random.chance(0.02) ? words.join(' ').repeat(60) : words.join(random.pick([' ', '', '-']))
}

function randomRow(random: Random): IndexedRow {
  const table = random.pick(TABLES)
  const key =
    table === 'zzz' ? [random.pick(['a', 'b', 'B']), BigInt(random.below(40))] : BigInt(random.below(300) - 100)
  const columns = [randomText(random), ...(random.chance(0.3) ? [randomText(random)] : [])]
  return { table, key: encodeRowKey(key), text: rowText(columns)! }
}

function randomQuery(random: Random): string {
  const word = (): string => {
    const text = random.pick(WORDS).replace(/[\s"<>|!()]/g, '') || 'e'
    return random.pick([
      () => text,
      () => text.slice(0, 1 + random.below(3)),
      () => `case:${text}`,
      () => `"${text} ${random.pick(WORDS).trim()}"`,
      () => `wfn:${text}`,
      () => `regex:${text.replace(/[^\p{L}\d]/gu, '.')}`,
      () => `startwith:${text}`,
      () => `endwith:${text}`,
      () => `ww:${text}`,
      () => `diacritics:${text}`,
      () => `in:${random.pick(['chat', 'CHAT', 'mail', 'c*'])}`,
      () => `table:${random.pick([...TABLES, 'none', 'm*'])}`,
      () => `size:>1`,
      () => `path:${text}`,
    ])()
  }
  const terms = Array.from({ length: 1 + random.below(3) }, () => (random.chance(0.15) ? `!${word()}` : word()))
  return terms.join(random.chance(0.2) ? '|' : ' ')
}

function naively({ rows }: Query, all: Iterable<IndexedRow>): IndexedRow[] {
  const encoder = new TextEncoder()
  const components = (row: IndexedRow) => [encoder.encode(DATABASE), encoder.encode(row.table), row.text]
  return [...all]
    .filter(row => matchesNaively(rows!, { components: components(row), kind: Kind.file, size: Number.NaN }))
    .sort(compareHits)
}

const plain = ({ table, key, text }: IndexedRow) => [
  table,
  Buffer.from(key).toString('hex'),
  Buffer.from(text).toString(),
]

describe('row index', () => {
  it('answers as a naive matcher does, while rows come, change and go, through segments and merges', {
    timeout: 3_600_000,
  }, () => {
    const random = randomOf(SEED)
    const index = new RowIndex(DATABASE)
    const model = new Map<string, IndexedRow>()
    const nameOf = (row: { table: string; key: Uint8Array }) => `${row.table} ${Buffer.from(row.key).toString('hex')}`
    let found = 0
    const step = (): void => {
      const row = randomRow(random)
      if (random.chance(0.75)) {
        index.put(row)
        model.set(nameOf(row), row)
      } else expect(index.remove(row.table, row.key)).toBe(model.delete(nameOf(row)))
    }
    for (let i = 0; i < STEPS; i++) {
      step()
      if (random.chance(0.01)) {
        const segment = new RowSegment('flushed', rowSegmentBytes(index.seal()))
        for (let late = random.below(20); late > 0; late--) step()
        index.replaceSealed(segment)
      }
      if (index.segments.length > 4 && random.chance(0.1)) {
        const parts = index.segments.slice(random.below(2), 2 + random.below(3))
        const segment = new RowSegment('merged', rowSegmentBytes(index.mergedRows(parts)))
        for (let late = random.below(20); late > 0; late--) step()
        index.replaceMerged(parts, segment)
      }
      expect(index.rowCount).toBe(model.size)
      if (i % QUESTIONS_EVERY !== 0) continue
      const text = randomQuery(random)
      const query = parseQuery(text, { now: 0, rows: true })
      if (query.kind !== 'query') throw new Error(`${text}: ${JSON.stringify(query)}`)
      const expected = naively(query, model.values())
      const [offset, limit] = [random.below(5), random.below(40)]
      const page = index.search(query.rows!, { offset, limit }, () => {})
      const context = `SEED=${SEED}, step ${i}, query ${JSON.stringify(text)}`
      expect(page.total, context).toBe(expected.length)
      expect(page.hits.map(plain), context).toEqual(expected.slice(offset, offset + limit).map(plain))
      if (page.total > 0) found++
    }
    expect(found).toBeGreaterThan(STEPS / QUESTIONS_EVERY / 5)
  })

  it('takes wildcards for any characters of a text, separators too', () => {
    const index = new RowIndex('d')
    for (const [id, text] of ['see http://a.b/c now', 'a\nb/c', 'acb', 'c a'].entries()) {
      index.put({ table: 't', key: encodeRowKey(BigInt(id)), text: rowText([text])! })
    }
    const idsOf = (text: string) => {
      const query = parseQuery(text, { now: 0, rows: true }) as Query
      return index.search(query.rows!, { offset: 0, limit: 9 }, () => {}).hits.map(({ key }) => decodeRowKey(key))
    }
    expect(idsOf('a*c')).toEqual([2n, 1n, 0n])
    expect(idsOf('//a*/c')).toEqual([0n])
    expect(idsOf('a?b')).toEqual([2n, 1n, 0n])
    expect(idsOf('b/c')).toEqual([1n, 0n])
  })

  it('looks now and then whether anybody still wants the answer', () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => ({
      table: 't',
      key: encodeRowKey(BigInt(i)),
      text: rowText([`row ${i}`])!,
    }))
    const index = new RowIndex('d')
    for (const row of rows) index.put(row)
    index.replaceSealed(new RowSegment('s', rowSegmentBytes(index.seal())))
    const query = parseQuery('row', { now: 0, rows: true }) as Query
    let looks = 0
    expect(index.search(query.rows!, { offset: 0, limit: 1 }, () => looks++).total).toBe(5_000)
    expect(looks).toBe(3)
    expect(() =>
      index.search(query.rows!, { offset: 0, limit: 1 }, () => {
        throw new Error('nobody')
      }),
    ).toThrow('nobody')
  })

  it('finds the newest rows first', () => {
    const index = new RowIndex('d')
    for (const id of [5n, -3n, 7n, 0n, 9_007_199_254_740_993n]) {
      index.put({ table: 't', key: encodeRowKey(id), text: rowText(['same'])! })
    }
    const query = parseQuery('same', { now: 0, rows: true }) as Query
    const { hits } = index.search(query.rows!, { offset: 0, limit: 10 }, () => {})
    expect(hits.map(({ key }) => decodeRowKey(key))).toEqual([9_007_199_254_740_993n, 7n, 5n, 0n, -3n])
  })
})
