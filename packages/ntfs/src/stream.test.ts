import { Random } from '@hotpath/index-format/testing'
import { CorruptFileError } from '@hotpath/model'
import { describe, expect, it } from 'vitest'
import { type Extent, SPARSE } from './run-list.js'
import { drive, type Reading, readStream, Stream } from './stream.js'
import { damageIn } from './testing/failure.js'
import { extents, readerOf } from './testing/volume-builder.js'

const CLUSTER = 8
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))

function streamOf(bytes: number, parts: readonly Extent[]): Stream {
  const stream = new Stream(CLUSTER, bytes)
  stream.append(parts)
  return stream
}

describe('stream', () => {
  const stream = streamOf(50, extents([10, 2], [SPARSE, 3], [3, 2]))

  it('knows what is mapped, and what is stored first', () => {
    expect([stream.clusters, stream.firstStored, stream.extents.length]).toEqual([7, 0, 3])
    expect(streamOf(50, extents([SPARSE, 2], [SPARSE, 3], [3, 2])).firstStored).toBe(40)
    expect(streamOf(50, extents([SPARSE, 7])).firstStored).toBe(50)
    expect(streamOf(50, extents([SPARSE, 9], [1, 1])).firstStored).toBe(50)
    expect(streamOf(50, []).firstStored).toBe(50)
  })

  it.each([
    [
      'all',
      0,
      50,
      [
        [80, 16],
        [SPARSE, 24],
        [24, 10],
      ],
    ],
    [
      'more than all',
      0,
      1_000,
      [
        [80, 16],
        [SPARSE, 24],
        [24, 10],
      ],
    ],
    [
      'the end of one part and the beginning of the next',
      12,
      8,
      [
        [92, 4],
        [SPARSE, 4],
      ],
    ],
    ['a part to its end', 8, 8, [[88, 8]]],
    ['the last byte', 49, 9, [[33, 1]]],
    ['nothing', 20, 0, []],
    ['what is behind the end', 50, 1, []],
    ['what is far behind the end', 2 ** 60, 1, []],
  ])('finds %s', (_what, from, length, expected) =>
    expect([...stream.ranges(from, length)].map(range => [range.offset, range.length])).toEqual(expected),
  )

  it('ends where its map does', () => {
    expect([...streamOf(50, extents([10, 2])).ranges(0, 50)]).toEqual([{ offset: 80, length: 16 }])
    expect([...streamOf(50, []).ranges(0, 50)]).toEqual([])
  })

  it('goes on in another part', () => {
    const parts = streamOf(32, extents([10, 2]))
    parts.append(extents([20, 2]))
    expect([...parts.ranges(0, 32)]).toEqual([
      { offset: 80, length: 16 },
      { offset: 160, length: 16 },
    ])
  })

  it(`is read as a naive reader does (SEED=${SEED})`, () => {
    const random = new Random(SEED)
    const volume = new Uint8Array(CLUSTER * 64).map(() => random.below(256))
    for (let round = 0; round < 2_000; round++) {
      const parts = Array.from({ length: random.below(8) }, () => ({
        cluster: random.chance(0.3) ? SPARSE : random.below(60),
        clusters: 1 + random.below(4),
      }))
      const all = parts.flatMap(({ cluster, clusters }) => {
        const from = cluster * CLUSTER
        return [
          ...(cluster === SPARSE ? new Uint8Array(clusters * CLUSTER) : volume.slice(from, from + clusters * CLUSTER)),
        ]
      })
      const bytes = random.below(300)
      const [from, length] = [random.below(320), random.below(320)]
      const found = drive(readStream(streamOf(bytes, parts), from, length), readerOf(volume))
      expect([...found]).toEqual(all.slice(0, bytes).slice(from, from + length))
      expect(found.byteOffset).toBe(0)
    }
  })
})

describe('driving a reading', () => {
  function* twice(): Reading<string> {
    try {
      return `first ${(yield { offset: 1, length: 2 }).length}`
    } catch (error) {
      return `second ${(yield { offset: 5, length: 1 }).length} after ${(error as Error).message}`
    }
  }

  it('gives what is wanted', () => expect(drive(twice(), readerOf(new Uint8Array(8)))).toBe('first 2'))

  it('throws what reading throws where the bytes are wanted', () => {
    const read = ({ offset, length }: { offset: number; length: number }) => {
      if (offset === 1) throw new Error('EIO')
      return new Uint8Array(length)
    }
    expect(drive(twice(), read)).toBe('second 1 after EIO')
  })

  it('refuses less than what is wanted', () => {
    expect(drive(twice(), () => new Uint8Array(1))).toMatch(
      /^second 1 after "volume" at byte 1: expected 2 bytes, found 1$/,
    )
    expect(damageIn(() => drive(twice(), () => new Uint8Array(0)))).toBeInstanceOf(CorruptFileError)
  })
})
