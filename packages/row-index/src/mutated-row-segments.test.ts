import {
  MUTATED_INPUTS,
  MUTATION_TIMEOUT_MS,
  mutatedFile,
  type Random,
  repairChecksums,
  tryMutations,
  unlessRefused,
} from '@hotpath/index-format/testing'
import { encodeRowKey } from '@hotpath/model'
import { parseQuery, type Query } from '@hotpath/query'
import { describe, expect, it } from 'vitest'
import { rowText } from './indexed-row.js'
import { RowIndex } from './row-index.js'
import { RowSegment } from './row-segment.js'
import { rowSegmentBytes } from './row-segment-writer.js'
import { SegmentRows } from './segment-rows.js'

const PAGE_SIZE = 4096
const INPUTS = Math.ceil(MUTATED_INPUTS / 4)
const QUERIES = ['word', 'Größe', 'case:Word', 'row 7', 'regex:w.rd', 'table:a', '!word'].map(
  text => parseQuery(text, { now: 0, rows: true }) as Query,
)

function goodSegment(): Uint8Array {
  const texts = ['a word', 'Größe ist alles', 'Word and WORD', 'nothing']
  const rows = ['a', 'b'].flatMap(table =>
    Array.from({ length: 150 }, (_, i) => ({
      table,
      key: encodeRowKey(BigInt(i)),
      text: rowText([`${texts[i % 4]} row ${i}`])!,
    })),
  )
  return rowSegmentBytes(rows)
}

function answers(bytes: Uint8Array): string {
  const index = new RowIndex('d', [new SegmentRows(new RowSegment('mutated', bytes))])
  const pages = QUERIES.map(({ rows }) => index.search(rows!, { offset: 0, limit: 20 }, () => {}))
  return JSON.stringify(pages.map(({ total, hits }) => [total, hits.map(({ text }) => Buffer.from(text).toString())]))
}

describe('mutated segments of rows', () => {
  const good = goodSegment()
  const expected = answers(good)

  it(`are refused or right, ${INPUTS} of them`, { timeout: MUTATION_TIMEOUT_MS }, () => {
    let refused = 0
    tryMutations({ maxMebibytes: 256, inputs: INPUTS }, (random: Random, note) => {
      const { bytes, changes } = mutatedFile(random, { bytes: good, unit: PAGE_SIZE })
      note(changes.join(', '))
      const found = unlessRefused(() => answers(bytes))
      if (found === undefined) refused++
      else expect(found).toBe(expected)
    })
    expect(refused).toBeGreaterThan(INPUTS / 4)
  })

  it('do no harm where checksums are right', { timeout: MUTATION_TIMEOUT_MS }, () => {
    let answered = 0
    tryMutations({ maxMebibytes: 256, inputs: INPUTS }, (random: Random, note) => {
      const { bytes, changes } = mutatedFile(random, { bytes: good, unit: PAGE_SIZE, resizing: 0.02 })
      note(`${changes.join(', ')}, checksums repaired`)
      if (bytes.length >= PAGE_SIZE) repairChecksums(bytes, good)
      if (unlessRefused(() => answers(bytes)) !== undefined) answered++
    })
    expect(answered).toBeGreaterThan(0)
  })
})
