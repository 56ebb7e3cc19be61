import { timeTag } from '@hotpath/index-format'
import { expect, it } from 'vitest'
import { bytesByPurpose, purposeOf } from './disk-rows.js'

it('tells names and tree from size, time and further columns', () => {
  for (const tag of ['fNAM', 'dPST', 'DEND', 'fKND', 'KEYR']) expect(purposeOf(tag), tag).toBe('names and tree')
  for (const tag of ['fSIZ', 'fBIG', 'dNEW', timeTag('f', 'modified', 'SC')]) {
    expect(purposeOf(tag), tag).toBe('size and time')
  }
  for (const tag of ['fATR', 'dRLO', 'REFP', timeTag('d', 'accessed', 'EX')]) {
    expect(purposeOf(tag), tag).toBe('other columns')
  }
})

it('adds up the sections of all segments', () => {
  const segment = (sizeBytes: number, sections: { tag: string; sizeBytes: number }[]) => ({
    root: 'r',
    segment: 1,
    file: 'f',
    origin: 'scan' as const,
    sizeBytes,
    directories: 1,
    files: 1,
    stubs: 0,
    dead: 0,
    sections,
  })
  const sizes = [
    segment(100, [
      { tag: 'fNAM', sizeBytes: 10 },
      { tag: 'fSIZ', sizeBytes: 20 },
    ]),
    segment(50, [{ tag: 'fNAM', sizeBytes: 5 }]),
  ]
  expect(bytesByPurpose(sizes)).toEqual({ 'names and tree': 15, 'size and time': 20, 'other columns': 0, all: 150 })
})
