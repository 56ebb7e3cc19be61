import { lstatSync } from 'node:fs'
import { deviceNumber } from '@hotpath/platform'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { birthOf, deviceSalt, saltAt, volumeOf } from './node-ref.js'

const PINNED = [2849760590, 3372745463, 1280292608]

describe('birthOf', () => {
  it('is the same in every version: it is part of what an index holds', () => {
    expect([birthOf(1_700_000_000, 1_234_567, 0), birthOf(-1, 0, 0), birthOf(2 ** 33 + 5, 9, 0)]).toEqual(PINNED)
    expect(birthOf(1_700_000_000, 1_234_567, 0xdeadbeef)).toBe((PINNED[0]! ^ 0xdeadbeef) >>> 0)
    expect([birthOf(Number.NaN, 5, 0), birthOf(Number.NaN, 5, 7)]).toEqual([0, 7])
  })

  it('differs for files that were made soon after one another', () => {
    const seen = new Set<number>()
    for (let second = 0; second < 100; second++)
      for (let tick = 0; tick < 100; tick++) seen.add(birthOf(1_700_000_000 + second, tick * 99_991, 0))
    // Of 10,000 random 32 bit numbers two are equal in one of 86 cases.
    expect(seen.size).toBeGreaterThan(9_995)
  })

  it('is a 32 bit number for any time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 53), max: 2 ** 53 }),
        fc.nat(9_999_999),
        fc.nat(2 ** 32 - 1),
        (s, t, salt) => {
          const birth = birthOf(s, t, salt)
          expect(birth >>> 0).toBe(birth)
        },
      ),
    )
  })
})

describe('saltAt', () => {
  it('changes nothing but in an overlay', () => {
    expect(saltAt(0, new Uint8Array(Buffer.from('/proc')), 5)).toBe(0)
    expect(saltAt(7, new Uint8Array(Buffer.from('/not there')), 5)).toBe(7)
  })
})

describe('volumeOf', () => {
  it('names the file system, and what is in it but is another device', () => {
    const path = new Uint8Array(Buffer.from(process.cwd()))
    const { dev } = lstatSync(process.cwd())
    const device = deviceNumber((dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00))
    expect(volumeOf(path, device)).toMatch(/^\S+$/)
    expect(volumeOf(path, device ^ 1)).toBe(`${volumeOf(path, device)}@${encodeURI(process.cwd())}`)
    expect(volumeOf(new Uint8Array(Buffer.from('in no mount')), device)).toBe('unknown@in%20no%20mount')
    expect(deviceSalt(volumeOf(path, device))).not.toBe(0)
    expect(deviceSalt('a')).not.toBe(deviceSalt('b'))
  })
})
