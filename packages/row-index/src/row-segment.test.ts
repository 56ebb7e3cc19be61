import { readFileSync } from 'node:fs'
import { encodeRowKey } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { MAX_ROW_TEXT, rowText } from './indexed-row.js'
import { BLOCK_ROWS, ROW_END } from './row-block.js'
import { BLOCK_BYTES, COMMON_SHARE, ROW_SECTIONS } from './row-layout.js'
import { RowSegment } from './row-segment.js'
import { rowSegmentBytes } from './row-segment-writer.js'

const row = (table: string, id: number, text: string) => ({
  table,
  key: encodeRowKey(BigInt(id)),
  text: rowText([text])!,
})

describe('segments of rows', () => {
  it('are as the document says', () => {
    const page = readFileSync(new URL('../../../docs/formats/row-segment.md', import.meta.url), 'utf8')
    for (const [name, tag] of Object.entries(ROW_SECTIONS)) expect(page).toContain(`| \`${name}\` | \`${tag}\` |`)
    expect(page.match(/^\| `\w+` \| `[rK]\w{3}` \|/gm)).toHaveLength(Object.keys(ROW_SECTIONS).length)
    expect(page).toContain(`up to ${BLOCK_ROWS} rows`)
    expect(page).toContain(`${BLOCK_BYTES} bytes`)
    expect(page).toContain(`0x${ROW_END.toString(16).toUpperCase()}`)
    expect(page).toContain(`${MAX_ROW_TEXT.toLocaleString('en')} bytes`)
    expect(COMMON_SHARE).toBe(2)
    expect(page).toContain('more than half of all blocks')
  })

  it('may be empty', () => {
    const segment = new RowSegment('empty', rowSegmentBytes([]))
    expect([segment.rowCount, segment.blockCount, segment.tables]).toEqual([0, 0, []])
    expect(segment.find('t', encodeRowKey(1n))).toBe(-1)
  })

  it('find rows by key, and give their texts as they were written', () => {
    const rows = [row('a', -5, 'Straße'), row('a', 7, 'plain'), row('b', 7, 'Über 🙂')]
    const segment = new RowSegment('s', rowSegmentBytes(rows))
    expect(rows.map(({ table, key }) => segment.find(table, key))).toEqual([0, 1, 2])
    expect(segment.find('c', encodeRowKey(7n))).toBe(-1)
    expect(segment.find('a', encodeRowKey(6n))).toBe(-1)
    const texts = [0, 1].flatMap(number => {
      const block = segment.block(number)
      return Array.from({ length: block.count }, (_, i) => Buffer.from(block.text(i)).toString())
    })
    expect(texts).toEqual(['Straße', 'plain', 'Über 🙂'])
  })

  it('refuse rows that do not ascend', () => {
    expect(() => rowSegmentBytes([row('a', 2, 'x'), row('a', 1, 'x')])).toThrow('ascending')
    expect(() => rowSegmentBytes([row('a', 1, 'x'), row('a', 1, 'x')])).toThrow('ascending')
    expect(() => rowSegmentBytes([row('b', 1, 'x'), row('a', 2, 'x')])).toThrow('ascending')
  })

  it('hold the beginning of a text that is too long', () => {
    const text = rowText(['€'.repeat(MAX_ROW_TEXT)])!
    expect(text.length).toBeGreaterThan(MAX_ROW_TEXT - 3)
    const segment = new RowSegment('s', rowSegmentBytes([{ table: 't', key: encodeRowKey(1n), text }]))
    expect(Buffer.compare(segment.block(0).text(0), text)).toBe(0)
  })
})
