import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createDirectoryEntryColumns,
  DirentType,
  MIN_DIRENT_BYTES,
  parseDirectoryEntries,
} from './directory-entries.js'
import { MalformedKernelDataError } from './errors.js'

interface Record_ {
  name: Uint8Array
  inode: bigint
  type: number
}

function encode(records: readonly Record_[]): Uint8Array {
  const parts = records.map(({ name, inode, type }) => {
    const part = Buffer.alloc(Math.max(MIN_DIRENT_BYTES, (19 + name.length + 1 + 7) & ~7))
    part.writeBigUInt64LE(inode, 0)
    part.writeUInt16LE(part.length, 16)
    part[18] = type
    part.set(name, 19)
    return part
  })
  return new Uint8Array(Buffer.concat(parts))
}

const name = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

function decode(bytes: Uint8Array, length = bytes.length, capacity = 1000): Record_[] {
  const columns = createDirectoryEntryColumns(bytes, capacity)
  parseDirectoryEntries(columns, length)
  return Array.from({ length: columns.count }, (_, i) => ({
    name: bytes.slice(columns.nameStart[i]!, columns.nameEnd[i]!),
    inode: (BigInt(columns.inodeHigh[i]!) << 32n) | BigInt(columns.inodeLow[i]!),
    type: columns.type[i]!,
  }))
}

const recordArb = fc.record({
  name: fc.uint8Array({ min: 1, minLength: 1, maxLength: 255 }),
  inode: fc.bigInt(0n, 2n ** 64n - 1n),
  type: fc.constantFrom(...Object.values(DirentType)),
})
const isDots = (bytes: Uint8Array) => ['.', '..'].includes(Buffer.from(bytes).toString('latin1'))

describe('parseDirectoryEntries', () => {
  it('reads a record as the kernel writes it', () => {
    const bytes = Buffer.from('0500000001000000ffffffffffffff7f180008612e6300000a', 'hex').subarray(0, 24)
    expect(decode(new Uint8Array(bytes))).toEqual([{ name: name('a.c'), inode: 0x1_0000_0005n, type: DirentType.file }])
  })

  it('gives back what was encoded, without dots', () => {
    fc.assert(
      fc.property(fc.array(recordArb, { maxLength: 20 }), records => {
        expect(decode(encode(records))).toEqual(records.filter(record => !isDots(record.name)))
      }),
    )
  })

  it('remembers the inode of the directory itself, of this buffer only', () => {
    const bytes = encode([
      { name: name('..'), inode: 2n, type: 4 },
      { name: name('.'), inode: 0x7_0000_0009n, type: 4 },
      { name: name('...'), inode: 3n, type: 4 },
    ])
    const columns = createDirectoryEntryColumns(bytes, 4)
    parseDirectoryEntries(columns, bytes.length)
    expect([columns.selfLow, columns.selfHigh, columns.count]).toEqual([9, 7, 1])
    parseDirectoryEntries(columns, 0)
    expect([columns.selfLow, columns.selfHigh, columns.count]).toEqual([0, 0, 0])
  })

  it('either parses or refuses whatever is changed or cut off, and never reads outside', () => {
    const sample = encode([
      { name: name('.'), inode: 1n, type: 4 },
      { name: name('long enough for more'), inode: 7n, type: 8 },
      { name: name('x'), inode: 9n, type: 10 },
    ])
    const attempt = (bytes: Uint8Array, length: number) => {
      try {
        for (const record of decode(bytes, length)) expect(record.name.length).toBeGreaterThan(0)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedKernelDataError)
      }
    }
    for (let length = 0; length <= sample.length + 1; length++) attempt(sample, length)
    for (let at = 0; at < sample.length; at++)
      for (const value of [0, 1, 8, 23, 24, 25, 0x2e, 0x7f, 0x80, 0xff]) {
        const bad = sample.slice()
        bad[at] = value
        attempt(bad, bad.length)
      }
  })

  it('refuses a record length of zero, an endless name, an empty name, a cut and too many', () => {
    const one = encode([{ name: name('abc'), inode: 1n, type: 8 }])
    const change = (edit: (bytes: Uint8Array) => void) => {
      const bytes = one.slice()
      edit(bytes)
      return () => decode(bytes)
    }
    expect(change(b => b.fill(0, 16, 18))).toThrow(MalformedKernelDataError)
    expect(change(b => b.fill(0x61, 19))).toThrow(/not ended/)
    expect(change(b => b.fill(0, 19))).toThrow(/empty/)
    expect(() => decode(one, one.length - 1)).toThrow(/cut off/)
    expect(() =>
      decode(encode([0, 1, 2].map(i => ({ name: name(`n${i}`), inode: 1n, type: 8 }))), undefined, 2),
    ).toThrow(/more than 2/)
    expect(() => decode(one, one.length + 1)).toThrow(/in a buffer of/)
  })
})
