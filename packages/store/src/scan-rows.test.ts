import { KIND_STUB, Kind } from '@hotpath/model'
import { entryColumns, type PlainEntry } from '@hotpath/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { ScanDirectories } from './scan-directories.js'
import { ScanFindings } from './scan-findings.js'
import { type ClosedSlice, ScanRows } from './scan-rows.js'

const ROOT = directory(1, 0, 'r')

function directory(number: number, parent: number, name: string): PlainEntry {
  return { parent, directory: number, kind: Kind.directory, name }
}

function file(parent: number, name: string, size = 1): PlainEntry {
  return { parent, directory: 0, kind: Kind.file, name, row: { size } }
}

describe('rows of a scan', () => {
  let closed: ClosedSlice[]
  let findings: ScanFindings
  let rows: ScanRows

  beforeEach(() => {
    closed = []
    findings = new ScanFindings()
    const limits = { firstSliceRows: 2, leastSliceRows: 3, sliceRows: 3 }
    rows = new ScanRows(new ScanDirectories(), findings, limits, () => closed.push(rows.close(undefined, false)))
  })

  const slices = (): string[] =>
    [...closed, rows.close(undefined, true)].map(slice => {
      const { count, parent, directory, kind, nameOffsets, names } = slice.rows
      return Array.from({ length: count }, (_, i) => {
        const name = Buffer.from(names.subarray(nameOffsets[i], nameOffsets[i + 1])).toString()
        const mark = (kind[i]! & KIND_STUB) !== 0 ? '?' : ''
        return `${parent[i]}/${name}${mark}${directory[i] === 0 ? '' : `=${directory[i]}`}`
      }).join(' ')
    })

  it('fill slices that each have a row of every ancestor', () => {
    rows.add(entryColumns([ROOT, directory(2, 1, 'a'), directory(3, 2, 'b'), file(3, 'f'), file(3, 'g')]))
    expect(slices()).toEqual(['0/r=1 1/a=2', '2/b=3 3/f 3/g 1/a?=2 0/r?=1', ''])
    expect(findings.entries).toBe(5)
    expect(rows.rootId).toBe(1)
  })

  it('of one name in one slice count once', () => {
    rows.add(entryColumns([ROOT, file(1, 'x', 1)]))
    rows.add(entryColumns([file(1, 'f', 1), file(1, 'f', 2)]))
    const [, slice] = [...closed, rows.close(undefined, true)]
    expect([...slice!.rows.size.subarray(0, 1)]).toEqual([2])
    expect([findings.entries, findings.skippedRows]).toEqual([3, 1])
  })

  it('of one name in two slices are suspects of the later one', () => {
    rows.add(entryColumns([ROOT, file(1, 'f')]))
    rows.add(entryColumns([file(1, 'f'), file(1, 'g')]))
    const name = new Uint8Array(Buffer.from('f'))
    expect(closed[0]!.suspects).toEqual([])
    expect(closed[1]!.suspects).toEqual([{ parent: 1, name, directory: 0, firstSlice: 1 }])
  })

  it.each([
    ['without a row of their parent', [ROOT, file(9, 'f')]],
    ['of a second root', [ROOT, directory(2, 0, 's')]],
    ['of a directory in two places', [ROOT, directory(2, 1, 'a'), directory(2, 1, 'b')]],
    ['of files without a parent', [file(0, 'f')]],
    ['without a name', [ROOT, file(1, '')]],
  ])('%s are refused', (_, list) => {
    expect(() => rows.add(entryColumns(list))).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
  })
})
