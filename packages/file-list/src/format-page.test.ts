import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { BadRowReason, MAX_COMPONENTS, MAX_NAME_BYTES, MAX_ROW_BYTES } from './bad-row.js'
import { ATTRIBUTE_LETTERS } from './efu-fields.js'
import { readEfuHeader } from './efu-reader.js'
import { ListParser } from './list-parser.js'

const page = readFileSync(new URL('../../../docs/formats/efu.md', import.meta.url), 'utf8')

/** Rows of the table with this header, as cells. */
function table(header: string): string[][] {
  const lines = page.split('\n')
  const start = lines.indexOf(header)
  expect(start).toBeGreaterThan(0)
  const rows: string[][] = []
  for (let i = start + 2; lines[i]?.startsWith('|'); i++) {
    rows.push(
      lines[i]!.slice(1, -1)
        .split('|')
        .map(cell => cell.trim()),
    )
  }
  return rows
}

const code = (cell: string) => cell.replaceAll('`', '')

describe('docs/formats/efu.md', () => {
  it('has the columns', () => {
    const names = table('| column | value | written as EFU | written as CSV |').map(row => code(row[0]!))
    expect(readEfuHeader(names.join(','))).toEqual(['path', 'size', 'modified', 'created', 'accessed', 'attributes'])
  })

  it('has the attribute letters', () => {
    const rows = table('| letter | bit | meaning |')
    expect(Object.fromEntries(rows.map(([letter, bit]) => [code(letter!), Number(bit)]))).toEqual(ATTRIBUTE_LETTERS)
  })

  it('has the reasons and limits', () => {
    expect(table('| reason |').map(row => row[0])).toEqual(Object.values(BadRowReason))
    const number = (value: number) => value.toLocaleString('en-US')
    expect(BadRowReason.nameTooLong).toContain(number(MAX_NAME_BYTES))
    expect(BadRowReason.tooDeep).toContain(number(MAX_COMPONENTS))
    expect(BadRowReason.rowTooLong).toContain(number(MAX_ROW_BYTES))
  })

  it.each(table('| row | components |'))('splits %s into %s', (row, components) => {
    const parser = new ListParser({ format: 'text' })
    parser.push(new TextEncoder().encode(`${code(row!)}\n`))
    const [batch] = parser.end()
    const { names, nameOffsets, count } = batch!
    const found = Array.from({ length: count - 1 }, (_, i) =>
      new TextDecoder().decode(names.subarray(nameOffsets[i + 1], nameOffsets[i + 2])),
    )
    // An empty name is written as two backquotes, which are then no code span.
    const expected = components!.split(' ').map(cell => (cell === '``' ? '' : code(cell)))
    expect(found).toEqual(expected)
  })
})
