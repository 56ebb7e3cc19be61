import { describe, expect, it } from 'vitest'
import { pageCountOf, parseDatabaseHeader } from './database-header.js'

/** The header of a database of 3 pages of 4,096 bytes, field by field as the format's description has them. */
function header(change?: (view: DataView) => void): { file: string; bytes: Uint8Array; offset: number } {
  const bytes = new Uint8Array(100)
  bytes.set(Buffer.from('SQLite format 3\0', 'latin1'))
  const view = new DataView(bytes.buffer)
  view.setUint16(16, 4096)
  bytes.set([2, 2, 80, 64, 32, 32], 18)
  for (const [at, value] of [
    [24, 7],
    [28, 3],
    [32, 2],
    [36, 1],
    [40, 9],
    [44, 4],
    [56, 1],
    [92, 7],
  ] as const)
    view.setUint32(at, value)
  change?.(view)
  return { file: 'x.db', bytes, offset: 0 }
}

describe('parseDatabaseHeader', () => {
  it('reads every field', () => {
    expect(parseDatabaseHeader(header())).toEqual({
      pageSize: 4096,
      reservedBytes: 80,
      usableSize: 4016,
      writeVersion: 2,
      readVersion: 2,
      changeCounter: 7,
      pageCount: 3,
      versionValidFor: 7,
      firstFreePage: 2,
      freePages: 1,
      schemaCookie: 9,
      schemaFormat: 4,
      encoding: 'utf-8',
      autoVacuum: 'none',
    })
  })

  it('knows pages of 65,536 bytes, encodings and vacuum modes', () => {
    expect(parseDatabaseHeader(header(view => view.setUint16(16, 1))).pageSize).toBe(65_536)
    expect(parseDatabaseHeader(header(view => view.setUint32(56, 2))).encoding).toBe('utf-16le')
    expect(parseDatabaseHeader(header(view => view.setUint32(56, 3))).encoding).toBe('utf-16be')
    expect(parseDatabaseHeader(header(view => view.setUint32(56, 0))).encoding).toBe('utf-8')
    expect(parseDatabaseHeader(header(view => view.setUint32(52, 3))).autoVacuum).toBe('full')
    const incremental = header(view => {
      view.setUint32(52, 3)
      view.setUint32(64, 1)
    })
    expect(parseDatabaseHeader(incremental).autoVacuum).toBe('incremental')
  })

  it.each([
    ['another magic', 0, (view: DataView) => view.setUint8(0, 0x73)],
    ['a page size that is no power of two', 16, (view: DataView) => view.setUint16(16, 1000)],
    ['a page size that is too small', 16, (view: DataView) => view.setUint16(16, 256)],
    [
      'more reserved than may be',
      20,
      (view: DataView) => {
        view.setUint16(16, 512)
        view.setUint8(20, 33)
      },
    ],
    ['other payload fractions', 21, (view: DataView) => view.setUint8(22, 33)],
    ['a schema format that is not known', 44, (view: DataView) => view.setUint32(44, 5)],
    ['an encoding that is not known', 56, (view: DataView) => view.setUint32(56, 4)],
  ])('refuses %s', (_, offset, change) => {
    expect(() => parseDatabaseHeader(header(change))).toThrow(`"x.db" at byte ${offset}:`)
  })

  it('refuses fewer bytes', () => {
    const { bytes } = header()
    for (let length = 0; length < 100; length++)
      expect(() => parseDatabaseHeader({ file: 'x.db', bytes: bytes.subarray(0, length), offset: 0 })).toThrow(
        `found ${length}`,
      )
  })
})

describe('pageCountOf', () => {
  it('believes the header where it is of the last change', () =>
    expect(pageCountOf(parseDatabaseHeader(header()), 5 * 4096)).toBe(3))

  it('believes the size of the file where an old SQLite wrote last, or none said', () => {
    const older = header(view => view.setUint32(92, 6))
    expect(pageCountOf(parseDatabaseHeader(older), 5 * 4096 + 1)).toBe(5)
    expect(pageCountOf(parseDatabaseHeader(header(view => view.setUint32(28, 0))), 5 * 4096)).toBe(5)
  })
})
