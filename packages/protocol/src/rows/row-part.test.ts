import { InvalidInputError } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { belongsTo, belongsTogether, formatCursor, isEpoch, newEpoch, parseCursor } from './cursor.js'
import { keyJson, rowJson, timeJson, valueJson } from './row-json.js'
import { decodeChanges, encodeChanges, groupsOf, MAX_CHANGE_BYTES, PartBuilder, selectGroups } from './row-part.js'
import type { DeliveredChange, DeliveredValue } from './row-values.js'

const value: fc.Arbitrary<DeliveredValue> = fc.oneof(
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-129n, -128n, 127n, 128n, 2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n), -(2n ** 31n) - 1n, 2n ** 53n),
  fc.double(),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  fc.uint8Array({ maxLength: 10 }),
  fc.uint8Array({ maxLength: 10 }).map(invalidText => ({ invalidText })),
  fc.record({ omitted: fc.constantFrom('text' as const, 'blob' as const), bytes: fc.maxSafeNat() }),
)
const values = fc.array(value, { maxLength: 5 })
const key = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), values)
const table = fc.constantFrom('a', 'b', 'ü "')
const change: fc.Arbitrary<DeliveredChange> = fc.oneof(
  fc.record({ table, operation: fc.constant('insert' as const), key, new: values }),
  fc.record({ table, operation: fc.constant('update' as const), key, old: values, new: values }),
  fc.record({ table, operation: fc.constant('delete' as const), key, old: values }),
)
const changes = fc.array(change, { maxLength: 20 })

describe('changes as bytes', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(changes, all => {
        expect(decodeChanges(encodeChanges(all))).toEqual(all)
      }),
    )
  })

  it('are taken by their tables as if they had been decoded', () => {
    fc.assert(
      fc.property(changes, fc.subarray(['a', 'b', 'ü "']), (all, wanted) => {
        const part = encodeChanges(all)
        const isWanted = (name: string) => wanted.includes(name)
        expect(decodeChanges(selectGroups(part, isWanted))).toEqual(all.filter(one => isWanted(one.table)))
        expect(groupsOf(part).reduce((sum, { count }) => sum + count, 0)).toBe(all.length)
      }),
    )
  })

  it('are refused where they are cut, and otherwise never fail in another way', () => {
    const all: DeliveredChange[] = [
      { table: 'a', operation: 'update', key: 1n, old: [1n, 'x', null], new: [2.5, Uint8Array.of(1), 2n ** 60n] },
      { table: 'b', operation: 'delete', key: ['k', 3n], old: ['k', 3n] },
    ]
    const part = encodeChanges(all)
    const ends = groupsOf(part).map(({ to }) => to)
    for (let length = 1; length < part.length; length++) {
      const cut = part.subarray(0, length)
      if (ends.includes(length)) expect(decodeChanges(cut)).toEqual(all.slice(0, 1))
      else expect(() => decodeChanges(cut)).toThrow(InvalidInputError)
    }
    fc.assert(
      fc.property(fc.nat({ max: part.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const other = part.slice()
        other[at] = byte
        for (const read of [decodeChanges, groupsOf]) {
          try {
            read(other)
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidInputError)
          }
        }
      }),
    )
    // A count that nothing stands behind takes no memory.
    const many = encodeChanges(all.slice(1)).slice()
    new DataView(many.buffer).setUint32(4 + 4 + 1, 0xffffffff, true)
    expect(() => decodeChanges(many)).toThrow('a number that fits what follows')
  })

  it('leave out the longest values of a change that is too long, and say how long they were', () => {
    const long = new Uint8Array(MAX_CHANGE_BYTES - 100)
    const text = 'é'.repeat(10)
    const all: DeliveredChange[] = [
      { table: 'a', operation: 'update', key: 1n, old: [long, text], new: [long, 5n] },
      { table: 'a', operation: 'insert', key: 2n, new: ['x'.repeat(MAX_CHANGE_BYTES)] },
    ]
    expect(decodeChanges(encodeChanges(all))).toMatchObject([
      { key: 1n, old: [{ omitted: 'blob', bytes: long.length }, text], new: [{ byteLength: long.length }, 5n] },
      { key: 2n, new: [{ omitted: 'text', bytes: MAX_CHANGE_BYTES }] },
    ])
  })

  it('refuse what UTF-8 cannot say, and bring no text that is none', () => {
    expect(() => encodeChanges([{ table: 'a', operation: 'insert', key: 1n, new: ['\ud800'] }])).toThrow(
      'text without lone surrogates',
    )
    const part = encodeChanges([{ table: 'a', operation: 'insert', key: 1n, new: ['xyz'] }]).slice()
    part[part.length - 1] = 0xff
    expect(() => decodeChanges(part)).toThrow('expected UTF-8')
  })

  it('are gathered until a part is full', () => {
    const builder = new PartBuilder()
    let count = 0
    while (!builder.isFull) {
      builder.add({ table: count % 2 ? 'a' : 'b', operation: 'insert', key: BigInt(count), new: ['x'.repeat(1_000)] })
      count++
    }
    expect(count).toBeGreaterThan(240)
    expect(decodeChanges(builder.take())).toHaveLength(count)
    expect(builder.bytes).toBe(0)
    expect(builder.take()).toHaveLength(0)
  })
})

describe('cursors', () => {
  it('come back, and belong to their database', () => {
    const epoch = newEpoch('/home/ann/chat.db')
    expect(isEpoch(epoch)).toBe(true)
    expect(newEpoch('/home/ann/chat.db')).not.toBe(epoch)
    const cursor = parseCursor(formatCursor({ epoch, sequence: 12 }))
    expect(cursor).toEqual({ epoch, sequence: 12 })
    expect([belongsTo(cursor, '/home/ann/chat.db'), belongsTo(cursor, '/home/ann/mail.db')]).toEqual([true, false])
    expect(belongsTogether(cursor, { epoch: newEpoch('/home/ann/chat.db'), sequence: 0 })).toBe(true)
  })

  it.each([
    '',
    '1',
    `${'a'.repeat(24)}`,
    `${'a'.repeat(24)}.01`,
    `${'A'.repeat(24)}.1`,
    `${'a'.repeat(24)}.9007199254740993`,
  ])('are refused: %s', text => expect(() => parseCursor(text)).toThrow(InvalidInputError))
})

describe('values as JSON', () => {
  it('keep integers and reals apart, and are JSON', () => {
    fc.assert(
      fc.property(value, one => {
        const found: unknown = JSON.parse(valueJson(one))
        if (typeof one === 'bigint')
          expect(BigInt(typeof found === 'number' ? found : (found as { integer: string }).integer)).toBe(one)
        if (typeof one === 'number') {
          expect(typeof found === 'number' ? found : Number((found as { real: string }).real)).toBe(one)
          expect(valueJson(one)).not.toMatch(/^-?\d+$/)
        }
        if (typeof one === 'string' || one === null) expect(found).toBe(one)
      }),
    )
    expect([1, -0, 1e21, 1e-7, 0.1, 1n].map(valueJson)).toEqual(['1.0', '-0.0', '1e+21', '1e-7', '0.1', '1'])
  })

  it('stand by the names of their columns', () => {
    expect(rowJson(['a', '"'], [1n, 'x', null])).toBe('{"a":1,"\\"":"x","column 3":null}')
    expect(keyJson(['x', 1n], { name: 't', columns: ['v', 'k', 'l'], primaryKey: ['k', 'l'] })).toBe('{"k":"x","l":1}')
    expect([timeJson(0), timeJson(1e300)]).toEqual(['"1970-01-01T00:00:00.000Z"', 'null'])
  })
})
