import { Kind, TIME_COLUMNS } from '@hotpath/model'
import { entryColumns } from '@hotpath/testing'
import { expect, it } from 'vitest'
import { TreeColumns } from './tree-columns.js'

const rows = entryColumns(
  Array.from({ length: 500 }, (_, i) => ({
    parent: 1,
    directory: 0,
    kind: Kind.file,
    name: `file ${i}`,
    row: { size: i, modified: { seconds: 1_600_000_000 + i, ticks: 0 } },
  })),
)

it('gives each row a node of its own and three times with ticks, the same for the same seed', () => {
  const columns = new TreeColumns(1)
  const [first, second] = [columns.of(rows), columns.of(rows)]
  expect(new TreeColumns(1).of(rows)).toEqual(first)
  const inodes = [...first.ref!.low, ...second.ref!.low]
  expect(new Set(inodes).size).toBe(1_000)
  expect(inodes).toEqual([...inodes].sort((a, b) => a - b))
  expect(TIME_COLUMNS.filter(name => first[name])).toEqual(['modified', 'changed', 'created'])
  expect(first.modified!.seconds).toEqual(rows.modified!.seconds)
  for (let i = 0; i < 500; i++) {
    const at = (name: 'changed' | 'created'): number => first[name]!.seconds[i]! * 1e7 + first[name]!.ticks[i]!
    expect(at('changed')).toBeGreaterThanOrEqual(at('created'))
  }
  expect(new Set(first.modified!.ticks).size).toBeGreaterThan(490)
})
