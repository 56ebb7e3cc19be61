import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { putFileTime } from './file-time.js'

function read(ticks: bigint): [seconds: number, ticks: number] {
  const into = { seconds: new Float64Array(3).fill(-1), ticks: new Uint32Array(3).fill(9) }
  putFileTime(into, 1, Number(ticks & 0xffffffffn), Number(ticks >> 32n))
  expect([into.seconds[0], into.seconds[2], into.ticks[0], into.ticks[2]]).toEqual([-1, -1, 9, 9])
  return [into.seconds[1]!, into.ticks[1]!]
}

const DAY = 86_400
const EPOCH = 11_644_473_600n

describe('FILETIME', () => {
  it.each([
    ['1601-01-01', 0n, [-11_644_473_600, 0]],
    ['one tick later', 1n, [-11_644_473_600, 1]],
    ['1969-12-31 23:59:59.9999999', EPOCH * 10_000_000n - 1n, [-1, 9_999_999]],
    ['1970-01-01', EPOCH * 10_000_000n, [0, 0]],
    ['2100-01-01', (EPOCH + 4_102_444_800n) * 10_000_000n, [47_482 * DAY, 0]],
    ['2^63 - 1', 2n ** 63n - 1n, [910_692_730_085, 4_775_807]],
    ['2^64 - 1', 2n ** 64n - 1n, [1_833_029_933_770, 9_551_615]],
  ])('reads %s', (_what, ticks, expected) => expect(read(ticks)).toEqual(expected))

  it('is exact in all of its 64 bits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(63), (value, shift) => {
        const ticks = value >> BigInt(shift)
        expect(read(ticks)).toEqual([Number(ticks / 10_000_000n - EPOCH), Number(ticks % 10_000_000n)])
      }),
      { numRuns: 20_000 },
    )
  })
})
