import { describe, expect, it } from 'vitest'
import { sameColumns, sameKeys } from './table-difference.js'
import { type TableInfo, tableShape } from './table-shape.js'

const column = (cid: number, name: string, type = 'INT', primaryKey = 0, defaultExpression: string | null = null) => ({
  ...{ cid, name, type, primaryKey, defaultExpression, hidden: 0 },
})
const shape = (columns: TableInfo['columns'], primaryKeyIndex: readonly number[] | null = null) =>
  tableShape({ name: 't', rootPage: 2, withoutRowid: primaryKeyIndex !== null, columns, primaryKeyIndex })

describe('sameColumns', () => {
  const own = shape([column(0, 'a'), column(1, 'b')])

  it('holds for the same columns wherever the table is', () =>
    expect(sameColumns(own, { ...shape([column(0, 'a'), column(1, 'b')]), rootPage: 9 })).toBe(true))

  it.each([
    ['name', [column(0, 'a'), column(1, 'c')]],
    ['number', [column(0, 'a')]],
    ['affinity', [column(0, 'a'), column(1, 'b', 'REAL')]],
    ['default', [column(0, 'a'), column(1, 'b', 'INT', 0, '5')]],
    ['rowid', [column(0, 'a', 'INTEGER', 1), column(1, 'b')]],
  ] as const)('does not hold for another %s', (_, columns) => expect(sameColumns(own, shape(columns))).toBe(false))

  it('does not hold for another order in the records', () => {
    const columns = [column(0, 'a', 'INT', 1), column(1, 'b', 'INT', 2)]
    expect(sameColumns(shape(columns, [0, 1]), shape(columns, [1, 0]))).toBe(false)
  })
})

describe('sameKeys', () => {
  const columns = [column(0, 'a', 'INT', 1), column(1, 'b', 'INT', 2)]

  it('holds for keys of the same columns in the same order, whatever the others are', () => {
    expect(sameKeys(shape(columns, [0, 1]), shape([...columns, column(2, 'c')], [0, 1, 2]))).toBe(true)
    expect(sameKeys(shape([column(0, 'a')]), shape([column(0, 'b')]))).toBe(true)
  })

  it('does not hold for other columns, another order, or rowids', () => {
    const turned = [column(0, 'a', 'INT', 2), column(1, 'b', 'INT', 1)]
    expect(sameKeys(shape(columns, [0, 1]), shape(turned, [1, 0]))).toBe(false)
    expect(sameKeys(shape(columns, [0, 1]), shape([column(0, 'a', 'INT', 1), column(1, 'c', 'INT', 2)], [0, 1]))).toBe(
      false,
    )
    expect(sameKeys(shape(columns, [0, 1]), shape(columns))).toBe(false)
  })
})
