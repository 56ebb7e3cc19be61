import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RowKey, SqlValue } from './row-change.js'
import { decodeRowKey, encodeRowKey } from './row-key.js'

const rowid = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const value: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  rowid,
  fc.double(),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map(invalidText => ({ invalidText })),
)
const key: fc.Arbitrary<RowKey> = fc.oneof(rowid, fc.array(value, { maxLength: 5 }))

describe('keys of rows', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(key, row => {
        expect(decodeRowKey(encodeRowKey(row))).toEqual(row)
      }),
    )
  })

  it('are ordered as rowids are', () => {
    fc.assert(
      fc.property(rowid, rowid, (a, b) => {
        expect(Math.sign(Buffer.compare(encodeRowKey(a), encodeRowKey(b)))).toBe(a < b ? -1 : a > b ? 1 : 0)
      }),
    )
  })

  it('are different for different values of different kinds', () => {
    const keys = [[1n], [1], ['1'], [null], [Uint8Array.of(49)], [{ invalidText: Uint8Array.of(49) }], 1n, [1n, 1n], []]
    expect(new Set(keys.map(each => Buffer.from(encodeRowKey(each as RowKey)).toString('hex'))).size).toBe(keys.length)
  })

  it('are refused where they are cut or no key at all', () => {
    const whole = encodeRowKey(['text', 5n, 0.5])
    for (let length = 0; length < whole.length; length++) {
      const read = () => decodeRowKey(whole.subarray(0, length))
      // After a whole value there is a shorter key.
      if ([1, 10, 19].includes(length)) expect(read()).toHaveLength([1, 10, 19].indexOf(length))
      else expect(read, `${length} bytes`).toThrow('key of a row')
    }
    expect(() => decodeRowKey(Uint8Array.of(2, 9))).toThrow('a kind of value, 0 to 5')
    expect(() => decodeRowKey(Uint8Array.of(7))).toThrow('1 or 2')
  })
})
