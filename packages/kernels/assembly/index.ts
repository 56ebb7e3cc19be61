export { initialise } from './initialise'
export { crc32c, crc32cPages } from './crc32c'
export { intersect, roaringCardinality, unite } from './roaring'
export { intersectSorted, subtractSorted, uniteSorted } from './sorted-lists'
export { verifyBlocks } from './names-blocks'
export { expandNames } from './name-rows'
export { scanArena } from './arena'
export {
  filterSizes,
  filterU32Range,
  gatherBits,
  gatherU32,
  listBits,
  popcountBits,
  selectPacked,
  unpackBits,
} from './columns'
