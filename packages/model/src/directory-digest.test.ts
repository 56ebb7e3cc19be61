import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DigestedRow, DirectoryDigest } from './directory-digest.js'
import { Kind } from './entry-columns.js'

const time = fc.option(
  fc.record({ seconds: fc.integer({ min: -1e10, max: 1e11 }), ticks: fc.nat({ max: 9_999_999 }) }),
  { nil: undefined },
)
const u32 = fc.nat({ max: 0xffffffff })
const row: fc.Arbitrary<DigestedRow> = fc.record({
  kind: fc.constantFrom(Kind.file, Kind.directory, Kind.symlink, Kind.other),
  size: fc.oneof(fc.maxSafeNat(), fc.constant(Number.NaN)),
  modified: time,
  changed: time,
  ref: fc.option(fc.record({ low: u32, high: u32, birth: u32 }), { nil: undefined }),
})
const entry = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), row)

function digestOf(entries: readonly (readonly [Uint8Array, DigestedRow])[]) {
  const digest = new DirectoryDigest()
  for (const [name, of] of entries) digest.add(name, of)
  return { count: digest.count, low: digest.low, high: digest.high }
}

describe('the digest of a directory', () => {
  it('does not depend on the order of the entries', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), entries => {
        expect(digestOf([...entries].reverse())).toEqual(digestOf(entries))
      }),
    )
  })

  it('tells apart whatever differs in one entry', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), entry, fc.nat({ max: 6 }), (rest, [name, of], part) => {
        const later = { seconds: (of.modified?.seconds ?? 0) + 1, ticks: 5 }
        const others: (readonly [Uint8Array, DigestedRow])[] = [
          [Uint8Array.of(...name, 0x61), of],
          [name, { ...of, kind: of.kind === Kind.file ? Kind.symlink : Kind.file }],
          [name, { ...of, kind: Kind.file, size: 1 + (of.size || 0) }],
          [name, { ...of, modified: later }],
          [name, { ...of, changed: { seconds: (of.changed?.seconds ?? 0) + 1, ticks: 5 } }],
          [name, { ...of, ref: { low: ((of.ref?.low ?? 0) + 1) >>> 0, high: 0, birth: of.ref?.birth ?? 0 } }],
          [name, { ...of, ref: { low: of.ref?.low ?? 0, high: of.ref?.high ?? 0, birth: (of.ref?.birth ?? 0) ^ 1 } }],
        ]
        const mine = digestOf([...rest, [name, part === 2 ? { ...of, kind: Kind.file } : of]])
        expect(digestOf([...rest, others[part]!])).not.toEqual(mine)
      }),
    )
  })

  it('takes no notice of the size of directories, nor of which unknown time is meant', () => {
    const name = Uint8Array.of(0x61)
    const directory = { kind: Kind.directory, size: 4096, modified: undefined, changed: undefined, ref: undefined }
    const unknown = { seconds: Number.NaN, ticks: 0 }
    expect(digestOf([[name, { ...directory, size: Number.NaN, modified: unknown }]])).toEqual(
      digestOf([[name, directory]]),
    )
  })

  it('gives a million names different digests', () => {
    const seen = new Set<string>()
    const bytes = new Uint8Array(4)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < 1_000_000; i++) {
      view.setUint32(0, i)
      const { low, high } = digestOf([
        [bytes, { kind: Kind.file, size: 0, modified: undefined, changed: undefined, ref: undefined }],
      ])
      seen.add(`${low}.${high}`)
    }
    expect(seen.size).toBe(1_000_000)
  })
})
