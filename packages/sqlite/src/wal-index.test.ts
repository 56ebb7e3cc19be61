import { describe, expect, it } from 'vitest'
import { addChecksum, NO_CHECKSUM } from './wal-checksum.js'
import { parseWalIndex } from './wal-index.js'

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** The start of a `-shm`, field by field as the format's description has them. */
function index(change?: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(136)
  const view = new DataView(bytes.buffer)
  const put = (at: number, value: number): void => view.setUint32(at, value, LITTLE_ENDIAN)
  put(0, 3_007_000)
  put(8, 77)
  bytes[12] = 1
  view.setUint16(14, 4096, LITTLE_ENDIAN)
  put(16, 12)
  put(20, 34)
  put(24, 0xaaaaaaaa)
  put(28, 0xbbbbbbbb)
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8], 32)
  change?.(view)
  const { first, second } = addChecksum(NO_CHECKSUM, bytes, 0, 40, !LITTLE_ENDIAN)
  put(40, first)
  put(44, second)
  bytes.copyWithin(48, 0, 48)
  put(96, 10)
  for (let mark = 0; mark < 5; mark++) put(100 + 4 * mark, mark === 1 ? 12 : mark === 0 ? 0 : 0xffffffff)
  put(128, 11)
  return bytes
}

const parse = (bytes: Uint8Array) => parseWalIndex({ file: 'x.db-shm', bytes, offset: 0 })

describe('parseWalIndex', () => {
  it('reads every field', () => {
    expect(parse(index())).toEqual({
      header: {
        changeCounter: 77,
        bigEndianChecksums: false,
        pageSize: 4096,
        mxFrame: 12,
        pageCount: 34,
        frameChecksum: { first: 0xaaaaaaaa, second: 0xbbbbbbbb },
        salt1: 0x01020304,
        salt2: 0x05060708,
      },
      checkpoint: { backfilled: 10, backfillAttempted: 11, readMarks: [0, 12, 0xffffffff, 0xffffffff, 0xffffffff] },
    })
    expect(parse(index(view => view.setUint16(14, 1, LITTLE_ENDIAN)))!.header.pageSize).toBe(65_536)
    expect(parse(index(view => view.setUint8(13, 1)))!.header.bigEndianChecksums).toBe(true)
  })

  it('asks to be called again while the two copies differ in any byte', () => {
    for (let at = 0; at < 96; at++) {
      const bytes = index()
      bytes[at]! ^= 1
      expect(parse(bytes)).toBeUndefined()
    }
  })

  it('has none before it was written', () => {
    expect(parse(new Uint8Array(136))).toBeUndefined()
    expect(parse(index(view => view.setUint8(12, 0)))).toBeUndefined()
  })

  it('refuses equal copies that cannot be', () => {
    expect(() => parse(index(view => view.setUint32(0, 3_007_001, LITTLE_ENDIAN)))).toThrow(
      'expected the version 3007000',
    )
    expect(() => parse(index(view => view.setUint16(14, 1000, LITTLE_ENDIAN)))).toThrow('at byte 14')
    const bytes = index()
    for (const at of [16, 64]) bytes[at]! ^= 1
    expect(() => parse(bytes)).toThrow('at byte 40')
    expect(() => parse(bytes.subarray(0, 135))).toThrow('found 135')
  })
})
