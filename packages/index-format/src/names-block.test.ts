import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MalformedBytesError } from './malformed-bytes-error.js'
import {
  type ByteStrings,
  decodeNamesBlock,
  encodeNamesBlock,
  KeysBlockCursor,
  MAX_KEY_BYTES,
  MAX_NAME_BYTES,
  maxNamesBlockBytes,
  nameAt,
  writeNamesBlock,
} from './names-block.js'

const utf8 = new TextEncoder()

function strings(items: readonly Uint8Array[]): ByteStrings {
  const offsets = new Uint32Array(items.length + 1)
  items.forEach((item, i) => {
    offsets[i + 1] = offsets[i] + item.length
  })
  const bytes = new Uint8Array(offsets[items.length])
  items.forEach((item, i) => {
    bytes.set(item, offsets[i])
  })
  return { bytes, offsets }
}

const identity = (count: number) => Uint32Array.from({ length: count }, (_, i) => i)
const lower = (name: Uint8Array) => name.map(byte => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte))

interface Decoded {
  name: number[]
  key: number[]
}

/** The names of a block; both cursors must agree about the keys, and about what is malformed. */
function decoded(block: Uint8Array, start = 0, end = block.length): Decoded[] {
  const all: Decoded[] = []
  const keys: number[][] = []
  const read = () =>
    decodeNamesBlock(block, start, end, c => {
      all.push({
        name: [...c.name.subarray(0, c.nameLength)],
        key: [...c.key.subarray(c.keyStart, c.keyStart + c.keyLength)],
      })
    })
  const readKeys = () => {
    const cursor = new KeysBlockCursor().open(block, start, end)
    while (cursor.next()) keys.push([...cursor.key.subarray(cursor.keyStart, cursor.keyEnd)])
  }
  const failure = thrownBy(read)
  expect(thrownBy(readKeys)).toEqual(failure)
  expect(keys).toEqual(all.map(({ key }) => key))
  if (failure) throw failure
  return all
}

function thrownBy(work: () => void): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

function encode(names: readonly (string | Uint8Array)[], keys?: readonly (string | Uint8Array)[]): Uint8Array {
  const toBytes = (s: string | Uint8Array) => (typeof s === 'string' ? utf8.encode(s) : s)
  const all = strings(names.map(toBytes))
  return encodeNamesBlock(all, keys && strings(keys.map(toBytes)), identity(names.length), 0, names.length)
}

const nameBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.stringMatching(/^[abAB]{0,12}$/).map(s => utf8.encode(s)),
  fc.uint8Array({ minLength: 250, maxLength: 600 }),
)
/** Names with keys; half of the keys are what ASCII folding makes of the name. */
const rowArb = fc
  .tuple(nameBytes, fc.option(nameBytes))
  .map(([name, key]): [Uint8Array, Uint8Array] => [name, key ?? lower(name)])
const blockArb = fc.array(rowArb, { maxLength: 32 })

describe('names block', () => {
  it('has the documented bytes', () => {
    const block = encode(['Read', 'README', 'réadé', 'reads'], ['read', 'readme', 'reade', 'reads'])
    expect([...block]).toEqual([
      ...[0, 8, 0x52, 0x65, 0x61, 0x64],
      ...[1, 10, 0x45, 0x41, 0x44, 0x4d, 0x45],
      ...[0, 15, 0x72, 0xc3, 0xa9, 0x61, 0x64, 0xc3, 0xa9, 5, 0x72, 0x65, 0x61, 0x64, 0x65],
      ...[1, 8, 0x65, 0x61, 0x64, 0x73],
    ])
  })

  it('survives a round trip, within the documented worst case, at any position', () => {
    fc.assert(
      fc.property(blockArb, fc.nat(20), (rows, at) => {
        const names = strings(rows.map(row => row[0]))
        const keys = strings(rows.map(row => row[1]))
        const order = identity(rows.length)
        const worst = maxNamesBlockBytes(names, keys, order, 0, rows.length)
        const target = new Uint8Array(at + worst).fill(0xee)
        const end = writeNamesBlock(target, at, names, keys, order, 0, rows.length)
        expect(end - at).toBeLessThanOrEqual(worst)
        expect(target.subarray(0, at).every(byte => byte === 0xee)).toBe(true)
        const expected = rows.map(([name, key]) => ({ name: [...name], key: [...key] }))
        expect(decoded(target, at, end)).toEqual(expected)
        rows.forEach(([name], i) => {
          expect(nameAt(target, at, end, i)).toEqual(name)
        })
      }),
    )
  })

  it('follows the order given and needs no keys', () => {
    const names = strings(['b', 'A', 'abc'].map(s => utf8.encode(s)))
    const block = encodeNamesBlock(names, undefined, Uint32Array.of(9, 1, 2, 0), 1, 4)
    expect(decoded(block).map(row => String.fromCharCode(...row.key))).toEqual(['a', 'abc', 'b'])
  })

  it('shares at most 255 bytes and holds the longest name and key', () => {
    const long = new Uint8Array(MAX_NAME_BYTES).fill(0x61)
    const key = new Uint8Array(MAX_KEY_BYTES).fill(0x62)
    const block = encode([long, long], [key, key])
    expect(block[1 + 2 + MAX_NAME_BYTES + 2 + MAX_KEY_BYTES]).toBe(255)
    expect(decoded(block)).toEqual([
      { name: [...long], key: [...key] },
      { name: [...long], key: [...key] },
    ])
    expect(() => encode([new Uint8Array(MAX_NAME_BYTES + 1)])).toThrow(RangeError)
    expect(() => encode(['a'], [new Uint8Array(MAX_KEY_BYTES + 1)])).toThrow(RangeError)
  })

  it('stops when the visitor says so', () => {
    expect(decodeNamesBlock(encode(['a', 'b', 'c']), 0, 9, (_, index) => index < 1)).toBe(2)
  })

  it('refuses a name that is not there', () => {
    expect(() => nameAt(encode(['a', 'b']), 0, 6, 2)).toThrow(MalformedBytesError)
  })

  it('refuses lengths beyond the block or the limits', () => {
    const refused = (bytes: number[]) => expect(() => decoded(Uint8Array.from(bytes))).toThrow(MalformedBytesError)
    refused([1, 2, 0x61])
    refused([0, 2, 0x61, 2, 0])
    refused([0, 4, 0x61])
    refused([0, 3, 0x61])
    refused([0, 3, 0x61, 2, 0x61])
    refused([0])
    refused([0, 0xff, 0xff, 0xff, 0xff, 0x0f])
    const tooLong = new Uint8Array(3 + MAX_NAME_BYTES + 1)
    tooLong.set([0, 0x82, 0x40])
    expect(() => decoded(tooLong)).toThrow(/at most 4096/)
  })

  it('knows every truncation within a name, and never runs away on damaged bytes', () => {
    const block = encode(['alpha', 'Alphabet', 'álpine', 'beta'], ['alpha', 'alphabet', 'alpine', 'beta'])
    const boundaries = new Set<number>()
    for (let n = 0; n <= block.length; n++) {
      try {
        decoded(block, 0, n)
        boundaries.add(n)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedBytesError)
      }
    }
    expect(boundaries.size).toBe(5)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), bytes => {
        try {
          expect(decoded(bytes).length).toBeLessThanOrEqual(bytes.length / 2)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError)
        }
      }),
    )
  })
})
