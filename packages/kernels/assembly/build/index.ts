export { initialise } from '../initialise'
export { crc32cPages } from '../crc32c'
export { mark, release, take, takeZeroed } from './arena'
export {
  encodeNames,
  internNames,
  makeKeys,
  nameBytes,
  recordNames,
  rehash,
  setKey,
  sortBuckets,
  spreadNames,
} from './names'
export { collectGrams, countGrams, listGrams, startGrams, writePostings } from './grams'
export {
  countCandidates,
  countHeavyGrams,
  countSubstrings,
  followPlaces,
  keepCandidates,
  sampleBytes,
  sampleText,
  startPlaces,
  startTrie,
} from './heavy'
export {
  anySet,
  countUnknown,
  dropZeros,
  encodeSeconds,
  encodeSizes,
  extremeRows,
  gatherF64,
  gatherU32,
  gatherU8,
  limitSizes,
  measureGroups,
  packGroups,
  packValues,
  radixPass,
} from './columns'
export { countingOrder, orderFiles, rowsOfNames } from './order'
export { mergeNames, startMerge } from './merge-names'
