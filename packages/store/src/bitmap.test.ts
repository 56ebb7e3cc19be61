import { describe, expect, it } from 'vitest'
import { type BitmapClass, nativeBitmaps, type RoaringBitmap32, wasmBitmaps } from './bitmap.js'

const native = await nativeBitmaps()
const wasm = await wasmBitmaps()

/** Steps of both kinds of sets: single ids, ranges of all lengths, in one container and across several. */
function fill(bitmaps: BitmapClass, random: () => number): RoaringBitmap32 {
  const set = new bitmaps()
  for (let step = 0; step < 200; step++) {
    const from = Math.floor(random() * 300_000)
    if (random() < 0.7) set.add(from)
    else set.addRange(from, from + Math.floor(random() ** 4 * 100_000))
  }
  return set
}

function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))

describe(`native and WebAssembly sets (seed ${seed})`, () => {
  it('give the same bytes and the same answers', () => {
    for (let round = 0; round < 20; round++) {
      const [a, b] = [native, wasm].map(bitmaps => fill(bitmaps, randomOf(seed + round)))
      const [c, d] = [native, wasm].map(bitmaps => fill(bitmaps, randomOf(seed + round + 1)))
      expect(Buffer.compare(b!.serialize('portable'), a!.serialize('portable'))).toBe(0)
      expect([b!.size, b!.maximum(), b!.andCardinality(d!)]).toEqual([a!.size, a!.maximum(), a!.andCardinality(c!)])
      const [left, right] = [native.andNot(a!, c!), wasm.andNot(b!, d!)]
      expect(Buffer.compare(right.serialize('portable'), left.serialize('portable'))).toBe(0)
      expect([...right]).toEqual([...left])
      const copy = b!.clone()
      copy.add(4_000_000_000)
      expect([b!.has(4_000_000_000), copy.has(4_000_000_000), copy.size]).toEqual([false, true, a!.size + 1])
    }
  })

  it('read what the other has written', () => {
    const bytes = [native, wasm].map(bitmaps => fill(bitmaps, randomOf(seed)).serialize('portable'))
    expect([...native.deserialize(Buffer.from(bytes[1]!), 'portable')]).toEqual([
      ...wasm.deserialize(Buffer.from(bytes[0]!), 'portable'),
    ])
  })

  it('are nothing when they are empty', () => {
    for (const bitmaps of [native, wasm]) {
      const empty = new bitmaps([])
      expect([empty.size, empty.maximum(), [...empty]]).toEqual([0, 0, []])
    }
  })
})
