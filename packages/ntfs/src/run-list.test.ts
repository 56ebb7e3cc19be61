import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRunList, SPARSE } from './run-list.js'
import { damageIn } from './testing/failure.js'
import { runList } from './testing/record-builder.js'
import { extents } from './testing/volume-builder.js'

const AT = 4096
const CLUSTERS = 1_000

function parse(bytes: readonly number[] | Uint8Array, clusters = CLUSTERS, start = 0) {
  return parseRunList({ file: 'disk', bytes: Uint8Array.from(bytes), offset: AT }, start, bytes.length, clusters)
}

describe('run list', () => {
  it.each([
    ['nothing', [0], extents()],
    ['one run', [0x11, 3, 20, 0], extents([20, 3])],
    ['offsets from the run before', [0x11, 3, 20, 0x11, 2, 5, 0], extents([20, 3], [25, 2])],
    ['a negative offset', [0x11, 3, 20, 0x11, 2, 0xf0, 0], extents([20, 3], [4, 2])],
    ['a hole', [0x11, 3, 20, 0x01, 7, 0x11, 2, 5, 0], extents([20, 3], [SPARSE, 7], [25, 2])],
    ['a hole first', [0x02, 0x00, 0x80, 0], extents([SPARSE, 32_768])],
    ['the last cluster', [0x21, 1, 0xe7, 0x03, 0], extents([999, 1])],
    ['cluster 0', [0x11, 1, 0, 0], extents([0, 1])],
    ['fields of six bytes', [0x66, 3, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0], extents([20, 3])],
    ['lengths without a sign', [0x12, 0xff, 0, 20, 0], extents([20, 255])],
    ['nothing behind its end', [0x11, 3, 20, 0, 0xff, 0xff], extents([20, 3])],
  ])('reads %s', (_what, bytes, expected) => expect(parse(bytes)).toEqual(expected))

  it('reads 48 bits', () => {
    const far = extents([2 ** 47 - 3, 3], [SPARSE, 2 ** 47 - 1], [5, 1])
    expect(parse(runList(far, 6), 2 ** 48)).toEqual(far)
    expect(parse(runList(far), 2 ** 48)).toEqual(far)
  })

  it.each([
    ['fields of no bytes of length', [0x10, 3], 0, 'a run with fields of 1 to 6 bytes', 'header 0x10'],
    [
      'a length of seven bytes',
      [0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0],
      0,
      'a run with fields of 1 to 6 bytes',
      'header 0x17',
    ],
    [
      'an offset of seven bytes',
      [0x11, 1, 1, 0x71, 1, 1, 0, 0, 0, 0, 0, 0, 0],
      3,
      'a run with fields of 1 to 6 bytes',
      'header 0x71',
    ],
    ['a run that is cut off', [0x11, 3, 20, 0x22, 1, 0, 1], 3, 'a whole run', '4 bytes'],
    ['no end', [0x11, 3, 20], 3, 'the end of a run list', 'the end of the attribute'],
    ['not even a beginning', [], 0, 'the end of a run list', 'the end of the attribute'],
    ['an empty run', [0x11, 0, 20, 0], 1, 'a run of one cluster or more', '0'],
    ['an empty hole', [0x01, 0, 0], 1, 'a run of one cluster or more', '0'],
    [
      'a run that begins before the volume',
      [0x11, 1, 3, 0x11, 1, 0xf0, 0],
      3,
      'clusters of the 1000 of the volume',
      '-13 … -12',
    ],
    [
      'a run that ends behind the volume',
      [0x21, 2, 0xe7, 0x03, 0],
      0,
      'clusters of the 1000 of the volume',
      '999 … 1001',
    ],
    [
      'a length of 2^48 - 1',
      [0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0],
      0,
      'clusters of the 1000 of the volume',
      '1 … 281474976710656',
    ],
  ])('refuses %s', (_what, bytes, at, expected, found) =>
    expect(damageIn(() => parse(bytes))).toMatchObject({ file: 'disk', offset: AT + at, expected, found }),
  )

  it('begins and ends where it is told', () => {
    const bytes = [0xff, 0x11, 3, 20, 0]
    expect(parse(bytes, CLUSTERS, 1)).toEqual(extents([20, 3]))
    const record = { file: 'disk', bytes: Uint8Array.from(bytes), offset: 0 }
    expect(damageIn(() => parseRunList(record, 1, 4, CLUSTERS)).offset).toBe(4)
  })

  it('gives back what was written', () => {
    const extent = fc.record({
      cluster: fc.oneof(fc.constant(SPARSE), fc.nat(2 ** 31 - 1)),
      clusters: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    })
    fc.assert(
      fc.property(fc.array(extent), fc.constantFrom(undefined, 5, 6), (written, fieldBytes) => {
        expect(parse(runList(written, fieldBytes), 2 ** 40)).toEqual(written)
      }),
    )
  })
})
