import { readFileSync } from 'node:fs'
import { Kind } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { HEAVY_BLOCKS } from './heavy-table.js'
import { MemorySink } from './memory-sink.js'
import { MAX_KEY_BYTES, MAX_NAME_BYTES, MAX_SHARED_BYTES } from './names-block.js'
import { buildSegment } from './segment-builder.js'
import {
  ACCESS_SECTIONS,
  BIGRAM_BIT,
  BLOCK_NAMES,
  COUNT_OVERFLOW,
  FILE_SECTIONS,
  GROUP_ENTRIES,
  HEADER_FIELDS,
  KEY_RULES_TAG,
  MAX_SEGMENT_BYTES,
  PAGE_SIZE,
  SECTION_PADDING,
  SEGMENT_MAGIC,
  SEGMENT_MAJOR,
  SEGMENT_MINOR,
  TABLE_SECTIONS,
  TIME_EXCEPTION,
  TIME_EXCEPTION_BYTES,
  TIME_LETTERS,
  TOC_ENTRY_SIZE,
  TOC_FIELDS,
  TREE_SECTIONS,
  UNIGRAM_BIT,
} from './segment-layout.js'
import { SegmentReader } from './segment-reader.js'
import { MAX_SIZE, SIZE_CODE_BYTES, SIZE_CODE_LENGTHS } from './size-column.js'
import { ALL_COLUMNS, columnsOf, directoryRow, fileRow } from './testing/model-rows.js'
import { Random, randomMetadata } from './testing/random-rows.js'
import { MAX_WORD_CHARACTERS, MIN_WORD_BYTES } from './words.js'

const page = readFileSync(new URL('../../../docs/formats/segment.md', import.meta.url), 'utf8')

/** Cells of the rows of the first table after a heading, without backquotes. */
function tableAfter(heading: string, header: string): string[][] {
  const start = page.indexOf(`| ${header} |`, page.indexOf(heading))
  expect(start, `${heading}: ${header}`).toBeGreaterThan(0)
  const lines = page.slice(start).split('\n')
  const rows = lines.slice(
    2,
    lines.findIndex(line => !line.startsWith('|')),
  )
  return rows.map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim().replaceAll('`', '')),
  )
}

const fieldsOf = (heading: string): Record<string, [number, number]> =>
  Object.fromEntries(
    tableAfter(heading, 'field | offset').map(([name, offset, size]) => [name, [Number(offset), Number(size)]]),
  )
const tagsOf = (heading: string): Record<string, string> =>
  Object.fromEntries(tableAfter(heading, 'name | tag').map(([name, tag]) => [name, tag]))

describe('docs/formats/segment.md', () => {
  it('has the fields of header and table of contents', () => {
    expect(fieldsOf('### Header')).toEqual(HEADER_FIELDS)
    expect(fieldsOf('### Entry of the table of contents')).toEqual(TOC_FIELDS)
    const fields = Object.values(TOC_FIELDS)
    expect(fields.reduce((sum, [, size]) => sum + size, 0)).toBe(TOC_ENTRY_SIZE)
    const magic = tableAfter('### Header', 'field | offset')[0][3]
    expect(
      magic.startsWith(
        Buffer.from(SEGMENT_MAGIC)
          .toString('hex')
          .replace(/..(?=.)/g, '$& '),
      ),
    ).toBe(true)
  })

  it('has every section and no other', () => {
    expect(tagsOf('### Of the whole segment')).toEqual({ keyRules: KEY_RULES_TAG, ...TREE_SECTIONS, ...FILE_SECTIONS })
    expect(tagsOf('### Of the directories alone')).toEqual(ACCESS_SECTIONS)
    expect(tagsOf('### Of each table')).toEqual(TABLE_SECTIONS)
    expect(Object.fromEntries(tableAfter('Time columns have', 'column | letter'))).toEqual(TIME_LETTERS)

    const random = new Random(1)
    const link = fileRow(1, 'a', { ...randomMetadata(random), kind: Kind.symlink })
    const rows = [directoryRow(1, 0, 'root', randomMetadata(random)), link]
    for (let i = 0; i < 20; i++) rows.push(fileRow(1, `f${i}`, randomMetadata(random)))
    for (let i = 2; i < 20; i++) rows.push(directoryRow(i, 1, `d${i}`, randomMetadata(random)))
    const sink = new MemorySink()
    buildSegment(columnsOf(rows, ALL_COLUMNS), sink)
    const written = [...new SegmentReader('all.seg', sink.bytes()).frame.sections.keys()]
    const times = Object.values(TIME_LETTERS).flatMap(letter => ['SC', 'EX', 'TK'].map(part => letter + part))
    const perTable = [...Object.values(TABLE_SECTIONS), ...times].flatMap(tag => [`d${tag}`, `f${tag}`])
    const known = [
      ...Object.values(ACCESS_SECTIONS),
      KEY_RULES_TAG,
      ...Object.values(TREE_SECTIONS),
      ...Object.values(FILE_SECTIONS),
      ...perTable,
    ]
    // Directories have no kind of their own.
    expect(written.toSorted()).toEqual(known.filter(tag => tag !== 'dKND').toSorted())

    const plain = new MemorySink()
    buildSegment(columnsOf([rows[0], fileRow(1, 'b', randomMetadata(random))], ALL_COLUMNS), plain)
    expect([...new SegmentReader('plain.seg', plain.bytes()).frame.sections.keys()]).not.toContain('fKND')
  })

  it('has the numbers of the code', () => {
    const grouped = (value: number): string => value.toLocaleString('en')
    const numbers = [
      `pages? of ${PAGE_SIZE} bytes`,
      `at least ${SECTION_PADDING} zero bytes`,
      `at most ${grouped(MAX_SEGMENT_BYTES)} bytes`,
      `a block is ${BLOCK_NAMES} names`,
      `up to ${BLOCK_NAMES} names of the dictionary`,
      `in groups of ${GROUP_ENTRIES}`,
      `${SIZE_CODE_BYTES} bytes of length codes`,
      `in ${SIZE_CODE_LENGTHS[0]}, ${SIZE_CODE_LENGTHS[1]}, ${SIZE_CODE_LENGTHS[2]} or ${SIZE_CODE_LENGTHS[3]} bytes`,
      `${grouped(TIME_EXCEPTION)} stands for`,
      `${TIME_EXCEPTION_BYTES} bytes each`,
      `words of ${MIN_WORD_BYTES} bytes to ${MAX_WORD_CHARACTERS} characters`,
      `; ${COUNT_OVERFLOW}: see the overflow`,
      `with ${COUNT_OVERFLOW} rows or more`,
      `at most ${MAX_SHARED_BYTES} `,
      `Names are at most ${MAX_NAME_BYTES} bytes, keys at most ${grouped(MAX_KEY_BYTES)}`,
      `more than ${grouped(HEAVY_BLOCKS)} blocks`,
      `two bytes with bit ${Math.log2(BIGRAM_BIT)} set; one byte with bit ${Math.log2(UNIGRAM_BIT)} set`,
      `# Segment file, version ${SEGMENT_MAJOR}\\.${SEGMENT_MINOR}\n`,
      `\\| ${SEGMENT_MAJOR}\\.${SEGMENT_MINOR} \\|`,
    ]
    for (const number of numbers) expect(page).toMatch(new RegExp(number))
    expect(MAX_SIZE).toBe(2 ** 53 - 2)
  })
})
