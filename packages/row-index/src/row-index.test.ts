import { keyOf } from '@hotpath/index-format'
import { decodeRowKey, encodeRowKey, Kind } from '@hotpath/model'
import { matchesNaively, type Predicate, parseQuery, type Query } from '@hotpath/query'
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
    .map(row => ({ row, rank: isBegun(rows!, row) ? 0 : 1 }))
    .sort((a, b) => a.rank - b.rank || compareHits(a.row, b.row))
    .map(({ row }) => row)
}

/** Whether what was looked for begins a word, character by character. */
function isBegun(predicate: Predicate, row: IndexedRow): boolean {
  switch (predicate.kind) {
    case 'and':
      return predicate.parts.every(part => isBegun(part, row))
    case 'or':
      return predicate.parts.some(part => isMatch(part, row) && isBegun(part, row))
    case 'name': {
      const { test } = predicate
      if (test.mode !== 'substring' || test.words) return true
      const needle = Buffer.from(test.needle).toString()
      const text = Buffer.from(keyOf(row.text)).toString()
      if (!isWordCharacter([...needle][0]!) || /^[\p{Script=Han}]/u.test(needle)) return true
      for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1))
        if (!isWordCharacter([...text.slice(0, at)].at(-1) ?? ' ')) return true
      return false
    }
    default:
      return true
  }
}

function isMatch(predicate: Predicate, row: IndexedRow): boolean {
  const components = [DATABASE, row.table].map(text => Buffer.from(text))
  return matchesNaively(predicate, { components: [...components, row.text], kind: Kind.file, size: Number.NaN })
}

function isWordCharacter(character: string): boolean {
  return /^[\p{L}\p{N}\p{M}]$/u.test(character)
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

  it('finds those first in which a word begins so, and of these the newest', () => {
    const texts = ['an apple', 'a can', 'Anna', 'many', 'the an', 'banana An', '2an', '人 an', '香蕉', '很香', 'x香']
    const first = (text: string, offset = 0, limit = 20) => {
      const index = new RowIndex('d')
      texts.forEach((each, id) => {
        index.put({ table: id % 2 === 0 ? 't' : 'u', key: encodeRowKey(BigInt(id)), text: rowText([each])! })
        if (id === 4) index.replaceSealed(new RowSegment('s', rowSegmentBytes(index.seal())))
      })
      const query = parseQuery(text, { now: 0, rows: true }) as Query
      const { total, hits } = index.search(query.rows!, { offset, limit }, () => {})
      return [total, ...hits.map(({ text: found }) => Buffer.from(found).toString())]
    }
    const all = ['the an', 'Anna', 'an apple', '人 an', 'banana An', '2an', 'many', 'a can']
    expect(first('an')).toEqual([8, ...all])
    for (let offset = 0; offset < 8; offset++)
      expect(first('an', offset, 3)).toEqual([8, ...all.slice(offset, offset + 3)])
    expect(first('an !apple')).toEqual([7, 'the an', 'Anna', '人 an', 'banana An', '2an', 'many', 'a can'])
    expect(first('an b')).toEqual([1, 'banana An'])
    expect(first('ap|ny')).toEqual([2, 'an apple', 'many'])
    // Without a say, or in a script without spaces: as before.
    expect(first('in:d *an*')).toEqual([8, '2an', 'the an', 'Anna', 'an apple', '人 an', 'banana An', 'many', 'a can'])
    expect(first('香')).toEqual([3, 'x香', '香蕉', '很香'])
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
