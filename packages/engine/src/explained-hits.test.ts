import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { MappedSegmentOpener } from './segment-opener.js'
import { engineOver, flatColumns, namesOf, writeSegment } from './testing/flat-segment.js'

const folder = mkdtempSync(join(tmpdir(), 'hotpath-explained-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('says of exact and of fuzzy hits how they rank, and only where that was asked for', () => {
  const file = join(folder, 'explained.seg')
  writeSegment(flatColumns(['a-main', 'main.go', 'mian', 'other'].map(name => Buffer.from(name))), file)
  const engine = engineOver(file, new MappedSegmentOpener())
  const sort = { column: 'hot', descending: false } as const
  const asked = { text: 'main', sort, limit: 10, offset: 0, match: 'name', fuzzy: true, nowMs: 0 } as const
  const found = engine.search({ ...asked, explain: true })
  const plain = engine.search(asked)
  if ('kind' in found || 'kind' in plain) throw new Error('this is a query')
  expect(namesOf(found.hits)).toEqual(['main.go', 'a-main', 'mian'])
  expect(found.hits.map(({ rank }) => [rank?.place, rank?.nearness, rank?.allTerms, rank?.characters])).toEqual([
    ['whole', 0, true, 7],
    ['part', 0, true, 6],
    ['inside', 1, true, 4],
  ])
  expect(plain.hits.map(({ rank }) => rank)).toEqual([undefined, undefined, undefined])
  engine.close()
})
