import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { decodeRecord, recordKey } from './record.js'

const record = (hex: string) => ({ file: 'x.db', bytes: Buffer.from(hex.replaceAll(' ', ''), 'hex'), offset: 1000 })
const values = (hex: string, encoding: 'utf-8' | 'utf-16le' | 'utf-16be' = 'utf-8', limit?: number) =>
  decodeRecord(record(hex), encoding, limit)

describe('decodeRecord', () => {
  it('reads every serial type', () => {
    expect(values('0a 00 01 02 03 04 05 06 08 09 ff 8000 7fffff 80000000 800000000000 8000000000000000')).toEqual([
      null,
      -1n,
      -32768n,
      8388607n,
      -2147483648n,
      -(2n ** 47n),
      -(2n ** 63n),
      0n,
      1n,
    ])
    expect(values('04 07 10 13 bff8000000000000 cafe 414243')).toEqual([-1.5, new Uint8Array([0xca, 0xfe]), 'ABC'])
    expect(values('03 0c 0d')).toEqual([new Uint8Array(0), ''])
    expect(values('02 05 7fffffffffff')).toEqual([2n ** 47n - 1n])
  })

  it('keeps negative zero', () => expect(Object.is(values('02 07 8000000000000000')[0], -0)).toBe(true))

  it('reads text in each encoding', () => {
    expect(values('02 1b 61c3a9f09f9880')).toEqual(['aé😀'])
    expect(values('02 1d 6100e9003dd800de', 'utf-16le')).toEqual(['aé😀'])
    expect(values('02 1d 006100e9d83dde00', 'utf-16be')).toEqual(['aé😀'])
  })

  it('keeps the bytes of text that is not valid', () => {
    expect(values('02 11 61ff')).toEqual([{ invalidText: new Uint8Array([0x61, 0xff]) }])
    expect(values('02 11 00d8', 'utf-16le')).toEqual([{ invalidText: new Uint8Array([0, 0xd8]) }])
    expect(values('02 11 dc00', 'utf-16be')).toEqual([{ invalidText: new Uint8Array([0xdc, 0]) }])
    expect(values('02 13 610062', 'utf-16le')).toEqual([{ invalidText: new Uint8Array([0x61, 0, 0x62]) }])
    // Longer than what is read byte by byte, and a surrogate in UTF-8.
    expect(values(`02 4d ${'61'.repeat(29)}eda080`)).toEqual([
      { invalidText: new Uint8Array([...Array(29).fill(0x61), 0xed, 0xa0, 0x80]) },
    ])
  })

  it('stops at a limit, and gives fewer values where there are fewer', () => {
    expect(values('04 08 09 08', 'utf-8', 2)).toEqual([0n, 1n])
    expect(values('01')).toEqual([])
  })

  it.each([
    ['', 'the header of a record', 1000],
    ['05 08', 'a record header of 1 to 2 bytes', 1000],
    ['00', 'a record header of 1 to 1 bytes', 1000],
    ['02 0a', 'a serial type', 1001],
    ['02 0b', 'a serial type', 1001],
    ['02 81 00', 'a serial type within the header', 1001],
    ['02 06 00', 'a value that ends within the 3 bytes', 1001],
    ['0a ff ff ff ff ff ff ff ff ff', 'a value that ends within', 1001],
  ])('refuses %s', (hex, expected, offset) => {
    expect(() => values(hex)).toThrow(expected)
    try {
      values(hex)
    } catch (error) {
      expect(error).toBeInstanceOf(CorruptFileError)
      expect(error).toMatchObject({ file: 'x.db', offset })
    }
  })

  it('does not share its bytes with blobs', () => {
    const given = record('02 10 cafe')
    const [blob] = decodeRecord(given, 'utf-8')
    given.bytes.fill(0)
    expect(blob).toEqual(new Uint8Array([0xca, 0xfe]))
  })
})

describe('recordKey', () => {
  it('is the same for the same first values, whatever follows', () => {
    expect(recordKey(record('04 0f 01 00 61 05'), 2)).toBe(recordKey(record('04 0f 01 01 61 05 07'), 2))
    expect(recordKey(record('04 0f 01 00 61 05'), 2)).not.toBe(recordKey(record('04 0f 01 00 61 06'), 2))
    // The integer 0x61 is not the text "a".
    expect(recordKey(record('02 01 61'), 1)).not.toBe(recordKey(record('02 0f 61'), 1))
  })

  it('refuses a record without them', () => {
    expect(() => recordKey(record('02 08'), 2)).toThrow('the 2 values of a key')
    expect(() => recordKey(record('02 06 00'), 1)).toThrow('a value within the 3 bytes')
  })
})
