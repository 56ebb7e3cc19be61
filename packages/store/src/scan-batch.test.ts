import { type EntryColumns, Kind } from '@hotpath/model'
import { entryColumns } from '@hotpath/testing'
import { describe, expect, it } from 'vitest'
import { checkEntries } from './scan-batch.js'

const MODIFIED = { seconds: 1, ticks: 2 }
const ROW = { kind: Kind.file, size: 1, modified: MODIFIED, ref: { low: 1, high: 2, birth: 3 }, attributes: 4 }
const GOOD = entryColumns(['one', 'two'].map(name => ({ parent: 1, directory: 0, kind: Kind.file, name, row: ROW })))

describe('a batch of rows', () => {
  it('is taken if its columns agree', () => {
    checkEntries(GOOD)
    checkEntries(entryColumns([]))
  })

  const short = (what: keyof EntryColumns): [string, EntryColumns] => {
    const column = GOOD[what] as Uint32Array
    return [`a short column of ${what}`, { ...GOOD, [what]: column.subarray(0, column.length - 1) }]
  }
  it.each<[string, EntryColumns]>([
    ...(['parent', 'directory', 'kind', 'size', 'nameOffsets', 'names'] as const).map(short),
    ['short times', { ...GOOD, modified: { seconds: new Float64Array(1), ticks: new Uint32Array(2) } }],
    ['short ticks', { ...GOOD, modified: { seconds: new Float64Array(2), ticks: new Uint32Array(1) } }],
    ['short refs', { ...GOOD, ref: { ...GOOD.ref!, birth: new Uint32Array(1) } }],
    ['names that do not begin at 0', { ...GOOD, nameOffsets: Uint32Array.of(1, 3, 6) }],
    ['names that go back', { ...GOOD, nameOffsets: Uint32Array.of(0, 7, 6) }],
    ['an unknown kind', { ...GOOD, kind: Uint8Array.of(0, 9) }],
    ['an unknown bit of a kind', { ...GOOD, kind: Uint8Array.of(0, 0x20) }],
  ])('is refused with %s', (_, entries) => {
    expect(() => checkEntries(entries)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
  })
})
