import { Kind } from '@hotpath/model'
import { expect, it } from 'vitest'
import { MemorySink } from './memory-sink.js'
import { SECTION_GROUPS, sectionName } from './section-names.js'
import { buildSegment } from './segment-builder.js'
import { SegmentReader } from './segment-reader.js'
import { ALL_COLUMNS, columnsOf, directoryRow, fileRow } from './testing/model-rows.js'
import { Random, randomMetadata } from './testing/random-rows.js'

it('names every section that is written, each differently, in the groups that there are', () => {
  const random = new Random(1)
  const rows = [
    directoryRow(1, 0, 'root', randomMetadata(random)),
    fileRow(1, 'link', { ...randomMetadata(random), kind: Kind.symlink }),
  ]
  for (let i = 0; i < 20; i++) rows.push(fileRow(1, `f${i}`, randomMetadata(random)))
  for (let i = 2; i < 20; i++) rows.push(directoryRow(i, 1, `d${i}`, randomMetadata(random)))
  const sink = new MemorySink()
  buildSegment(columnsOf(rows, ALL_COLUMNS), sink)
  const tags = [...new SegmentReader('all.seg', sink.bytes()).frame.sections.keys()]
  const named = tags.map(sectionName)
  expect(tags.length).toBeGreaterThan(70)
  expect(new Set(named.map(({ name }) => name)).size).toBe(tags.length)
  expect(tags.filter((tag, at) => named[at].name === tag || named[at].group === 'other')).toEqual([])
  expect(new Set(named.map(({ group }) => group))).toEqual(new Set(SECTION_GROUPS.filter(group => group !== 'other')))
})

it('says of which table a section is, and calls one of a newer version by its tag', () => {
  expect(sectionName('fPST')).toEqual({ name: 'postings of grams (files)', group: 'finding names' })
  expect(sectionName('dMTK')).toEqual({ name: 'modification times, parts of a second (folders)', group: 'times' })
  expect(sectionName('dUSR')).toEqual({ name: 'owners of folders', group: 'permissions' })
  expect(sectionName('fNEU')).toEqual({ name: 'fNEU', group: 'other' })
})
