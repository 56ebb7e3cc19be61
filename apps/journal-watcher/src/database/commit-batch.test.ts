import type { RowChange } from '@hotpath/model'
import { expect, it } from 'vitest'
import { CommitBatch, valueBytes } from './commit-batch.js'
import { PageOverlay } from './page-overlay.js'

const PAGE_SIZE = 512
const END = { file: '1:2', tables: '[]', pageCount: 1, log: null }
const TRANSACTION = { committed: 0, method: 'pages', merged: false, tables: [] } as const

function update(bytes: number): RowChange {
  const row = ['x'.repeat(bytes), null, 7n]
  return { table: 't', operation: 'update', key: 1n, old: row, new: row }
}

function added(count: number, changes: readonly RowChange[]): CommitBatch {
  const batch = new CommitBatch('/nowhere')
  for (let i = 0; i < count; i++) {
    const pages = new PageOverlay(PAGE_SIZE, '/nowhere', Number.POSITIVE_INFINITY)
    pages.set(1, new Uint8Array(PAGE_SIZE).fill(i))
    batch.add(TRANSACTION, changes, pages, END)
  }
  return batch
}

it('is full by transactions, and by the values of rows, whatever their pages', () => {
  expect([added(63, [update(10)]).isFull, added(64, [update(10)]).isFull]).toEqual([false, true])
  expect([added(1, [update(400_000)]).isFull, added(2, [update(400_000)]).isFull]).toEqual([false, true])
  const batch = added(2, [update(400_000)])
  expect([batch.transactions.length, batch.pages?.get(1)?.[0]]).toEqual([2, 1])
  batch.clear()
  expect([batch.isFull, batch.transactions.length, batch.end]).toEqual([false, 0, undefined])
})

it('counts what values take, about', () => {
  expect(valueBytes(update(100))).toBe(2 * (100 + 8 + 8))
  expect(valueBytes({ table: 't', operation: 'insert', key: 1n, new: [new Uint8Array(5)] })).toBe(5)
})
