import type { EncodedGrams } from './build-kernels.js'
import type { EncodedNames } from './encoded-names.js'
import { collectGrams } from './gram-index.js'
import { RoaringEncoder } from './roaring-portable.js'
import { BIGRAM_BIT, BLOCK_NAMES } from './segment-layout.js'

/**
 * A one- or two-byte gram in more than a sixteenth of the blocks has no posting list: looking at all blocks then costs
 * little more, and the list of a frequent byte would be as long as the dictionary.
 */
export const COMMON_GRAM_SHARE = 16

/** The grams of a dictionary with their posting lists. @param weights entries of each name */
export function encodeGrams(names: EncodedNames, weights: Uint32Array): EncodedGrams {
  const blocks = Math.ceil(names.count / BLOCK_NAMES)
  const grams = collectGrams(names, weights)
  const offsets = new Uint32Array(grams.count + 1)
  const ids = new Uint32Array(blocks)
  const encoder = new RoaringEncoder()
  let postings = new Uint8Array(1 << 14)
  let at = 0
  for (let g = 0; g < grams.count; g++) {
    offsets[g] = at
    const count = grams.blockCounts[g]
    if (grams.keys[g] >= BIGRAM_BIT && count * COMMON_GRAM_SHARE > blocks) continue
    grams.readBlocks(g, ids)
    const length = encoder.measure(ids, 0, count)
    if (at + length > postings.length) {
      const larger = new Uint8Array(Math.max(at + length, Math.ceil(postings.length * 1.5)))
      larger.set(postings.subarray(0, at))
      postings = larger
    }
    at = encoder.write(postings, at)
  }
  offsets[grams.count] = at
  const { count, keys, blockCounts, totals } = grams
  return { count, keys, offsets, blockCounts, totals, postings: postings.subarray(0, at) }
}
