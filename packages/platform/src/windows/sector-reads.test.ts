import { describe, expect, it } from 'vitest'
import { SectorReads } from './sector-reads.js'

const SEED = Number(process.env.SEED ?? 20_263)

/** A volume that refuses what Windows refuses, and reads at most `most` bytes at once. */
function volume(bytes: Uint8Array, sectorBytes: number, most = Number.POSITIVE_INFINITY) {
  const asked: [offset: number, length: number][] = []
  const read = (offset: number, into: Uint8Array) => {
    if (offset % sectorBytes !== 0 || into.length % sectorBytes !== 0 || into.length === 0)
      throw new Error(`error 87: ${into.length} bytes from ${offset} on`)
    asked.push([offset, into.length])
    const part = bytes.subarray(offset, offset + Math.min(into.length, most))
    into.set(part)
    return part.length
  }
  return { read, asked }
}

describe('reads of whole sectors', () => {
  const bytes = Uint8Array.from({ length: 300 * 512 }, (_, i) => (i * 31 + (i >> 8)) & 0xff)

  it('are what an aligned read is made of, without a copy', () => {
    const { read, asked } = volume(bytes, 512)
    const into = new Uint8Array(8192)
    expect(new SectorReads(512, read).read(1024, into)).toBe(8192)
    expect(asked).toEqual([[1024, 8192]])
    expect(into).toEqual(bytes.slice(1024, 1024 + 8192))
  })

  it('are rounded to around what is wanted', () => {
    const { read, asked } = volume(bytes, 4096)
    const into = new Uint8Array(8)
    expect(new SectorReads(4096, read).read(4099, into)).toBe(8)
    expect(asked).toEqual([[4096, 4096]])
    expect(into).toEqual(bytes.slice(4099, 4107))
  })

  it.each([512, 1024, 4096])(`of %i bytes give what a plain read gives, seed ${SEED}`, sectorBytes => {
    let state = SEED
    const random = (limit: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * limit)
    }
    for (let round = 0; round < 2_000; round++) {
      const { read } = volume(bytes, sectorBytes, [Number.POSITIVE_INFINITY, sectorBytes][random(2)])
      const offset = random(bytes.length + 2 * sectorBytes)
      const into = new Uint8Array(random(random(2) === 0 ? 100 : bytes.length))
      const expected = bytes.subarray(offset, offset + into.length)
      const count = new SectorReads(sectorBytes, read).read(offset, into)
      expect(count).toBe(expected.length)
      expect(Buffer.compare(into.subarray(0, count), expected)).toBe(0)
    }
  })
})
